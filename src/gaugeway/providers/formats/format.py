"""What a wire format has to know, and how its figures are checked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from itertools import chain, compress
from operator import is_
from typing import Any, Generic, Protocol, TypeVar, cast

from msgspec import Raw, Struct
from msgspec.structs import astuple, replace

from gaugeway.core.provider import Reported

D = TypeVar("D")
S = TypeVar("S", bound=Struct)

MAX_COUNT = 1 << 48
"""No request uses more of anything; a larger number is no count, and sums of them stay within 63 bits."""

MAX_SHOWN = 10**18
"""Larger numbers are not written out."""

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

    @property
    def beside(self) -> tuple[bytes, ...]:
        """JSON keys of what is billed too, and may stand in another document of a stream than its figures."""
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
    """The value where it is a possible count: a whole number from 0 to MAX_COUNT, 12.0 too. Else None."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    if isinstance(value, float | Decimal) and value == value and 0 <= value <= MAX_COUNT:  # noqa: PLR0124  no NaN
        whole = int(value)
        return whole if whole == value else None
    return None


_sound: set[type] = {int, type(None)}
"""The types of what fits: counts, what is not said, and the structs within structs, learnt as they come."""
_is_int = partial(is_, int)


def is_sound(*parts: Struct | None) -> bool:
    """Whether they say nothing but counts. As that is so nearly always, it is found out in C."""
    values = [*chain.from_iterable(map(astuple, filter(None, parts)))]
    if not _sound.issuperset(map(type, values)):
        return False
    counts: list[int] = [*compress(values, map(_is_int, map(type, values)))]
    return not counts or (min(counts) >= 0 and max(counts) <= MAX_COUNT)


def misfit(*parts: Struct | None, apart: frozenset[str] = frozenset()) -> str | None:
    """What is said and is no count, in words, for Usage.doubt: to leave it out would make a cost of the rest.

    `apart` are the fields, by their names in JSON, that are no counts. None: all others are, or are not said.
    """
    if is_sound(*parts):
        return None
    for part in filter(None, parts):
        for place, value in enumerate(astuple(part)):
            if value is None or (type(value) is int and 0 <= value <= MAX_COUNT):
                continue
            if isinstance(value, Struct):
                _sound.add(type(value))
                continue
            name = part.__struct_encode_fields__[place]
            if name not in apart and count(value) is None:
                return f"the provider's {name} is {_shown(value)}, which is no count"
    return None


def counted(part: S, apart: frozenset[str]) -> S:
    """The part with nothing in its fields but counts, those `apart` excepted: what is none is left out."""
    names = zip(part.__struct_fields__, part.__struct_encode_fields__, strict=True)
    said = {
        field: value
        for (field, name), value in zip(names, astuple(part), strict=True)
        if name not in apart and not isinstance(value, Struct)
    }
    return replace(part, **{field: count(value) for field, value in said.items()})


def _shown(value: object) -> str:
    """What was said in a few words; no text of the provider's, which may be anything."""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return f"{value}" if abs(value) < MAX_SHOWN else "a number beyond all bounds"
    return "a text" if isinstance(value, str) else "no number"


def dollars(value: object) -> Decimal | None:
    """The value where it is a possible amount: a finite JSON number, not negative, below a billion dollars."""
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value.is_signed() or value >= 10**9:
        return None
    return value


def charged(cost: object, is_byok: object, details: object) -> Decimal | None:
    """What OpenRouter says it charged; with a key of one's own, what the provider charges as well."""
    fee = dollars(cost)
    if is_byok is not True or fee is None:
        return fee
    beside = cast("dict[str, Any]", details) if isinstance(details, dict) else {}
    upstream = dollars(beside.get("upstream_inference_cost"))
    return None if upstream is None else fee + upstream


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
