"""Items of replays in `state.db`, beside their replay: they go with it, and only its holder writes them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import structs

from gaugeway.core.ports import Page
from gaugeway.core.replays import ItemState, Replay, ReplayCounts, ReplayItem, Unfinished
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import MAX_INTEGER, Documents
from gaugeway.stores.sqlite.queued import SqliteQueued

_ITEMS = Documents(ReplayItem)


class SqliteReplayItems(SqliteQueued[Replay]):
    """A ReplayStore, but for what changes both replays and items."""

    TABLE = "replays"
    NOUN = "replay"
    DOCUMENTS = Documents(Replay)

    def plan(self, replay: Replay, owner: str, log_ids: Sequence[bytes]) -> bool:
        """See ReplayStore."""
        with self._database.writing() as connection:
            seq = self._held(connection, replay, owner)
            if seq is None:
                return False
            if not connection.execute("SELECT 1 FROM replay_plan WHERE replay = ? LIMIT 1", (seq,)).get:
                connection.executemany(
                    "INSERT INTO replay_plan VALUES(?, ?, ?)",
                    ((seq, place, log_id) for place, log_id in enumerate(log_ids)),
                )
            return True

    def planned(self, replay: Replay) -> int:
        """See ReplayStore."""
        sql = "SELECT count(*) FROM replay_plan WHERE replay = (SELECT seq FROM replays WHERE id = ?)"
        return self._database.rows(sql, (replay.id,))[0][0]

    def unfinished(self, replay: Replay, after: int, limit: int) -> list[Unfinished]:
        """See ReplayStore."""
        sides = len(replay.candidates) + 1
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT place, log FROM replay_plan AS plan WHERE replay = (SELECT seq FROM replays WHERE id = :id)"
                " AND place > :after"
                " AND (SELECT count(*) FROM replay_items AS item WHERE item.replay = plan.replay"
                " AND item.place = plan.place AND item.state <= 2) < :sides ORDER BY place LIMIT :limit",
                {"id": replay.id, "after": after, "limit": limit, "sides": sides},
            ).fetchall()
            if not rows:
                return []
            kept = connection.execute(
                "SELECT document FROM replay_items WHERE replay = (SELECT seq FROM replays WHERE id = :id)"
                " AND place BETWEEN :first AND :last",
                {"id": replay.id, "first": rows[0][0], "last": rows[-1][0]},
            ).fetchall()
        known: dict[int, dict[int, ReplayItem]] = {}
        for (document,) in kept:
            item = _ITEMS.decode(document)
            known.setdefault(item.place, {})[item.side] = item
        return [Unfinished(place=place, log_id=log, sides=known.get(place, {})) for place, log in rows]

    def put(self, replay: Replay, owner: str, items: Sequence[ReplayItem]) -> bool:
        """See ReplayStore."""
        with self._database.writing() as connection:
            seq = self._held(connection, replay, owner)
            if seq is None:
                return False
            connection.executemany(
                "INSERT OR REPLACE INTO replay_items VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                ((*as_row(seq, item), sum(mark.failed for mark in item.marks), encoded(item)) for item in items),
            )
            return True

    def counts(self, replay: Replay) -> dict[int, ReplayCounts]:
        """See ReplayStore."""
        rows = self._database.rows(
            "SELECT side, state, reason, count(*), sum(resent) FROM replay_items"
            " WHERE replay = (SELECT seq FROM replays WHERE id = :id)"
            " GROUP BY side, state, reason ORDER BY side, state, reason",
            {"id": replay.id},
        )
        return counted(rows)

    def items(
        self, replay: Replay, *, side: int | None, state: ItemState | None, offset: int, limit: int
    ) -> Page[tuple[bytes, ReplayItem]]:
        """See ReplayStore."""
        return page_of(self._database, "replay", replay.id, side=side, state=state, offset=offset, limit=limit)


_COUNTED = {
    ItemState.REPLAYED: "replayed",
    ItemState.FAILED: "failed",
    ItemState.SKIPPED: "skipped",
    ItemState.SENT: "under_way",
    ItemState.ANSWERED: "under_way",
}


def as_row(seq: int, item: ReplayItem) -> tuple[int, int, int, int, str | None, bool]:
    """A side's columns, but for those that only one kind of item has, and the document."""
    return (seq, item.place, item.side, int(item.state), item.reason, item.resent)


def encoded(item: ReplayItem) -> str:
    """Its document."""
    return _ITEMS.encode(item)


def page_of(
    database: Database,
    kind: str,
    trial_id: str,
    *,
    side: int | None,
    state: ItemState | None,
    offset: int,
    limit: int,
) -> Page[tuple[bytes, ReplayItem]]:
    """A page of the items of one of a `kind`, "replay" or "shadow", in the order of places and sides."""
    source = (
        f"FROM {kind}_items AS item WHERE item.{kind} = (SELECT seq FROM {kind}s WHERE id = :id)"  # noqa: S608 - our own
        " AND (:side IS NULL OR side = :side) AND (:state IS NULL OR item.state = :state)"
    )
    bindings = {
        "id": trial_id,
        "side": side,
        "state": None if state is None else int(state),
        "offset": min(offset, MAX_INTEGER),
        "limit": limit,
    }
    with database.reading() as connection:
        total = connection.execute(f"SELECT count(*) {source}", bindings).get
        rows = connection.execute(
            f"SELECT (SELECT log FROM {kind}_plan AS plan WHERE plan.{kind} = item.{kind}"  # noqa: S608 - our own
            f" AND plan.place = item.place), document {source} ORDER BY place, side LIMIT :limit OFFSET :offset",
            bindings,
        ).fetchall()
    return Page([(log, decoded(document)) for log, document in rows], total)


def decoded(document: str) -> ReplayItem:
    """What it says."""
    return _ITEMS.decode(document)


def counted(rows: Sequence[tuple[int, int, str | None, int, int]]) -> dict[int, ReplayCounts]:
    """By side, from rows of side, state, reason, how many, and how many of those were sent twice."""
    found: dict[int, ReplayCounts] = {}
    for side, state, reason, number, resent in rows:
        known = found.get(side, ReplayCounts())
        name = _COUNTED[ItemState(state)]
        reasons = known.reasons | ({} if reason is None else {reason: known.reasons.get(reason, 0) + number})
        changed = {name: getattr(known, name) + number, "resent": known.resent + resent, "reasons": reasons}
        found[side] = structs.replace(known, **changed)
    return found


def delete_failures(connection: Connection, replay_id: str) -> None:
    """Failed calls are to be sent again; answers that an evaluator failed on are judged anew, not paid again."""
    connection.execute(
        "DELETE FROM replay_items WHERE replay = (SELECT seq FROM replays WHERE id = :id) AND state = 1",
        {"id": replay_id},
    )
    rows = connection.execute(
        "SELECT replay, place, side, document FROM replay_items"
        " WHERE replay = (SELECT seq FROM replays WHERE id = :id) AND marks_failed > 0",
        {"id": replay_id},
    ).fetchall()
    for replay, place, side, document in rows:
        item: ReplayItem = structs.replace(_ITEMS.decode(document), state=ItemState.ANSWERED)
        connection.execute(
            "UPDATE replay_items SET state = ?, document = ? WHERE replay = ? AND place = ? AND side = ?",
            (int(item.state), msgspec.json.encode(item).decode(), replay, place, side),
        )
