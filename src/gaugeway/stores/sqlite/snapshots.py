"""Snapshots in `state.db`: what is known of items beside their frozen logs, and the queue of those to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Scope, SnapshotRef
from gaugeway.core.ports import Page
from gaugeway.core.snapshot_hashes import answer_hash, expected_hash, snapshot_hash
from gaugeway.core.snapshots import (
    MAX_ITEMS,
    Snapshot,
    SnapshotItem,
    SnapshotStatus,
)
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.leases import LET_GO, Leases
from gaugeway.stores.sqlite.parents import require_gateway

_SNAPSHOTS = Documents(Snapshot)
_BY_ID = "FROM snapshots WHERE account_id = ? AND gateway_id = ? AND id = ?"
_ANSWER = (
    "(SELECT {0} FROM snapshot_answers AS given WHERE given.snapshot = item.snapshot AND given.log = item.log"
    " AND version <= {1} ORDER BY version DESC LIMIT 1)"
)
_ITEM = (
    f"SELECT log, hash, erased, {_ANSWER.format('answer', '?')} FROM snapshot_items AS item"  # noqa: S608 - constants
    " WHERE snapshot = (SELECT seq FROM snapshots WHERE id = ?)"
)
_NEWEST = 1 << 62


class SqliteSnapshots:
    """A SnapshotStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = Leases(database, _SNAPSHOTS, "snapshots", waiting="queued = 1", order="created_at, seq")

    def create(self, snapshot: Snapshot) -> None:
        """See SnapshotStore."""
        scope, dataset_id = snapshot.scope, snapshot.dataset.id
        with self._database.writing() as connection:
            require_gateway(connection, scope)
            taken = (
                "SELECT 1 FROM snapshots WHERE account_id = ? AND gateway_id = ? AND dataset_id = ? AND name = ?"
            )
            if has_row(connection, taken, (scope.account_id, scope.gateway_id, dataset_id, snapshot.name)):
                raise Conflict(f"the dataset has a snapshot named {snapshot.name!r} already", ("body", "name"))
            connection.execute(
                "INSERT INTO snapshots(account_id, gateway_id, dataset_id, id, name, created_at, queued, frozen,"
                " document) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    scope.account_id,
                    scope.gateway_id,
                    dataset_id,
                    snapshot.id,
                    snapshot.name,
                    snapshot.created_at,
                    _is_queued(snapshot),
                    snapshot.frozen,
                    _SNAPSHOTS.encode(snapshot),
                ),
            )

    def get(self, scope: Scope, snapshot_id: str) -> Snapshot | None:
        """See SnapshotStore."""
        rows = self._database.rows(f"SELECT document {_BY_ID}", (scope.account_id, scope.gateway_id, snapshot_id))
        return _SNAPSHOTS.one(rows)

    def list(self, scope: Scope, *, dataset_id: str | None, offset: int, limit: int) -> Page[Snapshot]:
        """See SnapshotStore."""
        return _SNAPSHOTS.page(
            self._database,
            "FROM snapshots WHERE account_id = :account_id AND gateway_id = :gateway_id"
            " AND (:dataset_id IS NULL OR dataset_id = :dataset_id)",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "dataset_id": dataset_id},
            offset=offset,
            limit=limit,
        )

    def delete(self, scope: Scope, snapshot_id: str) -> Snapshot:
        """See SnapshotStore."""
        with self._database.writing() as connection:
            snapshot = _kept(connection, scope, snapshot_id)
            connection.execute("DELETE FROM snapshots WHERE id = ?", (snapshot.id,))
        return snapshot

    def frozen(self) -> set[Scope]:
        """See SnapshotStore."""
        rows = self._database.rows("SELECT account_id, frozen FROM snapshots WHERE frozen <> ''")
        return {Scope(account_id, frozen) for account_id, frozen in rows}

    def claim(self, owner: str, frozen: str, now_ms: int, lease_ms: int) -> Snapshot | None:
        """See SnapshotStore."""

        def running(connection: Connection, seq: int, snapshot: Snapshot) -> Snapshot:
            claimed = structs.replace(
                snapshot,
                status=SnapshotStatus.RUNNING,
                status_description="running",
                frozen=frozen,
                modified_at=now_ms,
            )
            connection.execute("DELETE FROM snapshot_items WHERE snapshot = ?", (seq,))
            _write(connection, claimed)
            return claimed

        return self._leases.claim(owner, now_ms, lease_ms, running)

    def renew(self, snapshot: Snapshot, owner: str, now_ms: int, lease_ms: int) -> bool:
        """See SnapshotStore."""
        return self._leases.renew(snapshot.id, owner, now_ms, lease_ms)

    def put(self, snapshot: Snapshot, owner: str, items: Sequence[SnapshotItem]) -> bool:
        """See SnapshotStore."""
        with self._database.writing() as connection:
            sql = "SELECT seq FROM snapshots WHERE id = ? AND owner = ?"
            seq: int | None = connection.execute(sql, (snapshot.id, owner)).get
            if seq is None:
                return False
            _insert(connection, seq, items)
            return True

    def save(self, snapshot: Snapshot, owner: str) -> bool:
        """See SnapshotStore."""
        with self._database.writing() as connection:
            sql = "SELECT 1 FROM snapshots WHERE id = ? AND owner = ?"
            if not has_row(connection, sql, (snapshot.id, owner)):
                return False
            if snapshot.is_ready:
                snapshot = _concluded(connection, snapshot)
            _write(connection, snapshot)
            if not _is_queued(snapshot):
                connection.execute(f"UPDATE snapshots SET {LET_GO} WHERE id = ?", (snapshot.id,))  # noqa: S608  constants
            return True

    def add(self, scope: Scope, snapshot_id: str, items: Sequence[SnapshotItem], now_ms: int) -> Snapshot:
        """See SnapshotStore."""

        def added(connection: Connection, snapshot: Snapshot) -> Snapshot:
            _require_open(snapshot)
            if snapshot.items + len(items) > MAX_ITEMS:
                raise Conflict(
                    f"A snapshot has at most {MAX_ITEMS} items; this one has {snapshot.items} of them already",
                    ("body",),
                )
            seq = _insert(connection, _seq(connection, snapshot), items)
            answers = [(item.log_id, item.expected) for item in items if item.expected is not None]
            _answer(connection, seq, 1, answers)
            return structs.replace(
                snapshot,
                items=snapshot.items + len(items),
                expected=snapshot.expected + len(answers),
                expected_version=1 if answers else snapshot.expected_version,
            )

        return self._change(scope, snapshot_id, now_ms, added)

    def seal(self, scope: Scope, snapshot_id: str, now_ms: int) -> Snapshot:
        """See SnapshotStore."""

        def sealed(connection: Connection, snapshot: Snapshot) -> Snapshot:
            _require_open(snapshot)
            ready = structs.replace(snapshot, status=SnapshotStatus.READY, status_description="ready")
            return _concluded(connection, ready)

        return self._change(scope, snapshot_id, now_ms, sealed)

    def items(self, snapshot: Snapshot, after: bytes, limit: int) -> Sequence[SnapshotItem]:
        """See SnapshotStore."""
        bindings = (snapshot.expected_version, snapshot.id, after, limit)
        return [_item(row) for row in self._database.rows(f"{_ITEM} AND log > ? ORDER BY log LIMIT ?", bindings)]

    def item(self, snapshot: Snapshot, log_id: bytes) -> SnapshotItem | None:
        """See SnapshotStore."""
        rows = self._database.rows(f"{_ITEM} AND log = ?", (snapshot.expected_version, snapshot.id, log_id))
        return _item(rows[0]) if rows else None

    def expected(self, ref: SnapshotRef, log_id: bytes) -> str | None:
        """See SnapshotStore."""
        rows = self._database.rows(f"{_ITEM} AND log = ?", (ref.expected_version, ref.id, log_id))
        return rows[0][3] if rows else None

    def expect(
        self, scope: Scope, snapshot_id: str, answers: Sequence[tuple[bytes, str | None]], now_ms: int
    ) -> Snapshot:
        """See SnapshotStore."""

        def expecting(connection: Connection, snapshot: Snapshot) -> Snapshot:
            if not snapshot.is_ready:
                raise Conflict(f"The snapshot is {snapshot.status}, not ready", ("params", "snapshot_id"))
            seq = _seq(connection, snapshot)
            for index, (log_id, _answer_text) in enumerate(answers):
                erased = connection.execute(
                    "SELECT erased FROM snapshot_items WHERE snapshot = ? AND log = ?", (seq, log_id)
                ).get
                if erased is None:
                    raise BadInput("The snapshot has no item of that log id", (index,))
                if erased:
                    raise BadInput("This item was erased", (index,))
            version = snapshot.expected_version + 1
            _answer(connection, seq, version, answers)
            return _expecting(connection, structs.replace(snapshot, expected_version=version))

        return self._change(scope, snapshot_id, now_ms, expecting)

    def erase(self, scope: Scope, snapshot_id: str, log_ids: Sequence[bytes], now_ms: int) -> Snapshot:
        """See SnapshotStore."""

        def erasing(connection: Connection, snapshot: Snapshot) -> Snapshot:
            seq = _seq(connection, snapshot)
            pairs = [(seq, log_id) for log_id in log_ids]
            connection.executemany("UPDATE snapshot_items SET erased = 1 WHERE snapshot = ? AND log = ?", pairs)
            connection.executemany(
                "UPDATE snapshot_answers SET answer = NULL WHERE snapshot = ? AND log = ?", pairs
            )
            connection.execute("UPDATE snapshots SET erasing = 1 WHERE seq = ?", (seq,))
            counted = structs.replace(snapshot, holes=_count(connection, seq, "AND erased = 1"))
            return _expecting(connection, counted)

        return self._change(scope, snapshot_id, now_ms, erasing)

    def to_erase(self) -> Sequence[Snapshot]:
        """See SnapshotStore."""
        rows = self._database.rows("SELECT document FROM snapshots WHERE erasing = 1")
        return [_SNAPSHOTS.decode(document) for (document,) in rows]

    def holes(self, snapshot: Snapshot) -> Sequence[bytes]:
        """See SnapshotStore."""
        rows = self._database.rows(
            "SELECT log FROM snapshot_items"
            " WHERE snapshot = (SELECT seq FROM snapshots WHERE id = ?) AND erased = 1",
            (snapshot.id,),
        )
        return [log_id for (log_id,) in rows]

    def erased(self, snapshot: Snapshot) -> None:
        """See SnapshotStore."""
        # Somebody else may have begun to erase more meanwhile: that is not done then.
        with self._database.writing() as connection:
            rows = connection.execute("SELECT document FROM snapshots WHERE id = ?", (snapshot.id,)).fetchall()
            kept = _SNAPSHOTS.one(rows)
            if kept is not None and kept.holes == snapshot.holes:
                connection.execute("UPDATE snapshots SET erasing = 0 WHERE id = ?", (snapshot.id,))

    def _change(
        self, scope: Scope, snapshot_id: str, now_ms: int, change: Callable[[Connection, Snapshot], Snapshot]
    ) -> Snapshot:
        with self._database.writing() as connection:
            kept = _kept(connection, scope, snapshot_id)
            changed = structs.replace(change(connection, kept), modified_at=max(kept.modified_at, now_ms))
            _write(connection, changed)
        return changed


