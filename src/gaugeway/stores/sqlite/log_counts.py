"""How many logs of each sort a gateway has, kept in the transactions that add and remove them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.connection import Connection

Sort = tuple[int | str, int | str, int]
"""A log's provider, model and outcome as its row has them."""

_UPSERT = (
    "INSERT INTO counts (gw, provider, model, outcome, logs, oldest, newest) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET logs = logs + excluded.logs,"
    " oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest)"
)


def add(connection: Connection, gw: int, logs: Sequence[tuple[Sort, bytes]]) -> None:
    """Count logs in, given each one's sort and id."""
    ids: dict[Sort, list[bytes]] = {}
    for sort, id_ in logs:
        ids.setdefault(sort, []).append(id_)
    connection.executemany(
        _UPSERT, [(gw, *_columns(sort), len(its), min(its), max(its)) for sort, its in ids.items()]
    )
    connection.execute("UPDATE gateways SET logs = logs + ? WHERE gw = ?", (len(logs), gw))


def subtract(connection: Connection, gw: int, sorts: Iterable[Sort]) -> None:
    """Count logs out."""
    counted = Counter(_columns(sort) for sort in sorts)
    connection.executemany(
        "UPDATE counts SET logs = logs - ? WHERE gw = ? AND provider = ? AND model = ? AND outcome = ?",
        [(number, gw, *sort) for sort, number in counted.items()],
    )
    connection.execute("DELETE FROM counts WHERE gw = ? AND logs = 0", (gw,))
    connection.execute("UPDATE gateways SET logs = logs - ? WHERE gw = ?", (counted.total(), gw))


def _columns(sort: Sort) -> tuple[int, int, int]:
    provider, model, outcome = sort
    return provider if isinstance(provider, int) else 0, model if isinstance(model, int) else 0, outcome


class Gateways:
    """The numbers of gateways. A number is never changed or taken away, so it may be remembered."""

    def __init__(self) -> None:
        self._known: dict[Scope, int] = {}

    def find(self, connection: Connection, scope: Scope) -> int | None:
        """A gateway's number; None where it never had a log. On a connection that reads."""
        gw = self._known.get(scope)
        if gw is None:
            gw = _find(connection, scope)
            if gw is not None:
                self._known[scope] = gw
        return gw

    def make(self, connection: Connection, scope: Scope) -> int:
        """A gateway's number, given now if it has none. In a write transaction."""
        gw = self._known.get(scope)
        if gw is not None:
            return gw
        gw = _find(connection, scope)
        if gw is not None:  # committed before, as a transaction asks once for each gateway
            self._known[scope] = gw
            return gw
        sql = "INSERT INTO gateways (account_id, gateway_id) VALUES (?, ?) RETURNING gw"
        return connection.execute(sql, (scope.account_id, scope.gateway_id)).get


def _find(connection: Connection, scope: Scope) -> int | None:
    sql = "SELECT gw FROM gateways WHERE account_id = ? AND gateway_id = ?"
    return connection.execute(sql, (scope.account_id, scope.gateway_id)).get
