"""Notices in `state.db`: written with what they tell of, and the queue of those to be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.monitors import Monitor
from gaugeway.core.notices import KEPT_NOTICES, LONGEST_RETRY_MS, Delivery, Notice, Webhook
from gaugeway.stores.sealing import Vault
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents
from gaugeway.stores.sqlite.leases import LET_GO, Leases
from gaugeway.stores.sqlite.sealed import about_monitor

NOTICES = Documents(Notice)
_MONITORS = Documents(Monitor)


class SqliteNotices:
    """A NoticeStore."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._leases = Leases(
            database,
            NOTICES,
            "notices",
            # farther ahead than a pause can be: the clock was set back
            waiting=f"pending AND (due_at <= :now OR due_at > :now + {2 * LONGEST_RETRY_MS})",
            order="due_at, seq",
        )

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Notice | None:
        """See NoticeStore."""
        return self._leases.claim(owner, now_ms, lease_ms)

    def renew(self, notice: Notice, owner: str, now_ms: int, lease_ms: int) -> bool:
        """See NoticeStore."""
        return self._leases.renew(notice.id, owner, now_ms, lease_ms)

    def save(self, notice: Notice, owner: str) -> bool:
        """See NoticeStore."""
        with self._database.writing() as connection:
            connection.execute(
                f"UPDATE notices SET document = ?, pending = ?, due_at = ?, {LET_GO} WHERE id = ? AND owner = ?",  # noqa: S608
                (NOTICES.encode(notice), _is_pending(notice), notice.due_at, notice.id, owner),
            )
            return connection.changes() > 0

    def webhook(self, notice: Notice) -> Webhook | None:
        """See NoticeStore."""
        rows = self._database.rows("SELECT document, sealed FROM monitors WHERE id = ?", (notice.monitor_id,))
        monitor = _MONITORS.one(rows)
        if monitor is None or not monitor.webhook_url or rows[0][1] is None:
            return None
        about = about_monitor(monitor.account_id, monitor.gateway_id, monitor.id)
        return Webhook(monitor.webhook_url, self._vault.open(rows[0][1], about))


def insert_notices(connection: Connection, monitor: int, notices: Sequence[Notice]) -> None:
    """Of the monitor of that number; the oldest beyond KEPT_NOTICES that wait for nothing go."""
    connection.executemany(
        "INSERT INTO notices(monitor, id, pending, due_at, document) VALUES(?, ?, ?, ?, ?)",
        ((monitor, one.id, _is_pending(one), one.due_at, NOTICES.encode(one)) for one in notices),
    )
    if notices:
        connection.execute(
            "DELETE FROM notices WHERE NOT pending AND seq IN"
            " (SELECT seq FROM notices WHERE monitor = ? ORDER BY seq DESC LIMIT -1 OFFSET ?)",
            (monitor, KEPT_NOTICES),
        )


def _is_pending(notice: Notice) -> bool:
    return notice.state is Delivery.PENDING
