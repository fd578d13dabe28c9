"""Groups of logs, and logs as items: by provider, model or event id, or by one entry of the metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaugeway.core.aggregates import Column
from gaugeway.core.query import Grouping
from gaugeway.stores.sqlite.conditions import Condition
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import metadata_entry
from gaugeway.stores.sqlite.log_aggregates import DOLLAR, EXPRESSIONS, Label
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.log_rows import decode_rest
from gaugeway.stores.sqlite.words import Word, Words

_KINDS = {"provider": Word.PROVIDER, "model": Word.MODEL}


def label(by: Grouping) -> Condition:
    """What groups the logs, as SQL."""
    return metadata_entry(by.key) if by.kind == "metadata" else Condition(by.kind)


def more_than(connection: Connection, found: Found, label: Condition, limit: int) -> bool:
    """Whether there are more groups than that. Stops counting there."""
    condition = found.condition
    sql = f"SELECT count(*) FROM (SELECT DISTINCT {label.sql} FROM logs WHERE {condition.sql} LIMIT ?)"  # noqa: S608 - see conditions.py
    number: int = connection.execute(sql, (*label.bindings, *condition.bindings, limit + 1)).get
    return number > limit


def name(connection: Connection, words: Words, by: Grouping, found: Label) -> str | None:
    """What a group is called outside."""
    kind = _KINDS.get(by.kind)
    return words.text(connection, kind, found) if kind is not None else None if found is None else str(found)


def items(
    connection: Connection, found: Found, columns: Sequence[Column], by: Grouping, limit: int
) -> list[tuple[Any, ...]] | None:
    """What each log is called, its id, and its columns; None where there are more logs than that."""
    name, condition = label(by), found.condition
    asked = [_SAVED if column is Column.COST_SAVED else EXPRESSIONS[column] for column in columns]
    figures = ", ".join([f"{name.sql} AS name", "id", *asked])
    sql = f"SELECT {figures} FROM logs WHERE {condition.sql} AND name IS NOT NULL"  # noqa: S608 - see conditions.py
    rows = connection.execute(f"{sql} LIMIT ?", (*name.bindings, *condition.bindings, limit + 1)).fetchall()
    if len(rows) > limit:
        return None
    return [(called, id_, *map(_in_own_units, columns, values)) for called, id_, *values in rows]


_SAVED = "CASE WHEN outcome = 1 THEN rest ELSE 0 END"


def _in_own_units(column: Column, value: bytes | float | None) -> float | None:
    if isinstance(value, bytes):
        saved = decode_rest(value).cost_saved
        return None if saved is None else float(saved)
    return value / DOLLAR if value is not None and column is Column.COST else value
