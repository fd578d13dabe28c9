"""Bytes kept in hand for a full disk: deleting has to write before it frees anything.

The ballast is a file beside the data that holds nothing. Whoever deletes on a full disk lets it go, writes into
its room what the deletion needs, and takes it back out of what that freed. Do both in the turn of the one who
writes the logs, or their writer takes the room first.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

BALLAST_BYTES = 8 * 1024 * 1024
"""Holds a transaction of 250 deletions, each of which changes pages of its own in both files."""

LEAST_BYTES = 64 * 1024
"""Less than this is not worth keeping."""


class Ballast:
    """The ballast of a data folder. Never raises: without it a full disk is only harder to empty."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """Bytes that it holds now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def is_whole(self) -> bool:
        """Whether it holds as much as it should."""
        return self.size >= self._size

    def let_go(self) -> None:
        """Give its bytes to the file system."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.ftruncate(descriptor, 0)
                os.fsync(descriptor)  # some file systems free what was given up only now
            finally:
                os.close(descriptor)

    def take_back(self) -> None:
        """Hold as many bytes as it should; where there is no room for them, half as many, or a quarter …"""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._fill(descriptor)
            finally:
                os.close(descriptor)

    def _fill(self, descriptor: int) -> None:
        there = os.fstat(descriptor).st_size
        wanted = self._size
        while wanted > there and wanted >= LEAST_BYTES:
            try:
                os.posix_fallocate(descriptor, 0, wanted)
            except OSError:
                os.ftruncate(descriptor, there)  # what it got before it failed
                wanted //= 2
            else:
                return
