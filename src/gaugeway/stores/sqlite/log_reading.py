"""Pages and counts of logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import apsw
from msgspec import Struct, structs

from gaugeway.core.query import Slice, Where
from gaugeway.stores.sqlite.conditions import FALSE, TRUE, Condition, all_of
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_rows import SELECT, Row
from gaugeway.stores.sqlite.selecting import Selection, select
from gaugeway.stores.sqlite.words import Word, Words

T = TypeVar("T")

MAX_ROWS = (1 << 63) - 1
PROGRESS_STEPS = 20_000
"""Steps of SQLite's machine between looks at the clock: about half a millisecond."""

BODY_STEPS = 100
"""The same, where single steps look into bodies: a few logs."""

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


_GROUPS = {"provider": "provider", "model": "model", "success": "outcome <= 1", "cached": "outcome = 1"}
"""Orders in which few values part many logs, as `counts` knows them."""


class Found(Struct, frozen=True):
    """The logs of a gateway that are meant, or more of them that are easier to name: see `total`."""

    gw: int
    condition: Condition
    selection: Selection
    total: int | None  # how many match; None where that takes a walk
    share: float  # of the gateway's logs, how many may match

    @property
    def sql(self) -> str:
        """What follows SELECT."""
        return f"FROM logs WHERE {self.condition.sql}"


def find(connection: Connection, words: Words, gw: int | None, where: Where) -> Found | None:
    """What a `Where` means in a gateway; None where it is already known that no log matches."""
    if gw is None:
        return None
    selection = select(where, connection, words)
    return None if selection.condition == FALSE else _narrow(connection, gw, selection)


def _narrow(connection: Connection, gw: int, selection: Selection) -> Found | None:
    """What `counts` can tell of a selection: whether there are any, how many, and between which ids."""
    logs, oldest, newest, of_all = connection.execute(
        "SELECT sum(logs), min(oldest), max(newest), (SELECT logs FROM gateways WHERE gw = ?)"  # noqa: S608 - see conditions.py
        f" FROM counts WHERE gw = ? AND {selection.coarse.sql}",
        (gw, gw, *selection.coarse.bindings),
    ).fetchone()
    if not logs:
        return None
    low, high = max(selection.low, oldest), min(selection.high, newest + b"\x00")
    if low >= high:
        return None
    parts = [Condition("gw = ?", (gw,))]
    if low > oldest or selection.coarse != TRUE:
        parts.append(Condition("id >= ?", (low,)))
    if high <= newest or selection.coarse != TRUE:
        parts.append(Condition("id < ?", (high,)))
    total = logs if selection.counted and low == oldest and high > newest else None
    return Found(gw, all_of([*parts, selection.condition]), selection, total, logs / of_all)


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


def read_page(connection: Connection, found: Found, part: Slice, words: Words) -> list[Row]:
    """The rows of a page, in its order."""
    if part.order_by == "created_at":
        return _ordered(connection, found, part, SELECT.removesuffix(" FROM logs"))
    ids = find_ids(connection, found, part, words)
    return connection.executemany(f"{SELECT} WHERE gw = ? AND id = ?", [(found.gw, id_) for id_ in ids]).fetchall()


def find_ids(connection: Connection, found: Found, part: Slice, words: Words) -> list[bytes]:
    """The ids of a page, in its order."""
    if found.total is not None and part.order_by in _GROUPS:
        ids = _ids_by_group(connection, found, part, words)
        if ids is not None:
            return ids
    return [id_ for (id_,) in _ordered(connection, found, part, "SELECT id")]


def _ids_by_group(connection: Connection, found: Found, part: Slice, words: Words) -> list[bytes] | None:
    """The same, where few values order many logs: value by value, passing over those before the page.

    None where the values themselves are not known.
    """
    column = _GROUPS[part.order_by]
    kind = _TEXT_ORDERS.get(part.order_by)
    if kind is not None and words.has_spilled(connection, kind):
        return None
    coarse = found.selection.coarse
    groups: list[tuple[int, int]] = connection.execute(
        f"SELECT {column}, sum(logs) FROM counts WHERE gw = ? AND {coarse.sql} GROUP BY 1",  # noqa: S608 - see conditions.py
        (found.gw, *coarse.bindings),
    ).fetchall()
    if kind is not None:
        groups.sort(key=lambda group: words.text(connection, kind, group[0]) or "")
    ids: list[bytes] = []
    offset, limit = part.offset, part.limit
    for value, number in reversed(groups) if part.descending else groups:
        if offset < number and len(ids) < limit:
            of_group = Condition(f"{column} = {value}")
            within = structs.replace(
                found.selection,
                condition=all_of([found.selection.condition, of_group]),
                coarse=all_of([coarse, of_group]),
            )
            chosen = _narrow(connection, found.gw, within)
            piece = Slice(offset=offset, limit=limit - len(ids), descending=part.descending)
            if chosen is not None:
                ids += [id_ for (id_,) in _ordered(connection, chosen, piece, "SELECT id")]
        offset = max(offset - number, 0)
    return ids


def _ordered(connection: Connection, found: Found, part: Slice, columns: str) -> list[Row]:
    offset = min(part.offset, MAX_ROWS)
    limit = min(part.limit, MAX_ROWS)
    if found.total is not None:
        limit = min(limit, found.total - offset)  # so that the walk ends with the last match
    if limit <= 0:
        return []
    few_failures = found.selection.only_failures and found.share <= FEW_FAILURES
    source = "logs INDEXED BY failures" if few_failures else "logs"
    return connection.execute(
        f"{columns} FROM {source} WHERE {found.condition.sql} ORDER BY {order_by(part)} LIMIT ? OFFSET ?",
        (*found.condition.bindings, limit, offset),
    ).fetchall()


def count(connection: Connection, found: Found, budget_ms: int | None, clock: Callable[[], float]) -> int | None:
    """How many logs match; None where that cannot be known within the budget."""
    if found.total is not None:
        return found.total
    sql = f"SELECT count(*) {found.sql}"
    return within(
        connection, found, budget_ms, clock, lambda: connection.execute(sql, found.condition.bindings).get
    )


def within(
    connection: Connection, found: Found, budget_ms: int | None, clock: Callable[[], float], ask: Callable[[], T]
) -> T | None:
    """What `ask` reads of the logs found by the connection; None where it takes longer than the budget."""
    if budget_ms is None:
        return ask()
    end = clock() + budget_ms / 1000
    steps = BODY_STEPS if found.selection.reads_bodies else PROGRESS_STEPS
    connection.set_progress_handler(lambda: clock() > end, steps)
    try:
        return ask()
    except apsw.InterruptError:
        return None
    finally:
        connection.set_progress_handler(None)
