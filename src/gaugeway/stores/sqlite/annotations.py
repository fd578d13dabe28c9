"""Annotation queues in `state.db`.

A row of `annotations` without a note is an item that was handed out and not answered yet: who holds it, since when.
"""

# ruff: noqa: S608  - what is put into SQL here are constants of this file
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gaugeway.core.annotations import (
    HOLD_MS,
    MAX_ANNOTATORS,
    Annotation,
    AnnotationQueue,
    Progress,
    QueueItem,
)
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import MAX_INTEGER, Documents, has_row
from gaugeway.stores.sqlite.parents import require_gateway

_QUEUES = Documents(AnnotationQueue)
_THE_QUEUE = "(SELECT seq FROM annotation_queues WHERE id = :id)"
_SAID = f"SELECT log, annotator, label, note, at FROM annotations WHERE queue = {_THE_QUEUE} AND note IS NOT NULL"
_HELD = f"""
SELECT log FROM annotations JOIN annotation_items AS item USING (queue, log)
WHERE queue = {_THE_QUEUE} AND annotator = :annotator AND note IS NULL AND NOT item.gone AND at > :expired
ORDER BY item.position LIMIT 1
"""
_IN_NEED = f"""
SELECT log FROM annotation_items AS item
WHERE queue = {_THE_QUEUE} AND NOT gone
AND NOT EXISTS (SELECT 1 FROM annotations AS said
  WHERE said.queue = item.queue AND said.log = item.log AND said.annotator = :annotator AND said.note IS NOT NULL)
AND (SELECT count(*) FROM annotations AS taken WHERE taken.queue = item.queue AND taken.log = item.log
  AND taken.annotator <> :annotator AND (taken.note IS NOT NULL OR taken.at > :expired)) < :wanted
ORDER BY position LIMIT 1
"""
_PROGRESS = f"""
SELECT count(*), sum(seen >= :wanted), sum(seen > 0 AND seen < :wanted AND NOT gone), sum(gone AND seen < :wanted)
FROM (SELECT gone, (SELECT count(*) FROM annotations AS said
  WHERE said.queue = item.queue AND said.log = item.log AND said.note IS NOT NULL) AS seen
FROM annotation_items AS item WHERE queue = {_THE_QUEUE})
"""


