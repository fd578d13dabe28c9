"""What a wire format has to know, and how its figures are checked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from msgspec import Raw

from gaugeway.core.provider import Reported

D = TypeVar("D")

MAX_COUNT = 1 << 48
"""No request uses more of anything; a larger number is no count, and sums of them stay within 63 bits."""

Counts = dict[str, int | float]

ABSENT = Raw()
"""Stands in a field of raw JSON for its absence."""


class Format(Protocol, Generic[D]):
    """A family of documents that report usage in one way. Methods are pure and never raise."""

    @property
    def markers(self) -> tuple[bytes, ...]:
        """JSON keys (with their quotes) of which each document with usage has one."""
        ...

    @property
    def opens_with_usage(self) -> bool:
        """Whether a stream's first event holds figures that its last one lacks."""
        ...

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:
        """What may stand for the missing part before a marked key, e.g. `{"response":{`.

        `head` is how the document began, where that is known.
        """
        ...

    def closing(self, head: bytes) -> bytes:
        """What may stand for the missing part after the model's name, `}` at the least."""
        ...

    def decode(self, document: bytes) -> D | None:
        """The fields that matter of one JSON document; None where it is unreadable or of another family."""
        ...

    def report(self, documents: Sequence[D]) -> Reported:
        """What documents of one answer say together, the earliest first; where they differ the later is right."""
        ...


def count(value: object) -> int | None:
    """The value where it is a possible count: a whole number from 0 to MAX_COUNT. Anything else is unreported."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def dollars(value: object) -> Decimal | None:
    """The value where it is a possible amount: a finite JSON number, not negative, below a billion dollars."""
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value.is_signed() or value >= 10**9:
        return None
    return value


def text(value: object) -> str | None:
    """The value where it is a name."""
    return value if isinstance(value, str) and 0 < len(value) <= 256 and value.isprintable() else None


def duration(value: object) -> float | None:
    """The value where it is a possible number of seconds."""
    if type(value) is int:
        return count(value)
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value <= MAX_COUNT:
        return float(value)
    return None


def note(counts: Counts, **values: object) -> None:
    """Add the named counts that are reported and not zero."""
    for name, value in values.items():
        if value is not None and (number := count(value)):
            counts[name] = number


def total(*values: int | None) -> int | None:
    """The sum of those reported; None where none is."""
    reported = [value for value in values if value is not None]
    return sum(reported) if reported else None


def is_object(raw: Raw) -> bool:
    """Whether raw JSON is an object."""
    return raw is not ABSENT and bytes(memoryview(raw)[:1]) == b"{"
