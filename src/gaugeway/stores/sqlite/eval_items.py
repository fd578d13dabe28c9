"""Items of eval runs, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from gaugeway.core.evals import EvalRun, Output, OutputState, RunItem, Slice
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents

_OUTPUTS = Documents(Output)
_THE_RUN = "(SELECT seq FROM eval_runs WHERE id = :id)"
_BOTH = (
    "SELECT item.place, item.log, item.document, output.document"  # noqa: S608  constants
    " FROM eval_outputs AS output JOIN eval_items AS item USING (run, place)"
    f" WHERE run = {_THE_RUN}"
)


class _Told(Struct, frozen=True, kw_only=True):
    item: dict[str, Any]
    sample: dict[str, Any] | None = None


_TOLD = Documents(_Told)


class SqliteEvalItems:
    """The part of an EvalStore that is about items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, run: EvalRun, owner: str, log_ids: Sequence[bytes]) -> bool:
        """See EvalStore."""
        with self._database.writing() as connection:
            seq = _held(connection, run, owner)
            if seq is None:
                return False
            if not connection.execute("SELECT 1 FROM eval_items WHERE run = ? LIMIT 1", (seq,)).get:
                insert_items(
                    connection, seq, (RunItem(place=place, log_id=one) for place, one in enumerate(log_ids))
                )
            return True

    def planned(self, run: EvalRun) -> int:
        """See EvalStore."""
        return self._database.rows(
            f"SELECT count(*) FROM eval_items WHERE run = {_THE_RUN}",  # noqa: S608  constants
            {"id": run.id},
        )[0][0]

    def pending(self, run: EvalRun, after: int, limit: int) -> list[RunItem]:
        """See EvalStore."""
        rows = self._database.rows(
            "SELECT item.place, item.log, item.document, output.state IS NOT NULL FROM eval_items AS item"  # noqa: S608
            " LEFT JOIN eval_outputs AS output USING (run, place)"
            f" WHERE run = {_THE_RUN} AND item.place > :after AND (output.state IS NULL OR output.state = :sent)"
            " ORDER BY item.place LIMIT :limit",
            {"id": run.id, "after": after, "sent": int(OutputState.SENT), "limit": limit},
        )
        return [_item(place, log, document, was_sent=bool(sent)) for place, log, document, sent in rows]

    def put(self, run: EvalRun, owner: str, output: Output) -> bool:
        """See EvalStore."""
        with self._database.writing() as connection:
            seq = _held(connection, run, owner)
            if seq is None:
                return False
            connection.execute(
                "INSERT OR REPLACE INTO eval_outputs(run, place, state, document) VALUES(?, ?, ?, ?)",
                (seq, output.place, int(output.state), _OUTPUTS.encode(output)),
            )
            return True

    def outputs(
        self, run: EvalRun, part: Slice, state: OutputState | None = None
    ) -> tuple[list[tuple[RunItem, Output]], bool]:
        """See EvalStore."""
        rows = self._database.rows(
            f"{_BOTH} AND output.state <> :sent AND (:state IS NULL OR output.state = :state)"
            f" AND (:after IS NULL OR place {'<' if part.descending else '>'} :after)"
            f" ORDER BY place {'DESC' if part.descending else 'ASC'} LIMIT :limit",
            {
                "id": run.id,
                "sent": int(OutputState.SENT),
                "state": None if state is None else int(state),
                "after": None if part.after is None else int(part.after),
                "limit": part.limit + 1,
            },
        )
        return [_pair(row) for row in rows[: part.limit]], len(rows) > part.limit

    def output(self, run: EvalRun, place: int) -> tuple[RunItem, Output] | None:
        """See EvalStore."""
        bindings = {"id": run.id, "sent": int(OutputState.SENT), "place": place}
        rows = self._database.rows(f"{_BOTH} AND output.state <> :sent AND place = :place", bindings)
        return _pair(rows[0]) if rows else None


def insert_items(connection: Connection, seq: int, items: Iterable[RunItem]) -> None:
    """Keep the items of a run."""
    connection.executemany(
        "INSERT INTO eval_items(run, place, log, document) VALUES(?, ?, ?, ?)",
        (
            (
                seq,
                item.place,
                item.log_id,
                None if item.log_id is not None else _TOLD.encode(_Told(item=item.item, sample=item.sample)),
            )
            for item in items
        ),
    )


def _held(connection: Connection, run: EvalRun, owner: str) -> int | None:
    return connection.execute("SELECT seq FROM eval_runs WHERE id = ? AND owner = ?", (run.id, owner)).get


def _item(place: int, log: bytes | None, document: str | None, *, was_sent: bool = False) -> RunItem:
    told = _Told(item={}) if document is None else _TOLD.decode(document)
    return RunItem(place=place, item=told.item, sample=told.sample, log_id=log, was_sent=was_sent)


def _pair(row: tuple[int, bytes | None, str | None, str]) -> tuple[RunItem, Output]:
    place, log, document, output = row
    return _item(place, log, document), _OUTPUTS.decode(output)