class SqliteAnnotations:
    """An AnnotationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, queue: AnnotationQueue, log_ids: Sequence[bytes]) -> None:
        """See AnnotationStore."""
        with self._database.writing() as connection:
            require_gateway(connection, queue.scope)
            sql = "SELECT 1 FROM annotation_queues WHERE account_id = ? AND gateway_id = ? AND name = ?"
            if has_row(connection, sql, (queue.account_id, queue.gateway_id, queue.name)):
                raise Conflict(f"there is an annotation queue named {queue.name!r} already", ("body", "name"))
            connection.execute(
                "INSERT INTO annotation_queues(account_id, gateway_id, id, name, created_at, document)"
                " VALUES(?, ?, ?, ?, ?, ?)",
                (
                    queue.account_id,
                    queue.gateway_id,
                    queue.id,
                    queue.name,
                    queue.created_at,
                    _QUEUES.encode(queue),
                ),
            )
            seq = connection.execute("SELECT seq FROM annotation_queues WHERE id = ?", (queue.id,)).get
            connection.executemany(
                "INSERT INTO annotation_items(queue, position, log) VALUES(?, ?, ?)",
                ((seq, position, log_id) for position, log_id in enumerate(log_ids)),
            )

    def get(self, scope: Scope, queue_id: str) -> AnnotationQueue | None:
        """See AnnotationStore."""
        sql = "SELECT document FROM annotation_queues WHERE account_id = ? AND gateway_id = ? AND id = ?"
        return _QUEUES.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, queue_id)))

    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[AnnotationQueue]:
        """See AnnotationStore."""
        return _QUEUES.page(
            self._database,
            "FROM annotation_queues WHERE account_id = :account_id AND gateway_id = :gateway_id",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id},
            offset=offset,
            limit=limit,
        )

    def delete(self, scope: Scope, queue_id: str) -> AnnotationQueue:
        """See AnnotationStore."""
        with self._database.writing() as connection:
            sql = "SELECT document FROM annotation_queues WHERE account_id = ? AND gateway_id = ? AND id = ?"
            bindings = (scope.account_id, scope.gateway_id, queue_id)
            queue = _QUEUES.one(connection.execute(sql, bindings).fetchall())
            if queue is None:
                raise NotFound(f"there is no annotation queue {queue_id!r}")
            connection.execute("DELETE FROM annotation_queues WHERE id = ?", (queue_id,))
        return queue

    def next(self, queue: AnnotationQueue, annotator: str, now_ms: int) -> bytes | None:
        """See AnnotationStore."""
        bindings = {
            "id": queue.id,
            "annotator": annotator,
            "expired": now_ms - HOLD_MS,
            "wanted": queue.annotators_per_item,
        }
        with self._database.writing() as connection:
            log_id: bytes | None = connection.execute(_HELD, bindings).get
            if log_id is None:
                log_id = connection.execute(_IN_NEED, bindings).get
            if log_id is not None:
                connection.execute(
                    "INSERT INTO annotations(queue, log, annotator, at)"
                    f" VALUES({_THE_QUEUE}, :log, :annotator, :now)"
                    " ON CONFLICT(queue, log, annotator) DO UPDATE SET at = excluded.at",
                    {**bindings, "log": log_id, "now": now_ms},
                )
        return log_id

    def put(self, queue: AnnotationQueue, annotation: Annotation) -> None:
        """See AnnotationStore."""
        bindings = {
            "id": queue.id,
            "log": annotation.log_id,
            "annotator": annotation.annotator,
            "label": annotation.label,
            "note": annotation.note,
            "at": annotation.created_at,
        }
        with self._database.writing() as connection:
            _require_item(connection, queue, annotation.log_id)
            others = connection.execute(
                f"SELECT count(*) FROM annotations WHERE queue = {_THE_QUEUE} AND log = :log"
                " AND annotator <> :annotator AND note IS NOT NULL",
                bindings,
            ).get
            if others >= MAX_ANNOTATORS:
                raise Conflict(f"{MAX_ANNOTATORS} annotators have seen this item, which is as many as may")
            connection.execute(
                "INSERT INTO annotations(queue, log, annotator, label, note, at)"
                f" VALUES({_THE_QUEUE}, :log, :annotator, :label, :note, :at) ON CONFLICT(queue, log, annotator)"
                " DO UPDATE SET label = excluded.label, note = excluded.note, at = excluded.at",
                bindings,
            )

    def remove(self, queue: AnnotationQueue, log_id: bytes, annotator: str) -> Annotation:
        """See AnnotationStore."""
        bindings = {"id": queue.id, "log": log_id, "annotator": annotator}
        with self._database.writing() as connection:
            rows = connection.execute(f"{_SAID} AND log = :log AND annotator = :annotator", bindings).fetchall()
            if not rows:
                raise NotFound(f"{annotator!r} has said nothing of this item")
            connection.execute(  # whoever takes it back holds it, and is asked about it next
                f"UPDATE annotations SET label = NULL, note = NULL WHERE queue = {_THE_QUEUE} AND log = :log"
                " AND annotator = :annotator",
                bindings,
            )
        return _annotation(rows[0])

    def mark_gone(self, queue: AnnotationQueue, log_id: bytes) -> None:
        """See AnnotationStore."""
        with self._database.writing() as connection:
            connection.execute(
                f"UPDATE annotation_items SET gone = 1 WHERE queue = {_THE_QUEUE} AND log = :log",
                {"id": queue.id, "log": log_id},
            )

    def progress(self, queue: AnnotationQueue) -> Progress:
        """See AnnotationStore."""
        with self._database.reading() as connection:
            items, complete, begun, gone = connection.execute(
                _PROGRESS, {"id": queue.id, "wanted": queue.annotators_per_item}
            ).fetchall()[0]
            annotators = connection.execute(
                f"SELECT annotator, count(*) FROM ({_SAID}) GROUP BY annotator ORDER BY annotator", {"id": queue.id}
            ).fetchall()
        return Progress(
            items=items,
            complete=complete or 0,
            begun=begun or 0,
            gone=gone or 0,
            annotators=dict(annotators),
        )

    def items(self, queue: AnnotationQueue, *, offset: int, limit: int) -> Page[QueueItem]:
        """See AnnotationStore."""
        bindings = {"id": queue.id, "offset": min(offset, MAX_INTEGER), "limit": limit}
        with self._database.reading() as connection:
            total = connection.execute(
                f"SELECT count(*) FROM annotation_items WHERE queue = {_THE_QUEUE}",
                {"id": queue.id},
            ).get
            rows = connection.execute(
                f"SELECT log, gone FROM annotation_items WHERE queue = {_THE_QUEUE}"
                " ORDER BY position LIMIT :limit OFFSET :offset",
                bindings,
            ).fetchall()
            said: dict[bytes, list[Annotation]] = defaultdict(list)
            for log_id, _ in rows:
                found = connection.execute(
                    f"{_SAID} AND log = :log ORDER BY annotator", {"id": queue.id, "log": log_id}
                )
                said[log_id] = [_annotation(row) for row in found]
        return Page(
            [QueueItem(log_id=log_id, gone=bool(gone), annotations=tuple(said[log_id])) for log_id, gone in rows],
            total,
        )

    def annotations(self, queue: AnnotationQueue) -> Sequence[Annotation]:
        """See AnnotationStore."""
        rows = self._database.rows(f"{_SAID} ORDER BY log, annotator", {"id": queue.id})
        return [_annotation(row) for row in rows]


def _require_item(connection: Connection, queue: AnnotationQueue, log_id: bytes) -> None:
    sql = "SELECT 1 FROM annotation_items JOIN annotation_queues ON seq = queue WHERE id = ? AND log = ?"
    if not has_row(connection, sql, (queue.id, log_id)):
        raise NotFound("this log is no item of the annotation queue")


def _annotation(row: tuple[bytes, str, str | None, str, int]) -> Annotation:
    log_id, annotator, label, note, at = row
    return Annotation(log_id=log_id, annotator=annotator, label=label, note=note, created_at=at)
