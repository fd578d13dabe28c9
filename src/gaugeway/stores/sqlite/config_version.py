"""The number that says whether anything that the data plane looks up has changed.

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

from pathlib import Path

from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.slots import map_numbers


class ConfigVersion:
    """A ConfigStore, and the CommitWitness of every change to what it stands for."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        with database.writing() as connection:
            self._map, self._number = map_numbers(path, 1)
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
