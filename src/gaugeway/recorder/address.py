"""Where a data folder's recorder is found: its lock, its socket, and the presence of its clients."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Generator
from pathlib import Path

SOCKET = "recorder.sock"
LOCK = "recorder.lock"
CLIENTS = "recorder.clients"
MAX_SOCKET_PATH = 107  # sizeof(sun_path) - 1 on Linux


@contextlib.contextmanager
def socket_path(data: Path) -> Generator[str]:
    """A name for the recorder's socket that the kernel takes, valid inside the block.

    A Unix socket's path holds at most 107 bytes. A longer one is reached through the folder's descriptor.
    """
    plain = os.fspath(data / SOCKET)
    if len(os.fsencode(plain)) <= MAX_SOCKET_PATH:
        yield plain
        return
    folder = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def take_lock(data: Path) -> int | None:
    """The descriptor that holds the recorder's lock, or None where another process holds it."""
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _locked(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Presence:
    """A client's locked file in the data folder: while it lives, so does the lock, even between connections.

    A recorder that has just started learns from it which workers it must hear before a barrier is passed.
    """

    def __init__(self, data: Path) -> None:
        self.name = secrets.token_hex(8)
        folder = data / CLIENTS
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path = folder / self.name
        draft = folder / f".{self.name}"  # nobody takes it for dead before it is locked
        self._descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        draft.rename(self._path)

    def leave(self) -> None:
        """The client is gone."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def present(data: Path) -> set[str]:
    """The names of the clients that live; the files of dead ones are removed."""
    try:
        names = [name for name in os.listdir(data / CLIENTS) if not name.startswith(".")]  # noqa: PTH208
    except FileNotFoundError:
        return set()
    return {name for name in names if is_present(data, name)}


def is_present(data: Path, name: str) -> bool:
    """Whether that client lives."""
    path = data / CLIENTS / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not _locked(descriptor):
            return True
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
