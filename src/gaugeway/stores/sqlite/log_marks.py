"""How far each sender's logs have been written."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gaugeway.core.ports import Mark
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database

_SET = (
    "INSERT INTO marks (sender, number, logs) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = excluded.number, logs = excluded.logs"
)


def set_marks(connection: Connection, marks: Mapping[str, Mark]) -> None:
    """In the write transaction of the logs."""
    connection.executemany(_SET, [(sender, *mark) for sender, mark in marks.items()])


def read_marks(logs: Database, living: Collection[str]) -> dict[str, Mark]:
    """Those of living senders; the others' are deleted."""
    found: dict[str, Mark] = {
        sender: (number, count) for sender, number, count in logs.rows("SELECT sender, number, logs FROM marks")
    }
    gone = found.keys() - set(living)
    if gone:
        with logs.writing() as connection:
            connection.executemany("DELETE FROM marks WHERE sender = ?", [(sender,) for sender in gone])
    return {sender: mark for sender, mark in found.items() if sender not in gone}