def _is_queued(snapshot: Snapshot) -> bool:
    return snapshot.status in (SnapshotStatus.QUEUED, SnapshotStatus.RUNNING)


def _kept(connection: Connection, scope: Scope, snapshot_id: str) -> Snapshot:
    rows = connection.execute(
        f"SELECT document {_BY_ID}", (scope.account_id, scope.gateway_id, snapshot_id)
    ).fetchall()
    snapshot = _SNAPSHOTS.one(rows)
    if snapshot is None:
        raise NotFound(f"there is no snapshot {snapshot_id!r}")
    return snapshot


def _write(connection: Connection, snapshot: Snapshot) -> None:
    connection.execute(
        "UPDATE snapshots SET document = ?, queued = ?, frozen = ? WHERE id = ?",
        (_SNAPSHOTS.encode(snapshot), _is_queued(snapshot), snapshot.frozen, snapshot.id),
    )


def _seq(connection: Connection, snapshot: Snapshot) -> int:
    return connection.execute("SELECT seq FROM snapshots WHERE id = ?", (snapshot.id,)).get


def _insert(connection: Connection, seq: int, items: Sequence[SnapshotItem]) -> int:
    connection.executemany(
        "INSERT INTO snapshot_items(snapshot, log, hash) VALUES(?, ?, ?)",
        ((seq, item.log_id, bytes.fromhex(item.hash)) for item in items),
    )
    return seq


