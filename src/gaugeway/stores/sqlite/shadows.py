"""Shadows in `state.db`, the queue of those that have not ended, and what they have seen, drawn and called."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gaugeway.core import ids
from gaugeway.core.errors import Conflict
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.core.replays import ItemState, ReplayItem, Unfinished
from gaugeway.core.shadows import MAX_ACTIVE, Drawn, Looked, Shadow, ShadowCounts, Span
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.documents import MAX_INTEGER, Documents
from gaugeway.stores.sqlite.queued import SqliteQueued
from gaugeway.stores.sqlite.replay_items import as_row, counted, decoded, encoded, page_of

_THIS = "(SELECT seq FROM shadows WHERE id = :id)"


class SqliteShadows(SqliteQueued[Shadow]):
    """A ShadowStore."""

    TABLE = "shadows"
    NOUN = "shadow"
    DOCUMENTS = Documents(Shadow)

    def change(self, scope: Scope, shadow_id: str, change: Callable[[Shadow], Shadow]) -> Shadow:
        """See ShadowStore."""
        with self._database.writing() as connection:
            return self._change(connection, scope, shadow_id, change)

    def resume(self, scope: Scope, shadow_id: str, change: Callable[[Shadow], Shadow], from_ms: int) -> Shadow:
        """See ShadowStore."""
        with self._database.writing() as connection:
            changed = self._change(connection, scope, shadow_id, change)
            self._check_room(connection, MAX_ACTIVE + 1)  # itself included
            connection.execute(
                "UPDATE shadows SET looked_until = max(coalesce(looked_until, 0), ?) WHERE id = ?",
                (from_ms, changed.id),
            )
        return changed

    def looked_until(self, shadow: Shadow) -> int:
        """See ShadowStore."""
        rows = self._database.rows("SELECT looked_until FROM shadows WHERE id = ?", (shadow.id,))
        return shadow.created_at if not rows or rows[0][0] is None else rows[0][0]

    def spans(self, shadow: Shadow, due_ms: int | None, limit: int) -> list[Span]:
        """See ShadowStore."""
        rows = self._database.rows(
            f"SELECT low, high, seen, looks FROM shadow_spans WHERE shadow = {_THIS}"  # noqa: S608 - our own
            " AND due <= :due ORDER BY low LIMIT :limit",
            {"id": shadow.id, "due": MAX_INTEGER if due_ms is None else due_ms, "limit": limit},
        )
        return [Span(low=low, high=high, seen=seen, looks=looks) for low, high, seen, looks in rows]

    def look(self, shadow: Shadow, owner: str, looked: Sequence[Looked]) -> bool:
        """See ShadowStore."""
        with self._database.writing() as connection:
            seq = self._held(connection, shadow, owner)
            if seq is None:
                return False
            for one in looked:
                self._draw(connection, seq, one.drawn)
                _keep_span(connection, seq, one.span)
            return True

    def _draw(self, connection: Connection, seq: int, drawn: Sequence[bytes]) -> None:
        place = connection.execute("SELECT coalesce(max(place), -1) FROM shadow_plan WHERE shadow = ?", (seq,)).get
        for log_id in drawn:
            connection.execute("INSERT OR IGNORE INTO shadow_plan VALUES(?, ?, ?, 0)", (seq, place + 1, log_id))
            place += connection.changes()

    def waiting(self, shadow: Shadow, limit: int) -> list[tuple[int, bytes]]:
        """See ShadowStore."""
        return self._database.rows(
            f"SELECT place, log FROM shadow_plan WHERE shadow = {_THIS} AND state = 0 ORDER BY place LIMIT :limit",  # noqa: S608
            {"id": shadow.id, "limit": limit},
        )

    def end(self, shadow: Shadow, owner: str, place: int | None, how: Drawn, reason: str) -> bool:
        """See ShadowStore."""
        with self._database.writing() as connection:
            seq = self._held(connection, shadow, owner)
            if seq is None:
                return False
            meant = {"seq": seq, "place": place, "how": int(how), "reason": reason}
            connection.execute(
                "DELETE FROM shadow_items WHERE shadow = :seq AND place = :place",
                meant,
            )
            connection.execute(
                "UPDATE shadow_plan SET state = :how WHERE shadow = :seq"
                " AND iif(:place IS NULL, state = 0, place = :place AND state < 2)",
                meant,
            )
            number = connection.changes()
            if number:
                connection.execute(
                    "INSERT INTO shadow_ends VALUES(:seq, :how, :reason, :number)"
                    " ON CONFLICT DO UPDATE SET number = number + excluded.number",
                    {**meant, "number": number},
                )
            return True

    def put(self, shadow: Shadow, owner: str, items: Sequence[ReplayItem]) -> bool:
        """See ShadowStore."""
        with self._database.writing() as connection:
            seq = self._held(connection, shadow, owner)
            if seq is None:
                return False
            connection.executemany(
                "UPDATE shadow_plan SET state = 1 WHERE shadow = ? AND place = ? AND state = 0",
                ((seq, place) for place in {item.place for item in items}),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO shadow_items VALUES(?, ?, ?, ?, ?, ?, ?)",
                ((*as_row(seq, item), encoded(item)) for item in items),
            )
            return True

    def unfinished(self, shadow: Shadow, after: int, limit: int) -> list[Unfinished]:
        """See ShadowStore."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT place, log FROM shadow_plan AS plan WHERE shadow = {_THIS} AND state = 1"  # noqa: S608
                " AND place > :after"
                " AND (SELECT count(*) FROM shadow_items AS item WHERE item.shadow = plan.shadow"
                " AND item.place = plan.place AND item.state <= 2) < :sides ORDER BY place LIMIT :limit",
                {"id": shadow.id, "after": after, "limit": limit, "sides": len(shadow.candidates) + 1},
            ).fetchall()
            found: list[Unfinished] = []
            for place, log_id in rows:
                kept = connection.execute(
                    f"SELECT document FROM shadow_items WHERE shadow = {_THIS} AND place = :place",  # noqa: S608
                    {"id": shadow.id, "place": place},
                ).fetchall()
                sides = [decoded(document) for (document,) in kept]
                found.append(Unfinished(place=place, log_id=log_id, sides={one.side: one for one in sides}))
        return found

    def counts(self, shadow: Shadow) -> ShadowCounts:
        """See ShadowStore."""
        named = {"id": shadow.id}
        with self._database.reading() as connection:
            seen = connection.execute(
                "SELECT seen + (SELECT coalesce(sum(seen), 0) FROM shadow_spans WHERE shadow = seq)"
                " FROM shadows WHERE id = :id",
                named,
            ).get
            drawn = dict(
                connection.execute(
                    f"SELECT state, count(*) FROM shadow_plan WHERE shadow = {_THIS} AND state < 2 GROUP BY state",  # noqa: S608
                    named,
                ).fetchall()
            )
            ends = connection.execute(
                f"SELECT state, reason, number FROM shadow_ends WHERE shadow = {_THIS} ORDER BY reason",  # noqa: S608
                named,
            ).fetchall()
            sides = connection.execute(
                "SELECT side, state, reason, count(*), sum(resent) FROM shadow_items"  # noqa: S608
                f" WHERE shadow = {_THIS} GROUP BY side, state, reason ORDER BY side, state, reason",
                named,
            ).fetchall()
        waiting, called = drawn.get(Drawn.WAITING, 0), drawn.get(Drawn.CALLED, 0)
        return ShadowCounts(
            seen=seen or 0,
            sampled=waiting + called + sum(number for _, _, number in ends),
            waiting=waiting,
            called=called,
            skipped={reason: number for state, reason, number in ends if state == Drawn.SKIPPED},
            missed={reason: number for state, reason, number in ends if state == Drawn.MISSED},
            sides=counted(sides),
        )

    def items(
        self, shadow: Shadow, *, side: int | None, state: ItemState | None, offset: int, limit: int
    ) -> Page[tuple[bytes, ReplayItem]]:
        """See ShadowStore."""
        return page_of(self._database, "shadow", shadow.id, side=side, state=state, offset=offset, limit=limit)

    def _check_room(self, connection: Connection, too_many: int = MAX_ACTIVE) -> None:
        if connection.execute("SELECT count(*) FROM shadows WHERE processed = 0").get >= too_many:
            raise Conflict(f"{MAX_ACTIVE} shadows are running already: stop one first", ("body",))


def _keep_span(connection: Connection, seq: int, span: Span) -> None:
    """Keep it for its next look; or, where it is done, count it and forget what no look can draw again."""
    named = {"seq": seq, "low": span.low, "high": span.high, "seen": span.seen}
    connection.execute(
        "UPDATE shadows SET looked_until = max(coalesce(looked_until, 0), :high) WHERE seq = :seq", named
    )
    if not span.is_done:
        connection.execute(
            "INSERT OR REPLACE INTO shadow_spans VALUES(:seq, :low, :high, :seen, :looks, :due)",
            {**named, "looks": span.looks, "due": span.due},
        )
        return
    connection.execute("DELETE FROM shadow_spans WHERE shadow = :seq AND low = :low", named)
    connection.execute("UPDATE shadows SET seen = seen + :seen WHERE seq = :seq", named)
    connection.execute(
        "DELETE FROM shadow_plan WHERE shadow = :seq AND state >= 2 AND log >= :first AND log < :beyond",
        {**named, "first": ids.first_at(span.low), "beyond": ids.first_at(span.high)},
    )
