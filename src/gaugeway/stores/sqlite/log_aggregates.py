"""Aggregates over logs, all of them in one pass: of all logs found, or of each group of them.

Sums are exact. Three rare cases take a second query: costs finer than 1e-12 dollars, sums beyond 64 bits, and
distributions longer than SQLite's longest text. Scores and what the cache saved always take one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import apsw
from msgspec import Struct

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Distribution, Op
from gaugeway.stores.sqlite.conditions import Condition
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.log_rows import MAX_FRACTION, decode_rest

Label = int | str | None
"""What a group is called in the database: a word's code, or a text; None for all logs, or those of no group."""

DOLLAR = 10**12
_NUMBER = "count(*)"
_HALF = 32
"""Sums that overflow 64 bits are made of the columns' halves of this many bits."""

_GENERATED = "outcome = 0 AND tokens_out > 0 AND duration > 0"
EXPRESSIONS: Mapping[Column, str] = {
    **{column: column.value for column in Column},
    Column.SUCCESS: "(outcome <= 1)",
    Column.CACHED: "(outcome = 1)",
    Column.GENERATED_TOKENS: f"CASE WHEN {_GENERATED} THEN tokens_out END",
    Column.GENERATED_MS: f"CASE WHEN {_GENERATED} THEN duration END",
    Column.GENERATED_TOKENS_MS: f"CASE WHEN {_GENERATED} THEN 1.0 * tokens_out * duration END",
}
"""Each column as SQL over `logs`; COST_SAVED stands in `rest`, and is read apart."""

_ALWAYS_KNOWN = (Column.DURATION, Column.SUCCESS, Column.CACHED)
_SCALES = {Column.COST: -12}
_COST_SUM = Aggregate(Op.SUM, Column.COST)
_SCORE_SUM = Aggregate(Op.SUM, Column.SCORE)

ALL = Condition("NULL")
"""The label of everything."""


class _Group(Struct):
    total: int
    values: dict[Aggregate, Decimal]
    distributions: dict[Column, Distribution]


def aggregate(connection: Connection, found: Found, wanted: Sequence[Aggregate]) -> Aggregated:
    """All figures of the logs found. In a read transaction, as rare cases need a second query."""
    return aggregate_by(connection, found, wanted, ALL)[None]


def aggregate_by(
    connection: Connection, found: Found, wanted: Sequence[Aggregate], label: Condition
) -> dict[Label, Aggregated]:
    """All figures of each group of the logs found; of ALL there is one, whatever is found."""
    saved = [item for item in wanted if item.column is Column.COST_SAVED]
    plain = list(dict.fromkeys(item for item in wanted if item != _SCORE_SUM and item not in saved))
    query = _Query(connection, found, label)
    with localcontext(prec=MAX_FRACTION + 60):
        try:
            groups = _groups(query, plain, halves=False)
        except apsw.SQLError as problem:
            if "integer overflow" not in str(problem):
                raise
            groups = _groups(query, plain, halves=True)
        if _COST_SUM in plain:
            _add_fractions(query, groups)
        if _SCORE_SUM in wanted:
            _add_scores(query, groups)
        if saved:
            _add_savings(query, groups, saved)
    return {name: Aggregated(one.total, one.values, one.distributions) for name, one in groups.items()}


def of_none(wanted: Sequence[Aggregate]) -> Aggregated:
    """All figures of no log."""
    distributions = {item.column: Distribution.of(()) for item in wanted if item.op is Op.DISTRIBUTION}
    numbers = [item for item in wanted if item.op is not Op.DISTRIBUTION]
    return Aggregated(0, dict.fromkeys(numbers, Decimal(0)), distributions)


