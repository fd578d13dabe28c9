"""Monitors in `state.db`, their windows, and the queue of what is due. Their notices: `notices.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Evaluation, Scope
from gaugeway.core.monitors import FARTHEST_MS, MAX_MONITORS, Monitor, Window
from gaugeway.core.notices import Notice
from gaugeway.core.ports import Page
from gaugeway.stores.sealing import Vault
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.evaluations import insert_evaluation
from gaugeway.stores.sqlite.leases import LET_GO, Leases
from gaugeway.stores.sqlite.notices import NOTICES, insert_notices
from gaugeway.stores.sqlite.parents import require_gateway
from gaugeway.stores.sqlite.sealed import about_monitor

_MONITORS = Documents(Monitor)
_WINDOWS = Documents(Window)
_ONE = "SELECT document FROM monitors WHERE account_id = ? AND gateway_id = ? AND id = ?"
_THE_MONITOR = "(SELECT seq FROM monitors WHERE id = :id)"
_WAITING = (
    f"iif(open_evaluation = '', due_at <= :now OR due_at > :now + {FARTHEST_MS}, NOT EXISTS"  # noqa: S608  constants
    " (SELECT 1 FROM evaluations WHERE evaluations.id = open_evaluation AND evaluations.processed = 0))"
)


class SqliteMonitors:
    """A MonitorStore."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._leases = Leases(database, _MONITORS, "monitors", waiting=_WAITING, order="due_at, seq")

    def create(self, monitor: Monitor, secret: str) -> None:
        """See MonitorStore."""
        names = (monitor.account_id, monitor.gateway_id)
        with self._database.writing() as connection:
            require_gateway(connection, monitor.scope)
            _require_name(connection, monitor)
            number = "SELECT count(*) FROM monitors WHERE account_id = ? AND gateway_id = ?"
            if connection.execute(number, names).get >= MAX_MONITORS:
                raise Conflict(f"this gateway has {MAX_MONITORS} monitors already: delete one first", ("body",))
            connection.execute(
                "INSERT INTO monitors(account_id, gateway_id, id, name, created_at, due_at, open_evaluation,"
                " document, sealed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *names,
                    monitor.id,
                    monitor.name,
                    monitor.created_at,
                    monitor.due_at,
                    monitor.open_evaluation,
                    _MONITORS.encode(monitor),
                    self._vault.seal(secret, about_monitor(*names, monitor.id)) if secret else None,
                ),
            )

    def get(self, scope: Scope, monitor_id: str) -> Monitor | None:
        """See MonitorStore."""
        return _MONITORS.one(self._database.rows(_ONE, (scope.account_id, scope.gateway_id, monitor_id)))

    def list(self, scope: Scope, *, name: str | None, offset: int, limit: int) -> Page[Monitor]:
        """See MonitorStore."""
        return _MONITORS.page(
            self._database,
            "FROM monitors WHERE account_id = :account_id AND gateway_id = :gateway_id"
            " AND (:name IS NULL OR name = :name)",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "name": name},
            offset=offset,
            limit=limit,
        )

    def change(
        self, scope: Scope, monitor_id: str, change: Callable[[Monitor], Monitor], secret: str | None = None
    ) -> Monitor:
        """See MonitorStore."""
        names = (scope.account_id, scope.gateway_id)
        with self._database.writing() as connection:
            kept = _MONITORS.one(connection.execute(_ONE, (*names, monitor_id)).fetchall())
            if kept is None:
                raise NotFound(f"there is no monitor {monitor_id!r}")
            changed = change(kept)
            _require_name(connection, changed)
            _write(connection, changed)
            if secret is not None:
                sealed = self._vault.seal(secret, about_monitor(*names, monitor_id)) if secret else None
                connection.execute("UPDATE monitors SET sealed = ? WHERE id = ?", (sealed, monitor_id))
        return changed

    def delete(self, scope: Scope, monitor_id: str) -> Monitor:
        """See MonitorStore."""
        sql = "DELETE FROM monitors WHERE account_id = ? AND gateway_id = ? AND id = ? RETURNING document"
        with self._database.writing() as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, monitor_id)).fetchall()
            monitor = _MONITORS.one(rows)
            if monitor is None:
                raise NotFound(f"there is no monitor {monitor_id!r}")
        return monitor

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Monitor | None:
        """See MonitorStore."""
        return self._leases.claim(owner, now_ms, lease_ms)

    def renew(self, monitor: Monitor, owner: str, now_ms: int, lease_ms: int) -> bool:
        """See MonitorStore."""
        return self._leases.renew(monitor.id, owner, now_ms, lease_ms)

    def open(
        self,
        monitor: Monitor,
        owner: str,
        window: Window,
        evaluation: Evaluation | None,
        notices: Sequence[Notice] = (),
    ) -> bool:
        """See MonitorStore."""
        with self._database.writing() as connection:
            seq = _held(connection, monitor, owner)
            if seq is None:
                return False
            if evaluation is not None:
                insert_evaluation(connection, evaluation)
            connection.execute(
                "INSERT INTO monitor_windows(monitor, id, created_at, asked, evaluation_id, document)"
                " VALUES(?, ?, ?, ?, ?, ?)",
                (seq, window.id, window.created_at, window.asked, window.evaluation_id, _WINDOWS.encode(window)),
            )
            insert_notices(connection, seq, notices)
            _write(connection, monitor)
            _forget_oldest(connection, seq, monitor.keep_windows)
            return True

    def conclude(self, monitor: Monitor, owner: str, windows: Sequence[Window], notices: Sequence[Notice]) -> bool:
        """See MonitorStore."""
        with self._database.writing() as connection:
            seq = _held(connection, monitor, owner)
            if seq is None:
                return False
            connection.executemany(
                "UPDATE monitor_windows SET document = ? WHERE id = ? AND monitor = ?",
                ((_WINDOWS.encode(window), window.id, seq) for window in windows),
            )
            insert_notices(connection, seq, notices)
            _write(connection, monitor)
            _forget_oldest(connection, seq, monitor.keep_windows)
            return True

    def windows(self, monitor: Monitor, *, offset: int, limit: int) -> Page[Window]:
        """See MonitorStore."""
        return _WINDOWS.page(
            self._database,
            f"FROM monitor_windows WHERE monitor = {_THE_MONITOR}",
            "seq DESC",
            {"id": monitor.id},
            offset=offset,
            limit=limit,
        )

    def window(self, monitor: Monitor, window_id: str) -> Window | None:
        """See MonitorStore."""
        sql = f"SELECT document FROM monitor_windows WHERE monitor = {_THE_MONITOR} AND id = :window"  # noqa: S608  constants
        return _WINDOWS.one(self._database.rows(sql, {"id": monitor.id, "window": window_id}))

    def asked_since(self, monitor: Monitor, since_ms: int) -> int:
        """See MonitorStore."""
        sql = (
            f"SELECT count(*) FROM monitor_windows WHERE monitor = {_THE_MONITOR}"  # noqa: S608  constants
            " AND asked AND created_at >= :since"
        )
        return self._database.rows(sql, {"id": monitor.id, "since": since_ms})[0][0]

    def notices(self, monitor: Monitor, *, offset: int, limit: int) -> Page[Notice]:
        """See MonitorStore."""
        return NOTICES.page(
            self._database,
            f"FROM notices WHERE monitor = {_THE_MONITOR}",
            "seq DESC",
            {"id": monitor.id},
            offset=offset,
            limit=limit,
        )


