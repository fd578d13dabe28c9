"""Cached answers that a process has read and need not read again, as long as nobody has changed them.

Every key belongs to one of some thousand slots, each a number in the memory-mapped file `cache.slots`. Whoever
changes a key makes its slot's number odd before the change commits and another even number after, all while it has
the writers' turn (see config_version.py for the same with one number). So an answer that was read under an even
number is what the database holds for as long as that number stands: a change of any process, also of one that is
killed half way, is seen by the next look. Emptying a gateway changes the number that stands for all slots.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from gaugeway.core.ports import CachedAnswer
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.slots import map_numbers

SLOTS = 4096
MAX_BYTES = 16 * 1024 * 1024
"""Bytes of headers and bodies that one process remembers."""

MAX_ANSWER = 256 * 1024
"""Bytes of the largest that is worth it."""


class Remembered(Struct):
    """One answer, and the numbers under which it was read."""

    answer: CachedAnswer
    expires_at: int  # ms
    used_at: int  # ms, as last written down
    number: int
    number_of_all: int
    size: int


class Memory:
    """What this process has read. Shared by its threads, as far as single operations on a dict are."""

    def __init__(self, path: Path) -> None:
        self._map, self._numbers = map_numbers(path, SLOTS + 1)
        self._kept: dict[bytes, Remembered] = {}
        self._bytes = 0

    def numbers(self, key: bytes) -> tuple[int, int]:
        """Those of its slot and of all, to be read before the database is."""
        return self._numbers[(key[0] << 8 | key[1]) % SLOTS], self._numbers[SLOTS]

    def find(self, key: bytes, now_ms: int) -> Remembered | None:
        """The answer, where it still holds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.expires_at > now_ms and self.numbers(key) == (kept.number, kept.number_of_all):
            return kept
        self._drop(key)
        return None

    def remember(
        self, key: bytes, numbers: tuple[int, int], answer: CachedAnswer, *, expires: int, used: int
    ) -> None:
        """Keep what was read after `numbers` were, unless something has changed or is changing since."""
        size = len(answer.body) + 512
        if size > MAX_ANSWER or numbers[0] & 1 or numbers[1] & 1 or self.numbers(key) != numbers:
            return
        self._drop(key)
        while self._bytes + size > MAX_BYTES and self._kept:
            self._drop(next(iter(self._kept)))  # the longest remembered
        self._kept[key] = Remembered(answer, expires, used, *numbers, size)
        self._bytes += size

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size

    def change(self) -> Change:
        """A witness for a transaction that changes answers."""
        return Change(self._numbers)

    def mend(self) -> None:
        """Let no slot stay odd whose process died. Within a transaction, when nobody else can be changing it."""
        for slot, number in enumerate(self._numbers):
            if number & 1:
                self._numbers[slot] = number + 1

    def close(self) -> None:
        """Let go of the file."""
        self._kept.clear()
        self._numbers.release()
        self._map.close()


class Change:
    """A CommitWitness that is told which keys a transaction changes."""

    def __init__(self, numbers: memoryview) -> None:
        self._numbers = numbers
        self._slots: set[int] = set()

    def touch(self, key: bytes) -> None:
        """One key."""
        self._slots.add((key[0] << 8 | key[1]) % SLOTS)

    def touch_all(self) -> None:
        """Every key."""
        self._slots.add(SLOTS)

    def before_commit(self, connection: Connection) -> None:  # noqa: ARG002  the port's
        """See CommitWitness."""
        for slot in self._slots:
            self._numbers[slot] |= 1

    def after_commit(self, connection: Connection) -> None:  # noqa: ARG002  the port's
        """See CommitWitness."""
        for slot in self._slots:
            self._numbers[slot] += 1
