"""Requests counted per gateway, in the file `counters`: a few kilobytes that every process reads and writes.

One record for each gateway: the requests that passed, by slot of time. The file's lock (the kernel frees it when a
process dies) makes reading, deciding and counting one step. Nothing is synced: the counts survive the death of any
process, and after a power cut some may be missing. A `take` costs some 6 µs, a transaction would cost 30.

A fixed window is one slot. A sliding one is SLOTS slots and the one that is being left: a request holds its place
for at least the interval and at most a 120th of it longer, so that in no span of that length more than the limit
pass. A log of every request would free places to the millisecond, and take memory without bound.

A record lies within one page of memory and is written by one call, so that a kill leaves it old or new. One that a
power cut has torn counts too much or too little for one interval at most.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from array import array
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.ports import Rate

SLOTS = 120
"""Parts of a sliding interval: how finely it slides."""

RECORD = 1024
"""Bytes; four to a page."""

MAX_REMEMBERED = 20_000
"""Gateways whose record's place a process remembers."""

_KEY = 32  # bytes: the gateway's name, hashed; zeros where the record is free
_KIND, _NEWEST, _FIRST = 0, 1, 2  # words after the key: interval and technique, the newest slot's number, the slots
WORDS = _FIRST + SLOTS + 1
_END = _KEY + 8 * WORDS
_FREE = bytes(_KEY)

Words: TypeAlias = "array[int]"


class Counters:
    """A CounterStore."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "counters"
        self._lock = threading.Lock()
        self._places: dict[Scope, tuple[bytes, int]] = {}
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise StoreUnusable(
                f"{self._path}: cannot be used ({problem.strerror})."
                " Check that the data folder belongs to this user."
            ) from problem

    def take(self, scope: Scope, rate: Rate, now_ms: int) -> int:
        """See CounterStore. Raises StoreUnusable."""
        with self._turn():
            place, words = self._find(scope)
            wait = count(words, rate, now_ms)
            if not wait:
                _write(self._file, words.tobytes(), place + _KEY)
            return wait

    def forget(self, scope: Scope) -> None:
        """See CounterStore. Raises StoreUnusable."""
        with self._turn():
            place = self._search(_key(scope))
            if place is not None:
                _write(self._file, bytes(RECORD), place)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    @contextmanager
    def _turn(self) -> Generator[None]:
        with self._lock:
            if self._file < 0:
                raise StoreUnusable(f"{self._path}: was closed")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
                try:
                    yield
                finally:
                    fcntl.flock(self._file, fcntl.LOCK_UN)
            except OSError as problem:
                kind = StoreFull if problem.errno in (errno.ENOSPC, errno.EDQUOT) else StoreUnusable
                raise kind(f"{self._path}: cannot be read or written ({problem.strerror})") from problem

    def _find(self, scope: Scope) -> tuple[int, Words]:
        """A gateway's record: where it is and what it says. Made where there is none."""
        remembered = self._places.get(scope)
        if remembered is not None:
            key, place = remembered
            record = os.pread(self._file, _END, place)
            if record.startswith(key):
                return place, array("Q", record[_KEY:])
        key = _key(scope)
        place = self._search(key)
        if place is None:
            place = self._search(_FREE)
            if place is None:
                place = os.fstat(self._file).st_size // RECORD * RECORD  # over what a kill left unfinished
            _write(self._file, key + bytes(RECORD - _KEY), place)
        if len(self._places) >= MAX_REMEMBERED:
            self._places.clear()
        self._places[scope] = key, place
        return place, array("Q", os.pread(self._file, _END, place)[_KEY:])

    def _search(self, key: bytes) -> int | None:
        """Look through the whole file: once for each gateway and process."""
        for place in range(0, os.fstat(self._file).st_size // RECORD * RECORD, RECORD):
            if os.pread(self._file, _KEY, place) == key:
                return place
        return None


def count(words: Words, rate: Rate, now_ms: int) -> int:
    """Count a request in a record where the rate allows it: 0. Else the ms until it will."""
    slots, kept = (SLOTS, SLOTS + 1) if rate.sliding else (1, 1)
    length = rate.interval * 1000
    kind = rate.interval << 1 | rate.sliding
    current, newest = now_ms * slots // length, words[_NEWEST]
    if words[_KIND] != kind or current < newest - slots:  # another rate; or the clock was set back
        words[_FIRST:] = array("Q", bytes(8 * (SLOTS + 1)))
        words[_KIND], words[_NEWEST] = kind, current
    elif current > newest:
        for slot in range(max(newest + 1, current - kept + 1), current + 1):
            words[_FIRST + slot % kept] = 0
        words[_NEWEST] = current
    else:
        current = newest
    passed = sum(words[_FIRST : _FIRST + kept])
    if passed < rate.limit:
        words[_FIRST + current % kept] += 1
        return 0
    slot, excess = current - kept, passed - rate.limit + 1
    while excess > 0:
        slot += 1
        excess -= words[_FIRST + slot % kept]
    return -(-(slot + kept) * length // slots) - now_ms  # rounded up: a moment earlier it would be refused again


def _key(scope: Scope) -> bytes:
    return sha256(f"{scope.account_id}/{scope.gateway_id}".encode()).digest()


def _write(file: int, data: bytes, place: int) -> None:
    if os.pwrite(file, data, place) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