class _Query(Struct, frozen=True):
    """Which logs, and what parts them."""

    connection: Connection
    found: Found
    label: Condition

    def rows(self, figures: str, then: str = "", more: str = "", source: str = "logs") -> Any:
        """The label and figures of the logs found (of those that also meet `more`), with `then` after it all."""
        condition = self.found.condition
        sql = (
            f"SELECT {self.label.sql}, {figures} FROM {source}"  # noqa: S608 - see conditions.py
            f" WHERE {condition.sql} {more} {then}"
        )
        return self.connection.execute(sql, (*self.label.bindings, *condition.bindings))

    @property
    def grouping(self) -> str:
        """What makes groups of them."""
        return "" if self.label == ALL else "GROUP BY 1"


def _groups(query: _Query, wanted: Sequence[Aggregate], *, halves: bool) -> dict[Label, _Group]:
    """What one pass tells, in the units of the outside, but costs whole 1e-12 dollars only."""
    numbers = [item for item in wanted if item.op is not Op.DISTRIBUTION]
    spread = [item.column for item in wanted if item.op is Op.DISTRIBUTION]
    figures = [part for item in numbers for part in (_halves(item) if halves else (_figure(item),))]
    groups: dict[Label, _Group] = {}
    rows: list[Any]
    try:
        rows = _pass(query, [*figures, *map(_listed, spread)])
    except apsw.TooBigError:  # more text than SQLite holds: counted instead, which takes longer
        rows = [(*row, *[None] * len(spread)) for row in _pass(query, figures)]
    for label, total, *parts in rows:
        sums: list[Any] = parts[: len(figures)]
        texts: list[Any] = parts[len(figures) :]
        if halves:
            sums = [high * (1 << _HALF) + low for high, low in zip(sums[::2], sums[1::2], strict=True)]
        values = {item: _scaled(item, number) for item, number in zip(numbers, sums, strict=True)}
        distributions = {
            column: _distribution(column, text) for column, text in zip(spread, texts, strict=True) if text
        }
        groups[label] = _Group(total, values, distributions)
    _complete(query, groups, spread)
    return groups


def _pass(query: _Query, figures: Sequence[str]) -> list[Any]:
    """Label, number of logs and figures of each group; what `counts` has told already is not counted again."""
    known = query.found.total if query.label == ALL else None
    wanted = (_NUMBER, *figures)
    asked = [figure for figure in wanted if figure != _NUMBER or known is None]
    rows: list[Any] = []
    if not asked:
        rows.append((None, *[known] * len(wanted)))
        return rows
    for label, *found in query.rows(", ".join(asked), query.grouping):
        answers = iter(found)
        rows.append((label, *(next(answers) if figure != _NUMBER or known is None else known for figure in wanted)))
    return rows


