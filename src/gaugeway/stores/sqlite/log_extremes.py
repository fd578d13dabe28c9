"""The lowest and highest figures of logs, in one pass."""

from __future__ import annotations

from decimal import Decimal

from gaugeway.core.ports import Extremes
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import TOKENS
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.log_rows import cost_of

_EXTREMES = ("duration", "tokens_in", "tokens_out", TOKENS)


def extremes(connection: Connection, found: Found) -> Extremes:
    """Lowest and highest figures. In a read transaction."""
    figures = [f"{side}({column})" for column in ("cost", *_EXTREMES) for side in ("min", "max")]
    sql = f"SELECT {', '.join(figures)} {found.sql}"
    low, high, *others = connection.execute(sql, found.condition.bindings).fetchone()
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
