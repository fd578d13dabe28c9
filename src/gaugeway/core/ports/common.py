"""What every port may speak of: a part of a list, and the time."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """Part of a list, and how long the whole list is (None: it would cost too much to know)."""

    items: list[T]
    total: int | None


class Clock(Protocol):
    """Wall-clock time."""

    def now_ms(self) -> int:
        """Unix time in ms."""
        ...