def _complete(query: _Query, groups: dict[Label, _Group], spread: Sequence[Column]) -> None:
    """Distributions that the pass has not told: of groups where none is known, or too long for a text."""
    for column in spread:
        lacking = {label: one for label, one in groups.items() if column not in one.distributions}
        counted: dict[Label, list[tuple[float, int]]] = {label: [] for label in lacking}
        if lacking:
            expression = EXPRESSIONS[column]
            known = f"AND ({expression}) IS NOT NULL"
            for label, value, number in query.rows(f"{expression}, count(*)", "GROUP BY 1, 2", known):
                if label in counted:
                    counted[label].append((value / DOLLAR if column is Column.COST else value, number))
        for label, one in lacking.items():
            pairs = counted[label]
            one.distributions[column] = Distribution.of([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _figure(item: Aggregate) -> str:
    column = EXPRESSIONS[item.column]
    match item.op:
        case Op.COUNT:
            return _NUMBER if item.column in _ALWAYS_KNOWN else f"count({column})"
        case Op.SUM:
            return f"coalesce(sum({column}), 0)"
        case Op.SUM_SQUARES:
            return f"total(({column}) * ({column}))"  # exact below 2^63, then to 15 digits; never an overflow
        case Op.DISTRIBUTION:
            return _listed(item.column)
        case Op.COUNT_EQUAL:
            return f"count(*) FILTER (WHERE {_equal(item)})"


def _equal(item: Aggregate) -> str:
    if item.value is None:
        raise ValueError(f"count_equal of {item.column} needs a value")
    if item.column is Column.COST:
        return f"cost = {item.value * DOLLAR} AND cost_fraction IS NULL"
    return f"({EXPRESSIONS[item.column]}) = {item.value}"


def _halves(item: Aggregate) -> tuple[str, str]:
    """The upper and lower half of a figure."""
    column = EXPRESSIONS[item.column]
    if item.op is not Op.SUM or item.column is Column.GENERATED_TOKENS_MS:
        return "0", _figure(item)
    return (
        f"coalesce(sum(({column}) >> {_HALF}), 0)",
        f"coalesce(sum(({column}) & {(1 << _HALF) - 1}), 0)",
    )


def _listed(column: Column) -> str:
    """All values of a column as one text: a hundred times faster into numpy than row by row."""
    if column is Column.SCORE:
        return "group_concat(iif(score IS NULL, NULL, printf('%!.17g', score)))"
    return f"group_concat({EXPRESSIONS[column]})"


def _distribution(column: Column, text: str) -> Distribution:
    import numpy as np

    numbers = np.fromstring(text, dtype=np.float64, sep=",")
    return Distribution.of(numbers / DOLLAR if column is Column.COST else numbers)


def _scaled(item: Aggregate, number: float) -> Decimal:
    if item.op is Op.SUM:
        return Decimal(number).scaleb(_SCALES.get(item.column, 0)) if number else Decimal(0)
    if item.op is Op.SUM_SQUARES:
        return Decimal(number).scaleb(2 * _SCALES.get(item.column, 0)) if number else Decimal(0)
    return Decimal(number)


def _add_fractions(query: _Query, groups: dict[Label, _Group]) -> None:
    """What the costs have beyond 1e-12 dollars."""
    rows = query.rows(
        "cost_fraction", more="AND cost_fraction IS NOT NULL", source="logs INDEXED BY cost_fractions"
    )
    for label, digits in rows:
        groups[label].values[_COST_SUM] += Decimal(int(digits)).scaleb(-12 - len(digits))


def _add_scores(query: _Query, groups: dict[Label, _Group]) -> None:
    """Scores are binary fractions: each distinct one is taken as the decimal that it is shown as."""
    for one in groups.values():
        one.values[_SCORE_SUM] = Decimal(0)
    for label, score, number in query.rows("score, count(*)", "GROUP BY 1, 2", "AND score IS NOT NULL"):
        groups[label].values[_SCORE_SUM] += Decimal(repr(score)) * number


def _add_savings(query: _Query, groups: dict[Label, _Group], wanted: Sequence[Aggregate]) -> None:
    """What the cache saved: 0 dollars for answers that did not come from it."""
    sums: dict[Label, tuple[int, Decimal, Decimal]] = dict.fromkeys(groups, (0, Decimal(0), Decimal(0)))
    unknown: dict[Label, int] = dict.fromkeys(groups, 0)
    equal = {item: dict.fromkeys(groups, 0) for item in wanted if item.op is Op.COUNT_EQUAL}
    for label, rest in query.rows("rest", more="AND outcome = 1"):
        saved = decode_rest(rest).cost_saved
        if saved is None:
            unknown[label] += 1
            continue
        number, total, squares = sums[label]
        sums[label] = number + 1, total + saved, squares + saved * saved
        for item, counts in equal.items():
            counts[label] += saved == item.value
    for label, one in groups.items():
        number, total, squares = sums[label]
        for item in wanted:
            one.values[item] = {
                Op.COUNT: Decimal(one.total - unknown[label]),
                Op.SUM: total,
                Op.SUM_SQUARES: squares,
            }.get(item.op, Decimal(0))
            if item.op is Op.COUNT_EQUAL:
                others = one.total - unknown[label] - number if item.value == 0 else 0
                one.values[item] = Decimal(equal[item][label] + others)