def _held(connection: Connection, monitor: Monitor, owner: str) -> int | None:
    """The monitor's number, if the owner still holds it."""
    return connection.execute("SELECT seq FROM monitors WHERE id = ? AND owner = ?", (monitor.id, owner)).get


def _write(connection: Connection, monitor: Monitor) -> None:
    """The monitor as it is now; nobody holds it any more."""
    connection.execute(
        f"UPDATE monitors SET name = ?, due_at = ?, open_evaluation = ?, document = ?, {LET_GO} WHERE id = ?",  # noqa: S608  constants
        (monitor.name, monitor.due_at, monitor.open_evaluation, _MONITORS.encode(monitor), monitor.id),
    )


def _require_name(connection: Connection, monitor: Monitor) -> None:
    taken = "SELECT 1 FROM monitors WHERE account_id = ? AND gateway_id = ? AND name = ? AND id <> ?"
    if has_row(connection, taken, (monitor.account_id, monitor.gateway_id, monitor.name, monitor.id)):
        raise Conflict(f"there is a monitor named {monitor.name!r} in this gateway already", ("body", "name"))


def _forget_oldest(connection: Connection, seq: int, keep: int) -> None:
    """The windows beyond the newest `keep`, and their evaluations but those that are some monitor's baseline."""
    old = connection.execute(
        "SELECT seq, evaluation_id FROM monitor_windows WHERE monitor = ? ORDER BY seq DESC LIMIT -1 OFFSET ?",
        (seq, keep),
    ).fetchall()
    for window, evaluation_id in old:
        connection.execute("DELETE FROM monitor_windows WHERE seq = ?", (window,))
        connection.execute(
            "DELETE FROM evaluations WHERE id = ? AND processed = 1 AND NOT EXISTS"
            " (SELECT 1 FROM monitors WHERE json_extract(document, '$.rule.baseline_id') = evaluations.id)",
            (evaluation_id,),
        )
