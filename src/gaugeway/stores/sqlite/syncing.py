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

INTERVAL_S = 0.75
"""Between flushes, so that with the flush itself a write is on the disk within a second."""


class Syncing:
    """Flushes write-ahead logs, in this order, soon after `written` was called; then starts an errand.

    An errand runs in a thread of its own, one at a time, as it may take longer than the next flush can wait.
    """

    def __init__(
        self, databases: Sequence[Path], errand: Callable[[], None], *, interval_s: float = INTERVAL_S
    ) -> None:
        self._files = [path.with_name(path.name + "-wal") for path in databases]
        self._errand = errand
        self._interval_s = interval_s
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._flusher: threading.Thread | None = None
        self._runner: threading.Thread | None = None
        self._problem: OSError | None = None

    def written(self) -> None:
        """Something was committed. StoreUnusable where an earlier write did not get to the disk."""
        problem, self._problem = self._problem, None
        self._dirty.set()
        with self._starting:
            self._flusher = self._started(self._flusher, self._run)
        if problem is not None:
            raise StoreUnusable(
                f"{problem.filename}: logs written in the last seconds may not survive a power cut"
                f" ({problem.strerror}). Check the disk."
            ) from problem

    def close(self) -> None:
        """Flush once more and end the threads."""
        self._closed.set()
        self._dirty.set()
        if self._flusher is not None:
            self._flusher.join()
        if self._runner is not None:
            self._runner.join()
        self._flush()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            if self._closed.wait(self._interval_s):
                return
            self._dirty.clear()
            self._flush()
            self._runner = self._started(self._runner, self._errand)

    def _flush(self) -> None:
        for file in self._files:
            try:
                flush(file)
            except OSError as problem:
                problem.filename = str(file)
                self._problem = problem

    def _started(self, thread: threading.Thread | None, work: Callable[[], None]) -> threading.Thread:
        """The thread if it is still at work, or another one that begins it."""
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=work, name="gaugeway-sync", daemon=True)
            thread.start()
        return thread


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
