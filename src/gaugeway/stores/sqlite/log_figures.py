"""Aggregates and extremes over logs, each in one pass, exact."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import apsw

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.ports import Extremes
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import TOKENS
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.log_rows import MAX_FRACTION, cost_of

_DOLLAR = 10**12
_NUMBER = "count(*)"
_HALF = 32
"""Sums that overflow 64 bits are made of the columns' halves of this many bits."""


def aggregate(connection: Connection, found: Found, wanted: Sequence[Aggregate]) -> Aggregated:
    """All figures of the logs found. In a read transaction, as rare cases need a second query."""
    columns = dict.fromkeys(item for item in wanted if item != _SCORE_SUM)
    try:
        row = _one(connection, found, [_figure(item) for item in columns])
        sums = list(row[1:])
    except apsw.SQLError as problem:
        if "integer overflow" not in str(problem):
            raise
        row = _one(connection, found, [part for item in columns for part in _halves(item)])
        sums = [high * (1 << _HALF) + low for high, low in zip(row[1::2], row[2::2], strict=True)]
    values = {item: Decimal(number) for item, number in zip(columns, sums, strict=True)}
    with localcontext(prec=MAX_FRACTION + 60):
        if _COST_SUM in values:
            values[_COST_SUM] = values[_COST_SUM].scaleb(-12) + _fractions(connection, found)
        if _SCORE_SUM in wanted:
            values[_SCORE_SUM] = _score_sum(connection, found)
    return Aggregated(row[0], values)


def of_none(wanted: Sequence[Aggregate]) -> Aggregated:
    """All figures of no log."""
    return Aggregated(0, dict.fromkeys(wanted, Decimal(0)))


_COST_SUM = Aggregate(Op.SUM, Column.COST)
_SCORE_SUM = Aggregate(Op.SUM, Column.SCORE)


def _one(connection: Connection, found: Found, figures: Sequence[str]) -> list[Any]:
    """The number of logs, then the figures, in one pass; what `counts` has told already is not counted again."""
    wanted = (_NUMBER, *figures)
    asked = [figure for figure in wanted if figure != _NUMBER or found.total is None]
    sql = f"SELECT {', '.join(asked)} {found.sql}"
    answers = iter(connection.execute(sql, found.condition.bindings).fetchone() if asked else ())
    return [next(answers) if figure != _NUMBER or found.total is None else found.total for figure in wanted]


def _figure(item: Aggregate) -> str:
    column = item.column.value
    if item.op is Op.COUNT:
        return _NUMBER if item.column is Column.DURATION else f"count({column})"  # every log has a duration
    if item.op is Op.SUM:
        return f"coalesce(sum({column}), 0)"
    if item.value is None:
        raise ValueError(f"count_equal of {column} needs a value")
    if item.column is Column.COST:
        return f"count(*) FILTER (WHERE cost = {item.value * _DOLLAR} AND cost_fraction IS NULL)"
    return f"count(*) FILTER (WHERE {column} = {item.value})"


def _halves(item: Aggregate) -> tuple[str, str]:
    """The upper and lower half of a figure."""
    column = item.column.value
    if item.op is not Op.SUM:
        return "0", _figure(item)
    return (
        f"coalesce(sum({column} >> {_HALF}), 0)",
        f"coalesce(sum({column} & {(1 << _HALF) - 1}), 0)",
    )


def _fractions(connection: Connection, found: Found) -> Decimal:
    """What the costs have beyond 1e-12 dollars."""
    sql = (
        "SELECT cost_fraction FROM logs INDEXED BY cost_fractions"  # noqa: S608 - see conditions.py
        f" WHERE {found.condition.sql} AND cost_fraction IS NOT NULL"
    )
    rows = connection.execute(sql, found.condition.bindings)
    return sum((Decimal(int(digits)).scaleb(-12 - len(digits)) for (digits,) in rows), Decimal(0))


def _score_sum(connection: Connection, found: Found) -> Decimal:
    """Scores are binary fractions: each distinct one is taken as the decimal that it is shown as."""
    sql = f"SELECT score, count(*) {found.sql} AND score IS NOT NULL GROUP BY score"
    rows = connection.execute(sql, found.condition.bindings)
    return sum((Decimal(repr(score)) * number for score, number in rows), Decimal(0))


_EXTREMES = ("duration", "tokens_in", "tokens_out", TOKENS)


def extremes(connection: Connection, found: Found) -> Extremes:
    """Lowest and highest figures. In a read transaction."""
    figures = [f"{side}({column})" for column in ("cost", *_EXTREMES) for side in ("min", "max")]
    low, high, *others = _one(connection, found, figures)[1:]
    return Extremes(
        min_cost=_extreme_cost(connection, found, low, "ASC"),
        max_cost=_extreme_cost(connection, found, high, "DESC"),
        min_duration=others[0],
        max_duration=others[1],
        min_tokens_in=others[2],
        max_tokens_in=others[3],
        min_tokens_out=others[4],
        max_tokens_out=others[5],
        min_total_tokens=others[6],
        max_total_tokens=others[7],
    )


def _extreme_cost(connection: Connection, found: Found, whole: int | None, direction: str) -> Decimal | None:
    if whole is None or not _has_fractions(connection, found):
        return cost_of(whole, None)
    sql = f"SELECT cost_fraction {found.sql} AND cost = ? ORDER BY cost_fraction {direction} LIMIT 1"
    fraction: str | None = connection.execute(sql, (*found.condition.bindings, whole)).get
    return cost_of(whole, fraction)


def _has_fractions(connection: Connection, found: Found) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM logs WHERE gw = ? AND cost_fraction IS NOT NULL)"
    return bool(connection.execute(sql, (found.gw,)).get)
