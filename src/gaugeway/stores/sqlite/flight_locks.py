"""Which process asks a provider on behalf of all: locks on bytes of the empty file `flights`.

The byte's place is the flight's name, so nothing is written and nothing is kept. The kernel frees the locks of a
process that dies, however it does.
"""

from __future__ import annotations

import errno
import fcntl
import os
from hashlib import sha256
from pathlib import Path

from gaugeway.core.errors import StoreUnusable

_PLACES = (1 << 62) - 1  # as far as a file may reach, with room


class FileFlightLocks:
    """FlightLocks as POSIX record locks: they belong to the process, not to one of its threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "flights"
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise StoreUnusable(
                f"{self._path}: cannot be used ({problem.strerror})."
                " Check that the data folder belongs to this user."
            ) from problem

    def take(self, name: bytes) -> bool:
        """See FlightLocks. Raises StoreUnusable."""
        if self._file < 0:
            raise StoreUnusable(f"{self._path}: was closed")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
        except OSError as problem:
            if problem.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise StoreUnusable(f"{self._path}: cannot be locked ({problem.strerror})") from problem
        return True

    def free(self, name: bytes) -> None:
        """See FlightLocks."""
        if self._file >= 0:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(name))

    def close(self) -> None:
        """Let go of the file, and of every lock."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _place(name: bytes) -> int:
    """Two names at one place would only wait for each other; of 2^62 places that is for nobody to see."""
    return int.from_bytes(sha256(name).digest()[:8]) & _PLACES
