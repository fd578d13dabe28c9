"""What makes writes survive a power cut, within a second.

A commit in WAL mode with synchronous NORMAL survives the death of the process at once, but a power cut only
when the write-ahead log has been flushed. Flushing within every commit would make a writer wait for the disk;
here a thread flushes once a second what was written, and nothing where nothing was.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gaugeway.core.errors import StoreUnusable

INTERVAL_S = 0.8
"""Between flushes, so that with the flush itself a write is on the disk within a second."""


class Syncing:
    """Flushes write-ahead logs, in this order, some time after `written` was called; then runs `errand`, if due."""

    def __init__(
        self, databases: Sequence[Path], errand: Callable[[], None], *, interval_s: float = INTERVAL_S
    ) -> None:
        self._interval_s = interval_s
        self._files = [path.with_name(path.name + "-wal") for path in databases]
        self._errand = errand
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: OSError | None = None

    def written(self) -> None:
        """Something was committed. StoreUnusable where an earlier write did not get to the disk."""
        problem, self._problem = self._problem, None
        self._dirty.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="gaugeway-sync", daemon=True)
            self._thread.start()
        if problem is not None:
            raise StoreUnusable(
                f"{problem.filename}: logs written in the last seconds may not survive a power cut"
                f" ({problem.strerror}). Check the disk."
            ) from problem

    def close(self) -> None:
        """End the thread. Closing the databases themselves flushes what is left."""
        self._closed.set()
        self._dirty.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            if self._closed.wait(self._interval_s):
                return
            self._dirty.clear()
            for file in self._files:
                try:
                    flush(file)
                except OSError as problem:
                    problem.filename = str(file)
                    self._problem = problem
            self._errand()


def flush(file: Path) -> None:
    """Have the disk take all that was written to a file. A write-ahead log that is gone was taken already."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
