"""What came from the upstream, as much as will be needed: the log's body and the figures at its end."""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

TAIL_BYTES = 64 * 1024
"""Kept from the end of an answer that is longer than the cap, because usage comes last."""

MARGIN = 4096
"""Kept beyond the cap, so that a credential that lies across the cap is still found and taken out."""


class Transcript(Struct, eq=False):
    """Collects an answer's chunks up to a cap, and beyond it only the last ones.

    `size` counts every byte. Adding is cheap: chunks are kept as they came and joined once, at the end.
    """

    cap: int
    size: int = 0
    _head: list[bytes] = field(default_factory=list[bytes])
    _tail: deque[bytes] | None = None
    _tail_size: int = 0
    _kept: int = 0  # bytes of the beginning

    def __post_init__(self) -> None:
        self._kept = self.cap + MARGIN

    def add(self, chunk: bytes) -> None:
        """Take the next chunk."""
        self.size = size = self.size + len(chunk)
        if size <= self._kept:
            self._head.append(chunk)
        else:
            self._add_beyond(chunk)

    def _add_beyond(self, chunk: bytes) -> None:
        if self._tail is None:
            room = self._kept - (self.size - len(chunk))
            self._head.append(chunk[:room])
            self._tail = deque()
            chunk = chunk[room:]
        self._add_to_tail(self._tail, chunk)

    def _add_to_tail(self, tail: deque[bytes], chunk: bytes) -> None:
        tail.append(chunk[-TAIL_BYTES:])
        self._tail_size += len(tail[-1])
        while self._tail_size - len(tail[0]) >= TAIL_BYTES:
            self._tail_size -= len(tail.popleft())

    @property
    def is_cut(self) -> bool:
        """Whether the middle is missing."""
        return self._tail is not None

    def head(self) -> bytes:
        """The beginning, up to the cap and MARGIN."""
        if len(self._head) > 1:
            self._head = [b"".join(self._head)]
        return self._head[0] if self._head else b""

    def head_and_tail(self) -> bytes:
        """Everything kept; where the middle is missing, a line break stands for it."""
        return self.head() if self._tail is None else b"\n".join((self.head(), b"".join(self._tail)))
