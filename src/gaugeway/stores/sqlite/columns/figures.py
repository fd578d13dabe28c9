"""Figures over a segment's columns. Sums are exact, whatever their size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from math import fsum
from typing import Any, cast

import numpy as np
from msgspec import Struct

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Distribution, Op
from gaugeway.stores.sqlite.columns.files import Array
from gaugeway.stores.sqlite.columns.harvest import KNOWN, SAVED, SAVED_FRACTION, SCORE
from gaugeway.stores.sqlite.columns.masks import Mask, Unanswerable, View, both
from gaugeway.stores.sqlite.log_rows import MAX_FRACTION

DOLLAR = 10**12
PRECISION = MAX_FRACTION + 60
_LIMB = 21
"""Bits of the pieces of which squares are made: products of two, of a block, add up within 64 bits."""
_LIMB_OF_ONES = (1 << _LIMB) - 1
_HALF = 32
_LOW = (1 << _HALF) - 1
_BLOCK = 1 << 15
_LONG = 1 << 63
_EXACT_FLOAT = 1 << 53
"""Whole numbers below are exact as binary floats, and so are sums that stay below."""
_FEW = 1 << 22
"""Numbers below are counted by place, which is faster than sorting."""

MAX_GROUPS = 200
"""Groups of one segment, each of which is a pass over it; of more SQLite tells."""

_SUCCESS, _CACHED = 1, 1  # outcomes up to, and equal to, which are so
_PLAIN = {
    Column.COST: "cost",
    Column.DURATION: "duration",
    Column.FIRST_BYTE_MS: "first_byte_ms",
    Column.TOKENS_IN: "tokens_in",
    Column.TOKENS_OUT: "tokens_out",
    Column.FEEDBACK: "feedback",
}
_SCALES = {Column.COST: -12, Column.COST_SAVED: -12}


class _Numbers(Struct):
    """A column of the logs that are meant: whole numbers in its unit, 0 where it is not known."""

    values: Array
    known: Mask
    largest: int
    fractions: Callable[[], Decimal]  # what the numbers lack, in dollars
    equal: Callable[[int], int]  # how many are known and equal a number, as COUNT_EQUAL has it

    @property
    def n(self) -> int:
        return len(self.values) if self.known is True else int(np.count_nonzero(self.known))


def figures(view: View, mask: Mask, wanted: Sequence[Aggregate]) -> Aggregated:
    """What the logs of a view that are meant come to. Raises Unanswerable."""
    if mask is False:
        return Aggregated(0, dict.fromkeys(_numbers_of(wanted), Decimal(0)), {})
    chosen = _Chosen(view, mask)
    values: dict[Aggregate, Decimal] = {}
    distributions: dict[Column, Distribution] = {}
    with localcontext(prec=PRECISION):
        for column in dict.fromkeys(item.column for item in wanted):
            asked = [item for item in wanted if item.column is column]
            if column is Column.SCORE:
                _add_scores(chosen, asked, values, distributions)
                continue
            numbers = chosen.numbers(column)
            for item in asked:
                if item.op is Op.DISTRIBUTION:
                    distributions[column] = _distribution(numbers, column)
                else:
                    values[item] = _value(numbers, item)
    return Aggregated(chosen.total, values, distributions)


def groups(view: View, mask: Mask, wanted: Sequence[Aggregate], by: str) -> dict[str | None, Aggregated]:
    """What the logs of each text of a column come to; None is the group of those without. Raises Unanswerable."""
    if mask is False or not len(view):
        return {}
    names, codes = [None, *view.texts(by)], view.column(by)
    times = np.bincount(codes if mask is True else codes[mask], minlength=len(names))
    present: list[int] = np.flatnonzero(times).tolist()
    if len(present) > MAX_GROUPS:
        raise Unanswerable(by)
    return {names[code]: figures(view, both(mask, codes == code), wanted) for code in present}


def added(parts: Iterable[Aggregated], wanted: Sequence[Aggregate]) -> Aggregated:
    """The figures of all the logs of several parts, none of which is in two of them."""
    together = list(parts)
    with localcontext(prec=PRECISION):
        values = {item: sum((part.values[item] for part in together), Decimal(0)) for item in _numbers_of(wanted)}
    spread = dict.fromkeys(item.column for item in wanted if item.op is Op.DISTRIBUTION)
    return Aggregated(
        sum(part.total for part in together),
        values,
        {column: _joined([part.distributions.get(column) for part in together]) for column in spread},
    )


def _joined(parts: Iterable[Distribution | None]) -> Distribution:
    known = [part for part in parts if part is not None and part.n]
    if not known:
        return Distribution.of(())
    if len(known) == 1:
        return known[0]
    return Distribution.of(
        np.concatenate([part.values for part in known]), np.concatenate([part.counts for part in known])
    )


def _numbers_of(wanted: Sequence[Aggregate]) -> list[Aggregate]:
    return [item for item in wanted if item.op is not Op.DISTRIBUTION]


class _Chosen:
    """The logs of a view that are meant."""

    def __init__(self, view: View, mask: Mask) -> None:
        self._view = view
        self._places: Array | None = None if mask is True else np.flatnonzero(mask)
        self.total = len(view) if self._places is None else len(self._places)
        self._taken: dict[str, Array] = {}
        self._made: Array | None = None

    def column(self, name: str) -> Array:
        """A column of theirs. Raises Unanswerable."""
        taken = self._taken.get(name)
        if taken is None:
            whole = self._view.column(name)
            if self._places is None:
                taken = whole
            elif not whole.strides[0]:  # all are equal
                taken = np.broadcast_to(whole[:1], self.total) if self.total else whole[:0]
            else:
                taken = whole.take(self._places)
            self._taken[name] = taken
        return taken

    def known(self, name: str) -> Mask:
        """Of which of them a number is known."""
        return self.column(name + KNOWN) if self._view.has(name + KNOWN) else True

    def codes(self, name: str) -> tuple[Array, list[Any]]:
        """How often each code occurs, and what the codes from 1 on mean. Raises Unanswerable."""
        meanings = self._view.texts(name)
        if not meanings:
            return np.array([self.total]), meanings
        return np.bincount(self.column(name), minlength=len(meanings) + 1), meanings

    def numbers(self, column: Column) -> _Numbers:
        """Raises Unanswerable."""
        match column:
            case Column.SUCCESS:
                return _whole((self.column("outcome") <= _SUCCESS).view(np.uint8), True, 1)
            case Column.CACHED:
                return _whole((self.column("outcome") == _CACHED).view(np.uint8), True, 1)
            case Column.COST:
                return self._money("cost", "cost_fraction")
            case Column.COST_SAVED:
                return self._money(SAVED, SAVED_FRACTION)
            case Column.GENERATED_TOKENS:
                return self._of_generated("tokens_out")
            case Column.GENERATED_MS:
                return self._of_generated("duration")
            case Column.GENERATED_TOKENS_MS:
                return self._products()
            case _:
                name = _PLAIN[column]
                return _whole(self.column(name), self.known(name), self._view.largest(name))

    def _money(self, name: str, fraction: str) -> _Numbers:
        values, known = self.column(name), self.known(name)

        def fractions() -> Decimal:
            times, texts = self.codes(fraction)
            pairs = zip(texts, times[1:].tolist(), strict=True)
            return sum(
                (int(digits) * Decimal(number).scaleb(-12 - len(digits)) for digits, number in pairs), Decimal(0)
            )

        def equal(dollars: int) -> int:
            same = (values == dollars * DOLLAR) & (self.column(fraction) == 0)
            return int(np.count_nonzero(same if known is True else same & known))

        return _Numbers(values, known, self._view.largest(name), fractions, equal)

    def _generated(self) -> Array:
        """Which of them tell how fast tokens come (core.aggregates.GENERATED)."""
        made = self._made
        if made is None:
            made = (self.column("outcome") == 0) & (self.column("tokens_out") > 0)
            made = self._made = made & (self.column("duration") > 0)
        return made

    def _of_generated(self, name: str) -> _Numbers:
        made = self._generated()
        return _whole(self.column(name) * made, made, self._view.largest(name))

    def _products(self) -> _Numbers:
        largest = self._view.largest("tokens_out") * self._view.largest("duration")
        if largest * max(self.total, 1) >= _EXACT_FLOAT:
            raise Unanswerable("products that SQLite rounds, as it does")
        made = self._generated()
        tokens: Array = self.column("tokens_out") * made
        kind = np.int32 if largest < 1 << 31 else np.int64
        return _whole(tokens.astype(kind) * self.column("duration").astype(kind), made, largest)


def _whole(values: Array, known: Mask, largest: int) -> _Numbers:
    def equal(wanted: int) -> int:
        same = values == wanted
        return int(np.count_nonzero(same if known is True else same & known))

    return _Numbers(values, known, largest, lambda: Decimal(0), equal)


def _value(numbers: _Numbers, item: Aggregate) -> Decimal:
    scale = _SCALES.get(item.column, 0)
    match item.op:
        case Op.COUNT:
            return Decimal(numbers.n)
        case Op.SUM:
            return Decimal(_sum(numbers)).scaleb(scale) + numbers.fractions()
        case Op.COUNT_EQUAL:
            return Decimal(numbers.equal(_wanted(item)))
        case Op.SUM_SQUARES if item.column is Column.COST_SAVED:
            if numbers.fractions():
                raise Unanswerable("squares of amounts finer than 1e-12 dollars")
            return Decimal(_squares(numbers)).scaleb(2 * scale)
        case Op.SUM_SQUARES:
            return Decimal(float(_squares(numbers))).scaleb(2 * scale)  # as SQLite tells it
        case _:
            raise Unanswerable(item.op)


def _wanted(item: Aggregate) -> int:
    if item.value is None:
        raise ValueError(f"count_equal of {item.column} needs a value")
    return item.value


def _sum(numbers: _Numbers) -> int:
    values = numbers.values
    if numbers.largest * len(values) < _LONG:
        return int(values.sum(dtype=np.int64))
    return (int((values >> _HALF).sum(dtype=np.int64)) << _HALF) + int((values & _LOW).sum(dtype=np.int64))


def _squares(numbers: _Numbers) -> int:
    """The sum of their squares, a block at a time, so that what is in between stays near the processor."""
    square = _square
    if numbers.largest**2 * _BLOCK < _EXACT_FLOAT:
        square = _square_of_small
    elif numbers.largest < 1 << _HALF - 1:
        square = _square_of_halves
    values = numbers.values
    return sum(square(values[begin : begin + _BLOCK]) for begin in range(0, len(values), _BLOCK))


def _square_of_small(values: Array) -> int:
    exact: Array = values.astype(
        np.float64
    )  # whose product `@` would go to several threads, which wait for each other
    return int((exact * exact).sum())


def _square_of_halves(values: Array) -> int:
    squares: Array = values.astype(np.int64, copy=False) ** 2
    return (int((squares >> _HALF).sum()) << _HALF) + int((squares & _LOW).sum())


def _square(values: Array) -> int:
    low, middle, high = values & _LIMB_OF_ONES, (values >> _LIMB) & _LIMB_OF_ONES, values >> 2 * _LIMB
    products = (
        low @ low,
        2 * int(low @ middle),
        middle @ middle + 2 * (low @ high),
        2 * int(middle @ high),
        high @ high,
    )
    return sum(int(product) << place * _LIMB for place, product in enumerate(products))


def _distribution(numbers: _Numbers, column: Column) -> Distribution:
    if column is Column.COST_SAVED:
        raise Unanswerable("a distribution that is not to be had")
    values = numbers.values if numbers.known is True else numbers.values[cast("Array", numbers.known)]
    if numbers.largest < _FEW and not (len(values) and values.min() < 0):
        every: Array = np.bincount(values)
        items: Array = np.flatnonzero(every)
        times: Array = every[items]
    else:
        items, times = np.unique(values, return_counts=True)
    if column is Column.COST:
        return Distribution.of(items / DOLLAR, times)
    return Distribution(items.astype(np.float64), np.cumsum(times, dtype=np.int64))


def _add_scores(
    chosen: _Chosen,
    asked: Sequence[Aggregate],
    values: dict[Aggregate, Decimal],
    distributions: dict[Column, Distribution],
) -> None:
    """Scores are binary fractions: each distinct one is taken as the decimal that it is shown as."""
    times, scores = chosen.codes(SCORE)
    pairs = [(score, number) for score, number in zip(scores, times[1:].tolist(), strict=True) if number]
    for item in asked:
        match item.op:
            case Op.COUNT:
                values[item] = Decimal(sum(number for _, number in pairs))
            case Op.SUM:
                values[item] = sum((Decimal(repr(score)) * number for score, number in pairs), Decimal(0))
            case Op.SUM_SQUARES:
                values[item] = Decimal(fsum(score * score * number for score, number in pairs))
            case Op.COUNT_EQUAL:
                values[item] = Decimal(sum(number for score, number in pairs if score == _wanted(item)))
            case Op.DISTRIBUTION:
                distributions[Column.SCORE] = Distribution.of(
                    [one for one, _ in pairs], [number for _, number in pairs]
                )
