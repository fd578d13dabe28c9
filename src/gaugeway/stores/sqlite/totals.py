"""Sums over all logs that were ever written, by gateway and provider."""

from __future__ import annotations

from gaugeway.core.analytics import Total
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.gathering import SQL_SUMS, Gathered, add_row
from gaugeway.stores.sqlite.rollup_columns import BINS, RESTS
from gaugeway.stores.sqlite.words import Word, Words

_SOURCES = (("totals", "series", "TRUE"), ("rollup_changes", "change", "logs > 0"))
"""A table, its order, and the rows that count."""


def totals(connection: Connection, words: Words, account_id: str) -> list[Total]:
    """In the order in which each gateway and provider had its first log. In a read transaction."""
    sql = "SELECT gw, gateway_id FROM gateways WHERE account_id = ?"
    names: dict[int, str] = dict(connection.execute(sql, (account_id,)).fetchall())
    gathered: dict[tuple[int, int], Gathered] = {}
    for table, order, condition in _SOURCES:
        where = f"WHERE {condition} AND gw IN (SELECT gw FROM gateways WHERE account_id = ?)"  # noqa: S608 - names of our own
        sums = f"SELECT gw, provider, {SQL_SUMS} FROM {table} {where} GROUP BY 1, 2 ORDER BY min({order})"  # noqa: S608 - names of our own
        for gw, provider, *row in connection.execute(sums, (account_id,)):
            add_row(gathered.setdefault((gw, provider), Gathered()), row)
        bins = f"SELECT gw, provider, {', '.join((*BINS, *RESTS))} FROM {table} {where}"  # noqa: S608 - names of our own
        for gw, provider, *packed in connection.execute(bins, (account_id,)):
            gathered[gw, provider].add_packed(*packed)
    return [
        Total(names[gw], words.text(connection, Word.PROVIDER, provider) if provider else None, its.finish())
        for (gw, provider), its in gathered.items()
    ]
