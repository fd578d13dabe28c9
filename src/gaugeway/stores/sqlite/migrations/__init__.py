"""Numbered SQL files, applied in order and never changed once released: how a database came to be what it is."""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable
from pathlib import Path

from msgspec import Struct

from gaugeway.core.errors import StoreUnusable
from gaugeway.stores.sqlite.connection import Connection

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

APPLICATION_ID = int.from_bytes(b"Gaug")
"""Marks a SQLite file as ours (`PRAGMA application_id`)."""


class Migration(Struct, frozen=True):
    """One step from a schema to the next."""

    number: int
    name: str
    sql: str


def load(folder: Traversable) -> list[Migration]:
    """The folder's migrations in order: `0001_name.sql`, `0002_…`; ValueError where a number lacks or repeats."""
    found: list[Migration] = []
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise ValueError(f"{file.name}: a migration is named like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), file.name, file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise ValueError(f"{migration.name}: expected number {expected:04} here; none may lack or repeat")
    return found


def check(connection: Connection, path: Path, known: int) -> None:
    """StoreUnusable where the database is not Gaugeway's, or was made by a newer Gaugeway."""
    version = connection.pragma("user_version")
    application = connection.pragma("application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreUnusable(
            f"{path}: is a SQLite database of something else. Give Gaugeway a data folder of its own."
        )
    if version > known:
        raise StoreUnusable(
            f"{path}: was written by a newer Gaugeway (its schema is {version}, this one knows {known})."
            " Start the newer Gaugeway, or restore the backup from before the upgrade."
        )


def apply(connection: Connection, path: Path, migrations: list[Migration]) -> None:
    """Bring the database to the newest schema, in one transaction: all of the steps that lack, or none.

    Call it while no other process can write (`Database` holds the file lock).
    """
    check(connection, path, len(migrations))
    version = connection.pragma("user_version")
    if version == len(migrations) and connection.pragma("application_id") == APPLICATION_ID:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in migrations[version:]:
            _run(connection, migration)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", len(migrations))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _run(connection: Connection, migration: Migration) -> None:
    connection.execute(migration.sql)
    if not connection.in_transaction:
        raise ValueError(f"{migration.name}: a migration may not end the transaction it runs in")
