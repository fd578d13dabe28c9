"""`core.query` filters over a segment's columns: which of its logs are meant.

Every rule here is that of `filters.py`, said once more; what is not known here is left to SQLite (Unanswerable).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, cast

import numpy as np

from gaugeway.core.ids import first_at
from gaugeway.core.model import Join
from gaugeway.core.query import KEYS, Criterion, Filter, Kind, Operator, Where, entry_of
from gaugeway.stores.sqlite.columns.files import Array, Mapped
from gaugeway.stores.sqlite.columns.harvest import KNOWN, METADATA, VALUES
from gaugeway.stores.sqlite.filters import MAX_MS, span_of
from gaugeway.stores.sqlite.log_rows import AUTHENTICATION, LARGEST_COST, split_cost
from gaugeway.stores.sqlite.metadata_text import split_keys, split_values
from gaugeway.stores.sqlite.text_matching import contains, fold

Mask = Array | bool
"""Which logs: one truth each, or one for all."""

TEXTS = (
    "provider",
    "model",
    "model_type",
    "request_type",
    "request_content_type",
    "response_content_type",
    "user_agent",
    "event_id",
)
NUMBERS = ("duration", "feedback", "tokens_in", "tokens_out")
NOT_PROJECTED = ("compatibilityMode",)
"""Keys of filters that only SQLite answers: paths have no column here."""
FIELDS = ("alternatives", "search", "until_ms", "entries")


class Unanswerable(Exception):
    """The columns do not tell: SQLite does."""


class View:
    """Some of a segment's logs, one after the other."""

    def __init__(self, mapped: Mapped, begin: int, end: int) -> None:
        self._mapped = mapped
        self._begin = begin
        self._end = end

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def ids(self) -> Array:
        """Ascending."""
        return self._mapped.column("id")[self._begin : self._end]

    def has(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return name in self._mapped

    def column(self, name: str) -> Array:
        """A column. Raises Unanswerable."""
        if name not in self._mapped:
            raise Unanswerable(name)
        return self._mapped.column(name)[self._begin : self._end]

    def largest(self, name: str) -> int:
        """No number in a column is further from 0."""
        return self._mapped.largest(name)

    def known(self, name: str) -> Mask:
        """Which logs have a number."""
        return self.column(name + KNOWN) if self.has(name + KNOWN) else True

    def texts(self, name: str) -> list[Any]:
        """What the codes of a column mean, from 1 on. Raises Unanswerable."""
        if not self.has(name):
            raise Unanswerable(name)
        return self._mapped.packed(name + VALUES)


def where_mask(where: Where, view: View) -> Mask:
    """The logs that are meant. Raises Unanswerable."""
    if where.__struct_fields__ != FIELDS:
        raise Unanswerable("a Where that says more than was known here")
    mask: Mask = False
    for criteria in where.alternatives:
        mask = either(mask, _all_of(criteria, view))
        if mask is True:
            break
    if where.search is not None:
        needles = (fold(where.search),)
        mask = both(mask, _pairs_that(view, lambda keys, values: _found(keys, needles) or _found(values, needles)))
    for key, value in where.entries:
        mask = both(mask, _entry_mask(view, key, lambda text, value=value: text == value))
    if where.until_ms is not None and where.until_ms < MAX_MS:
        end = first_at(where.until_ms + 1) if where.until_ms >= 0 else b""
        mask = both(mask, _between(view, b"", end))
    return mask


def both(one: Mask, other: Mask) -> Mask:
    """Where both are true."""
    if one is True or other is False:
        return other
    if other is True or one is False:
        return one
    return one & other


def either(one: Mask, other: Mask) -> Mask:
    """Where one of them is true."""
    if one is False or other is True:
        return other
    if other is False or one is True:
        return one
    return one | other


def opposite(mask: Mask) -> Mask:
    """Where it is false."""
    return (not mask) if isinstance(mask, bool) else ~mask


def place(ids: Array, wanted: bytes) -> int:
    """How many of the ids, which ascend, are lower than another, of any length."""
    if len(wanted) > ids.dtype.itemsize:  # beyond the one that it begins with
        return int(ids.searchsorted(np.array(wanted[: ids.dtype.itemsize], ids.dtype), "right"))
    return int(ids.searchsorted(np.array(wanted, ids.dtype), "left"))


def _all_of(criteria: Sequence[Criterion], view: View) -> Mask:
    mask: Mask = True
    for item in criteria:
        mask = both(mask, _meets(item, view))
    return mask


def _meets(item: Criterion, view: View) -> Mask:
    if isinstance(item, Filter):
        return _passes(item, view)
    if item.join is Join.ALL_OF:
        return _all_of(item.criteria, view)
    some: Mask = False
    for inner in item.criteria:
        some = either(some, _meets(inner, view))
    if item.join is Join.ANY_OF:
        return some
    if item.join is Join.NONE_OF:
        return opposite(some)
    raise Unanswerable(item.join)


def _passes(item: Filter, view: View) -> Mask:
    key = item.key
    name = entry_of(key)
    if name is not None:
        return _entry_passes(item, name, view)
    kind = KEYS.get(key)
    if key == "dlp_action":
        return item.operator is Operator.EQ and None in item.values
    if key in ("metadata.key", "metadata.value"):
        return _metadata_passes(item, view)
    if kind is Kind.TEXT and key in TEXTS:
        return _text_passes(item, view)
    if kind is Kind.FLAG:
        return _flag_passes(item, view)
    if kind is Kind.MONEY:
        return _money_passes(item, view)
    if kind in (Kind.TIME, Kind.ID):
        return _place_passes(item, view)
    if key == "tokens" or key in NUMBERS:
        return _number_passes(item, view)
    raise Unanswerable(key)


def _judged(item: Filter, known: Mask, equal: Callable[[], Mask]) -> Mask:
    """What eq and neq make of equality."""
    if item.operator is Operator.EQ:
        return either(equal(), opposite(known) if None in item.values else False)
    if item.operator is Operator.NEQ:
        return both(known, opposite(equal()))
    raise Unanswerable(item.operator)


def _texts_that(item: Filter) -> Callable[[list[str]], bool]:
    """Whether a filter finds what it looks for among texts; what it says of that, the caller knows."""
    values = [cast("str", value) for value in item.values if value is not None]
    if item.operator in (Operator.EQ, Operator.NEQ):
        wanted = frozenset(values)
        return lambda texts: not wanted.isdisjoint(texts)
    if item.operator in (Operator.CONTAINS, Operator.NOT_CONTAINS):
        needles = tuple(fold(value) for value in values)
        return lambda texts: any(contains(text, needles) for text in texts)
    raise Unanswerable(item.operator)


def _text_mask(item: Filter, codes: Array, lists: Sequence[list[str] | None]) -> Mask:
    """A filter on texts, given each code's own; None where its logs have none."""
    finds = _texts_that(item)
    wants_none = item.operator is Operator.EQ and None in item.values
    negative = item.operator in (Operator.NEQ, Operator.NOT_CONTAINS)
    truths = [wants_none, *(wants_none if texts is None else finds(texts) != negative for texts in lists)]
    return _by_code(truths, codes)


def _by_code(truths: Sequence[bool], codes: Array) -> Mask:
    if all(truths):
        return True
    if not any(truths):
        return False
    if sum(truths) == 1:
        return codes == truths.index(True)
    return np.array(truths)[codes]


def _text_passes(item: Filter, view: View) -> Mask:
    return _text_mask(item, view.column(item.key), [[text] for text in view.texts(item.key)])


def _metadata_passes(item: Filter, view: View) -> Mask:
    part = 0 if item.key == "metadata.key" else 1
    split = (split_keys, split_values)[part]
    return _text_mask(item, view.column(METADATA), [split(pair[part]) for pair in view.texts(METADATA)])


def _entry_passes(item: Filter, name: str, view: View) -> Mask:
    entries = [_entry(keys, values, name) for keys, values in view.texts(METADATA)]
    return _text_mask(item, view.column(METADATA), [None if text is None else [text] for text in entries])


def _entry(keys: str, values: str, name: str) -> str | None:
    known = split_keys(keys)
    return split_values(values)[known.index(name)] if name in known else None


def _entry_mask(view: View, name: str, accepts: Callable[[str], bool]) -> Mask:
    entries = [_entry(keys, values, name) for keys, values in view.texts(METADATA)]
    return _by_code([False, *(text is not None and accepts(text) for text in entries)], view.column(METADATA))


def _pairs_that(view: View, accepts: Callable[[list[str], list[str]], bool]) -> Mask:
    pairs = view.texts(METADATA)
    return _by_code(
        [False, *(accepts(split_keys(keys), split_values(values)) for keys, values in pairs)], view.column(METADATA)
    )


def _found(texts: list[str], needles: tuple[str, ...]) -> bool:
    return any(contains(text, needles) for text in texts)


def _flag_passes(item: Filter, view: View) -> Mask:
    key = item.key
    if key == "wholesale":
        flag: Mask = False
    elif key == "success":
        flag = view.column("outcome") <= 1
    elif key == "cached":
        flag = view.column("outcome") == 1
    elif key == "authentication":
        flag = (view.column("flags") & AUTHENTICATION) == AUTHENTICATION
    else:
        raise Unanswerable(key)
    masks = [flag if value else opposite(flag) for value in item.values if value is not None]
    return _judged(item, True, lambda: reduce(either, masks, cast("Mask", False)))


def _number_passes(item: Filter, view: View) -> Mask:
    if item.key == "tokens":
        numbers: Array = view.column("tokens_in").astype(np.int64) + view.column("tokens_out")
        known = either(view.known("tokens_in"), view.known("tokens_out"))
    else:
        numbers, known = view.column(item.key), view.known(item.key)
    if item.operator is Operator.LT:
        return both(known, numbers < math.ceil(cast("int | Decimal", item.values[0])))
    if item.operator is Operator.GT:
        return both(known, numbers > math.floor(cast("int | Decimal", item.values[0])))
    return _judged(
        item,
        known,
        lambda: both(known, _among(numbers, [int(cast("int", v)) for v in item.values if v is not None])),
    )


def _among(numbers: Array, wanted: Sequence[int]) -> Mask:
    bounds = np.iinfo(numbers.dtype)
    possible = [value for value in wanted if bounds.min <= value <= bounds.max]
    if not possible:
        return False
    if len(possible) == 1:
        return numbers == possible[0]
    return np.isin(numbers, np.array(possible, numbers.dtype))


def _money_passes(item: Filter, view: View) -> Mask:
    known = view.known("cost")
    if item.operator in (Operator.LT, Operator.GT):
        return both(known, _cost_beyond(cast("Decimal", item.values[0]), view, below=item.operator is Operator.LT))
    amounts = [cast("Decimal", value) for value in item.values if value is not None]
    return _judged(
        item,
        known,
        lambda: both(known, reduce(either, (_cost_is(amount, view) for amount in amounts), cast("Mask", False))),
    )


def _cost_is(amount: Decimal, view: View) -> Mask:
    whole, digits = split_cost(amount)
    if abs(whole) > LARGEST_COST:
        return False
    fractions = view.texts("cost_fraction")
    truths = [not digits, *(digits == fraction for fraction in fractions)]
    return both(view.column("cost") == whole, _by_code(truths, view.column("cost_fraction")))


def _cost_beyond(amount: Decimal, view: View, *, below: bool) -> Mask:
    whole, digits = split_cost(amount)
    if abs(whole) > LARGEST_COST:
        return below == (whole > 0)
    costs = view.column("cost")
    beyond = costs < whole if below else costs > whole
    fractions = ["", *view.texts("cost_fraction")]
    truths = [fraction < digits if below else fraction > digits for fraction in fractions]
    return either(beyond, both(costs == whole, _by_code(truths, view.column("cost_fraction"))))


def _place_passes(item: Filter, view: View) -> Mask:
    """Times and ids: as these ascend, it is a question of places."""
    spans = [span_of(item.kind, value) for value in item.values if value is not None]
    if item.operator is Operator.LT:
        return _between(view, b"", spans[0][0])
    if item.operator is Operator.GT:
        return _between(view, spans[0][1], None)
    return _judged(
        item, True, lambda: reduce(either, (_between(view, *span) for span in spans), cast("Mask", False))
    )


def _between(view: View, low: bytes, high: bytes | None) -> Mask:
    begin = place(view.ids, low)
    end = len(view) if high is None else place(view.ids, high)
    if begin >= end:
        return False
    if begin == 0 and end == len(view):
        return True
    mask = np.zeros(len(view), np.bool_)
    mask[begin:end] = True
    return mask
