"""Pages and counts of logs."""

from __future__ import annotations

from collections.abc import Callable

import apsw
from msgspec import Struct

from gaugeway.core.model import Scope
from gaugeway.core.query import Slice, Where
from gaugeway.stores.sqlite import log_counts
from gaugeway.stores.sqlite.conditions import FALSE, Condition
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import FAILURE, Selection, select
from gaugeway.stores.sqlite.log_rows import SELECT, Row
from gaugeway.stores.sqlite.words import Word, Words

MAX_ROWS = (1 << 63) - 1
PROGRESS_STEPS = 20_000
"""Steps of SQLite's machine between looks at the clock: about half a millisecond."""

FEW_FAILURES = 0.2
"""Up to this share of failures among a gateway's logs, they are found by the index `failures`."""

_TEXT_ORDERS = {"provider": Word.PROVIDER, "model": Word.MODEL, "model_type": Word.MODEL_TYPE}
_OTHER_ORDERS = {
    "success": "outcome <= 1",
    "cached": "outcome = 1",
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
    "duration": "duration",
    "feedback": "feedback",
}


class Found(Struct, frozen=True):
    """The logs of a gateway that are meant."""

    gw: int
    selection: Selection
    condition: Condition
    total: int | None  # how many, where `counts` tells

    @property
    def sql(self) -> str:
        """What follows SELECT."""
        return f"FROM logs WHERE {self.condition.sql}"


def find(connection: Connection, words: Words, scope: Scope, where: Where) -> Found | None:
    """What a `Where` means in a gateway; None where it is already known that no log matches."""
    gw = log_counts.find_gateway(connection, scope)
    if gw is None:
        return None
    selection = select(where, connection, words)
    condition = selection.within(gw)
    if condition == FALSE:
        return None
    total = _counted(connection, gw, selection.condition) if selection.counted else None
    return None if total == 0 else Found(gw, selection, condition, total)


def _counted(connection: Connection, gw: int, condition: Condition) -> int:
    sql = f"SELECT coalesce(sum(logs), 0) FROM counts WHERE gw = ? AND {condition.sql}"  # noqa: S608 - see conditions.py
    return connection.execute(sql, (gw, *condition.bindings)).get


def order_by(part: Slice) -> str:
    """The ORDER BY terms: the key, unknown values last, then time in the same direction."""
    direction = "DESC" if part.descending else "ASC"
    key = part.order_by
    if key == "created_at":
        return f"id {direction}"
    if key == "cost":
        return f"cost {direction} NULLS LAST, cost_fraction {direction}, id {direction}"
    if key in _TEXT_ORDERS:
        word = f"(SELECT text FROM words WHERE kind = {_TEXT_ORDERS[key].value} AND code = {key})"  # noqa: S608 - names of our own
        return f"CASE typeof({key}) WHEN 'text' THEN {key} ELSE {word} END {direction} NULLS LAST, id {direction}"
    return f"{_OTHER_ORDERS[key]} {direction} NULLS LAST, id {direction}"


def read_page(connection: Connection, found: Found, part: Slice) -> list[Row]:
    """The rows of a page, in its order."""
    if part.order_by == "created_at":
        return _ordered(connection, found, part, SELECT.removesuffix(" FROM logs"))
    ids = find_ids(connection, found, part)
    return connection.executemany(f"{SELECT} WHERE gw = ? AND id = ?", [(found.gw, id_) for id_ in ids]).fetchall()


def find_ids(connection: Connection, found: Found, part: Slice) -> list[bytes]:
    """The ids of a page, in its order."""
    return [id_ for (id_,) in _ordered(connection, found, part, "SELECT id")]


def _ordered(connection: Connection, found: Found, part: Slice, columns: str) -> list[Row]:
    offset = min(part.offset, MAX_ROWS)
    limit = min(part.limit, MAX_ROWS)
    if found.total is not None:
        limit = min(limit, found.total - offset)  # so that the walk ends with the last match
    if limit <= 0:
        return []
    return connection.execute(
        f"{columns} FROM {_source(connection, found)} WHERE {found.condition.sql}"
        f" ORDER BY {order_by(part)} LIMIT ? OFFSET ?",
        (*found.condition.bindings, limit, offset),
    ).fetchall()


def _source(connection: Connection, found: Found) -> str:
    """The table, with the index that the page is to be read by, where the planner cannot know."""
    if not found.selection.only_failures:
        return "logs"
    sql = f"SELECT sum(logs), sum(logs) FILTER (WHERE {FAILURE.sql}) FROM counts WHERE gw = ?"  # noqa: S608 - constant
    total, failures = connection.execute(sql, (found.gw,)).fetchone()
    return "logs INDEXED BY failures" if (failures or 0) <= FEW_FAILURES * (total or 0) else "logs"


def count(connection: Connection, found: Found, budget_ms: int | None, clock: Callable[[], float]) -> int | None:
    """How many logs match; None where that cannot be known within the budget."""
    if found.total is not None:
        return found.total
    sql = f"SELECT count(*) {found.sql}"
    if budget_ms is None:
        return connection.execute(sql, found.condition.bindings).get
    end = clock() + budget_ms / 1000
    connection.set_progress_handler(lambda: clock() > end, PROGRESS_STEPS)
    try:
        return connection.execute(sql, found.condition.bindings).get
    except apsw.InterruptError:
        return None
    finally:
        connection.set_progress_handler(None)
