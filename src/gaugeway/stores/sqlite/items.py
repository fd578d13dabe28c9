"""Items of evaluations in `state.db`, beside their evaluation.

So they go with it, and its holder is known in the transaction that writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gaugeway.core.items import Counts, Item, ItemStatus, Pending
from gaugeway.core.model import Evaluation
from gaugeway.core.ports import Page
from gaugeway.core.votes import Vote
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import MAX_INTEGER

_COLUMNS = "log, position, status, score, badness, note, votes"
_VOTES_AT_ONCE = 5_000


_votes = msgspec.json.Decoder(tuple[Vote, ...])


class SqliteItems:
    """An ItemStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, evaluation: Evaluation, owner: str, log_ids: Sequence[bytes]) -> bool:
        """See ItemStore."""
        with self._database.writing() as connection:
            seq = _held(connection, evaluation, owner)
            if seq is None:
                return False
            if not connection.execute("SELECT 1 FROM evaluation_logs WHERE evaluation = ? LIMIT 1", (seq,)).get:
                connection.executemany(
                    "INSERT OR IGNORE INTO evaluation_logs VALUES(?, ?)", ((seq, log_id) for log_id in log_ids)
                )
            return True

    def planned(self, evaluation: Evaluation) -> int:
        """See ItemStore."""
        sql = "SELECT count(*) FROM evaluation_logs WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?)"
        return self._database.rows(sql, (evaluation.id,))[0][0]

    def pending(self, evaluation: Evaluation, positions: Sequence[int], after: bytes, limit: int) -> list[Pending]:
        """See ItemStore."""
        wanted = ", ".join(f"({int(position)})" for position in positions)
        if not wanted:
            return []
        rows = self._database.rows(
            f"WITH wanted(position) AS (VALUES {wanted})"  # noqa: S608 - numbers of our own
            " SELECT log, group_concat(position) FROM evaluation_logs JOIN wanted"
            " WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?) AND log > ?"
            " AND NOT EXISTS (SELECT 1 FROM evaluation_items AS item"
            " WHERE item.evaluation = evaluation_logs.evaluation AND item.log = evaluation_logs.log"
            " AND item.position = wanted.position)"
            " GROUP BY log ORDER BY log LIMIT ?",
            (evaluation.id, after, limit),
        )
        return [Pending(log, tuple(sorted(map(int, found.split(","))))) for log, found in rows]

    def put(self, evaluation: Evaluation, owner: str, items: Sequence[Item]) -> bool:
        """See ItemStore."""
        with self._database.writing() as connection:
            seq = _held(connection, evaluation, owner)
            if seq is None:
                return False
            connection.executemany(
                f"INSERT OR IGNORE INTO evaluation_items(evaluation, {_COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                ((seq, *_row(item)) for item in items),
            )
            return True

    def counts(self, evaluation: Evaluation) -> dict[int, Counts]:
        """See ItemStore."""
        rows = self._database.rows(
            "SELECT position, sum(status = 0), sum(status = 1), sum(status = 2) FROM evaluation_items"
            " WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?) GROUP BY position",
            (evaluation.id,),
        )
        return {position: Counts(*numbers) for position, *numbers in rows}

    def scores(self, evaluation: Evaluation, position: int) -> list[float]:
        """See ItemStore."""
        rows = self._database.rows(
            "SELECT score FROM evaluation_items"
            " WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?) AND position = ? AND status = 0"
            " ORDER BY log",
            (evaluation.id, position),
        )
        return [score for (score,) in rows]

    def votes(self, evaluation: Evaluation, position: int) -> Iterator[tuple[float | None, tuple[Vote, ...]]]:
        """See ItemStore."""
        after = b""
        while True:
            rows = self._database.rows(
                "SELECT log, score, votes FROM evaluation_items"
                " WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?) AND log > ? AND position = ?"
                " AND votes IS NOT NULL ORDER BY log LIMIT ?",
                (evaluation.id, after, position, _VOTES_AT_ONCE),
            )
            yield from ((score, _read_votes(votes)) for _, score, votes in rows)
            if len(rows) < _VOTES_AT_ONCE:
                return
            after = rows[-1][0]

    def page(
        self,
        evaluation: Evaluation,
        *,
        position: int | None,
        status: ItemStatus | None,
        worst_first: bool,
        offset: int,
        limit: int,
    ) -> Page[Item]:
        """See ItemStore."""
        source = (
            "FROM evaluation_items WHERE evaluation = (SELECT seq FROM evaluations WHERE id = :id)"
            " AND (:position IS NULL OR position = :position) AND (:status IS NULL OR status = :status)"
        )
        order = "position, status, badness DESC, log" if worst_first else "position, log"
        bindings = {
            "id": evaluation.id,
            "position": position,
            "status": None if status is None else int(status),
            "offset": min(offset, MAX_INTEGER),
            "limit": limit,
        }
        with self._database.reading() as connection:
            total = connection.execute(f"SELECT count(*) {source}", bindings).get
            rows = connection.execute(
                f"SELECT {_COLUMNS} {source} ORDER BY {order} LIMIT :limit OFFSET :offset",
                bindings,
            ).fetchall()
        return Page([_item(row) for row in rows], total)


def _row(item: Item) -> tuple[object, ...]:
    votes = msgspec.json.encode(item.votes).decode() if item.votes else None
    return (item.log_id, item.position, int(item.status), item.score, item.badness, item.note, votes)


def _item(row: tuple[bytes, int, int, float | None, float | None, str, str | None]) -> Item:
    log_id, position, status, score, badness, note, votes = row
    return Item(
        log_id=log_id,
        position=position,
        status=ItemStatus(status),
        score=score,
        badness=badness,
        note=note,
        votes=_read_votes(votes),
    )


def _read_votes(text: str | None) -> tuple[Vote, ...]:
    return () if text is None else _votes.decode(text)


def _held(connection: Connection, evaluation: Evaluation, owner: str) -> int | None:
    """The evaluation's number, if the owner still holds it."""
    return connection.execute("SELECT seq FROM evaluations WHERE id = ? AND owner = ?", (evaluation.id, owner)).get


def forget_failures(connection: Connection, evaluation_id: str) -> None:
    """So that they are tried again."""
    connection.execute(
        "DELETE FROM evaluation_items WHERE evaluation = (SELECT seq FROM evaluations WHERE id = ?) AND status = 1",
        (evaluation_id,),
    )