def _answer(connection: Connection, seq: int, version: int, answers: Sequence[tuple[bytes, str | None]]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO snapshot_answers VALUES(?, ?, ?, ?, ?)",
        (
            (seq, log_id, version, None if answer is None else bytes.fromhex(answer_hash(answer)), answer)
            for log_id, answer in answers
        ),
    )


def _require_open(snapshot: Snapshot) -> None:
    if snapshot.status is not SnapshotStatus.OPEN:
        message = f"The snapshot is {snapshot.status}: items can only be added to one that was made to import them"
        raise Conflict(message, ("params", "snapshot_id"))


def _count(connection: Connection, seq: int, condition: str = "") -> int:
    return connection.execute(f"SELECT count(*) FROM snapshot_items WHERE snapshot = ? {condition}", (seq,)).get  # noqa: S608 - ours


def _concluded(connection: Connection, snapshot: Snapshot) -> Snapshot:
    """With its counts and hashes."""
    seq = _seq(connection, snapshot)
    rows = connection.execute("SELECT hash FROM snapshot_items WHERE snapshot = ? ORDER BY log", (seq,))
    concluded = structs.replace(
        snapshot,
        hash=snapshot_hash(digest.hex() for (digest,) in rows),
        items=_count(connection, seq),
        holes=_count(connection, seq, "AND erased = 1"),
    )
    return _expecting(connection, concluded)


def _expecting(connection: Connection, snapshot: Snapshot) -> Snapshot:
    """With what is known of its expected answers at its version."""
    seq, number = _seq(connection, snapshot), 0

    def answers() -> Iterator[tuple[str, str]]:
        nonlocal number
        rows = connection.execute(
            f"SELECT hash, erased, {_ANSWER.format('hash', _NEWEST)} AS told FROM snapshot_items AS item"  # noqa: S608 - constants
            " WHERE snapshot = ? AND told IS NOT NULL ORDER BY log",
            (seq,),
        )
        for digest, erased, told in rows:
            number += not erased
            yield digest.hex(), told.hex()

    if not snapshot.expected_version:
        return snapshot
    told = expected_hash(answers())
    return structs.replace(snapshot, expected=number, expected_hash=told)


def _item(row: tuple[bytes, bytes, int, str | None]) -> SnapshotItem:
    log_id, digest, erased, answer = row
    return SnapshotItem(log_id=log_id, hash=digest.hex(), erased=bool(erased), expected=answer)
