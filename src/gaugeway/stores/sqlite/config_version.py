"""The number that says whether accounts, tokens, gateways or custom providers have changed.

The data plane asks for it at each request, so it costs a look into a memory-mapped file (0.1 µs) and no SQL.

The truth is a count of changes in the database, raised in the same transaction as each change. The file
`config.version` repeats it, doubled, so that it is even; a change makes it odd before it commits and even
again after, all while it has the writers' turn. Therefore
- once a change has returned, every process sees another number at its next call;
- while the file is odd (a change is committing, or its process died in the middle of that) the count is read
  from the database itself (some 10 µs), so that not even then is a committed change overlooked;
- the next change, and the next process that opens the folder, makes the file even again.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from gaugeway.core.errors import StoreUnusable
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database

SIZE = 8


class ConfigVersion:
    """A ConfigStore, and the CommitWitness of every change to what it stands for."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        with database.writing() as connection:
            self._map = _map_file(path)
            self._number = memoryview(self._map).cast("Q")
            self.after_commit(connection)

    def version(self) -> int:
        """See ConfigStore."""
        number: int = self._number[0]
        return self._count() if number & 1 else number

    def before_commit(self, connection: Connection) -> None:
        """Count the change, and send readers to the database until it is known how it ended."""
        connection.execute("UPDATE config SET changes = changes + 1")
        self._number[0] |= 1

    def after_commit(self, connection: Connection) -> None:
        """Publish the count, changed or not."""
        self._number[0] = 2 * connection.execute("SELECT changes FROM config").get

    def close(self) -> None:
        """Let go of the file."""
        self._number.release()
        self._map.close()

    def _count(self) -> int:
        return 2 * self._database.rows("SELECT changes FROM config")[0][0]


def _map_file(path: Path) -> mmap.mmap:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size < SIZE:  # written, not merely extended: a full disk shows here, not at use
                os.pwrite(file, bytes(SIZE), 0)
            return mmap.mmap(file, SIZE)
        finally:
            os.close(file)
    except OSError as problem:
        raise StoreUnusable(
            f"{path}: cannot be used ({problem.strerror}). Check that the data folder belongs to this user."
        ) from problem
