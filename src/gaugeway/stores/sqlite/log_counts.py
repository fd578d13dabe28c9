"""How many logs of each sort a gateway has, kept in the transactions that add and remove them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.connection import Connection

Sort = tuple[int | str, int | str, int]
"""A log's provider, model and outcome as its row has them."""

_UPSERT = (
    "INSERT INTO counts (gw, provider, model, outcome, logs) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET logs = logs + excluded.logs"
)


def add(connection: Connection, gw: int, sorts: Iterable[Sort], sign: int = 1) -> int:
    """Count logs in (or, with sign -1, out); how many they were."""
    counted = Counter(sorts)
    connection.executemany(
        _UPSERT,
        [
            (
                gw,
                provider if isinstance(provider, int) else 0,
                model if isinstance(model, int) else 0,
                outcome,
                sign * n,
            )
            for (provider, model, outcome), n in counted.items()
        ],
    )
    connection.execute("UPDATE gateways SET logs = logs + ? WHERE gw = ?", (sign * counted.total(), gw))
    if sign < 0:
        connection.execute("DELETE FROM counts WHERE gw = ? AND logs = 0", (gw,))
    return counted.total()


def find_gateway(connection: Connection, scope: Scope) -> int | None:
    """A gateway's number; None where it never had a log."""
    sql = "SELECT gw FROM gateways WHERE account_id = ? AND gateway_id = ?"
    return connection.execute(sql, (scope.account_id, scope.gateway_id)).get


def make_gateway(connection: Connection, scope: Scope) -> int:
    """A gateway's number, given now if it has none."""
    gw = find_gateway(connection, scope)
    if gw is None:
        sql = "INSERT INTO gateways (account_id, gateway_id) VALUES (?, ?) RETURNING gw"
        gw = connection.execute(sql, (scope.account_id, scope.gateway_id)).get
    return gw
