"""One SQLite file, used by many threads of many processes at once.

Readers never wait: each thread has its own read-only connection (WAL). Writers take turns by a lock on the file
`<path>.lock`, which is fair and never answers "database is locked" (SQLite's own lock is polled with growing
sleeps; with four writers the slowest turn took twice as long). The kernel frees the lock when a process dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

import apsw

from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.stores.sqlite import migrations as steps
from gaugeway.stores.sqlite.connection import Bindings, Connection, connect

MAX_READERS = 128
"""Threads of one process that may read a database. A server has some 80 in its pools; more than this is a leak."""

BUSY_TIMEOUT_MS = 5000
"""How long to wait for a lock held by something that is not Gaugeway (a backup, a shell)."""

CLOSE_TIMEOUT_S = 10.0
"""How long closing waits for queries that are still running in other threads."""

CHECKPOINT_WAIT_MS = 100
"""How long a checkpoint that empties the write-ahead log waits for readers that still need it."""

JOURNAL_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut back to this once it has been larger."""


class CommitWitness(Protocol):
    """Learns of a change around its commit, while no other writer can move."""

    def before_commit(self, connection: Connection) -> None:
        """In the transaction, as its last act."""
        ...

    def after_commit(self, connection: Connection) -> None:
        """Once it is committed, or after all not."""
        ...


class Database:
    """A SQLite file in WAL mode with its migrations applied. Raises StoreUnusable where it cannot be had.

    `durable`: each commit survives a power cut (synchronous FULL). Without, it survives the death of any
    process, and a power cut may undo the last ones (NORMAL).
    `mmap_bytes`: how much of the file readers may look at in the system's page cache instead of copying it. What
    they have looked at shows in the process's memory, though the system can take it back at any time.
    `prepare` is called with each new connection, to add SQL functions.
    """

    def __init__(
        self,
        path: Path,
        migrations: Traversable,
        *,
        page_size: int = 8192,
        durable: bool = False,
        mmap_bytes: int = 0,
        cache_kib: int = 2048,
        checkpoint_pages: int = 1000,
        prepare: Callable[[Connection], None] | None = None,
    ) -> None:
        self.path = path = path.absolute()  # the working directory may change, and threads open it later
        self._waiting = f"{path}-wal"
        self._page_size = page_size
        self._synchronous = "FULL" if durable else "NORMAL"
        self._mmap_bytes = mmap_bytes
        self._cache_kib = cache_kib
        self._checkpoint_pages = checkpoint_pages
        self._prepare = prepare
        self._unusable = ""
        self._turn_lock = threading.Lock()
        self._turn_holder: int | None = None
        self._is_held = False
        self._writer: Connection | None = None
        self._readers_lock = threading.Lock()
        self._readers: dict[threading.Thread, Connection] = {}
        self._local = threading.local()
        self._known = steps.load(migrations)
        _make_folder(path.parent)
        self._lock_file = _open_lock(path.with_name(path.name + ".lock"))
        try:
            with self._turn(), understood(path):
                _create_file(path)
                self._writer = self._connect()
                self._set_up(self._writer)
        except BaseException:
            self.close()
            raise
        _databases.add(self)

    def reader(self) -> Connection:
        """This thread's read-only connection. Fetch what it answers whole: an open cursor holds a snapshot."""
        self._check_usable()
        connection: Connection | None = getattr(self._local, "connection", None)
        return self._add_reader() if connection is None else connection

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """This thread's read-only connection, seeing one moment of the database in all its queries."""
        connection = self.reader()
        with understood(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, witness: CommitWitness | None = None) -> Generator[Connection]:
        """A transaction: committed where the block ends, rolled back where it raises.

        Waits until no other thread or process writes. Not to be entered within itself (RuntimeError), and
        what it changed is seen by `reader()` only afterwards: read through the connection given.
        """
        self._check_usable()
        with self._turn(), understood(self.path):
            connection = self._writer = self._writer or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            witnessed = False
            try:
                self._check_schema(connection)
                yield connection
                if witness is not None:
                    witnessed = True
                    witness.before_commit(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise
            finally:
                if witness is not None and witnessed:
                    self._writer = self._writer or self._connect()
                    witness.after_commit(self._writer)

    @contextmanager
    def holding(self) -> Generator[None]:
        """Keep the turn to write over several transactions of this thread: nobody else writes between them."""
        self._check_usable()
        with self._turn():
            self._is_held = True
            try:
                yield
            finally:
                self._is_held = False

    def rows(self, sql: str, bindings: Bindings = ()) -> list[Any]:
        """All that one query answers."""
        connection = self.reader()
        with understood(self.path):
            return connection.execute(sql, bindings).fetchall()

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file and cut it to nothing, as far as readers let it.

        Nobody can write meanwhile, so it waits for readers only briefly; the rest is for the next one to do.
        """
        self._check_usable()
        with self._turn(), understood(self.path):
            writer = self._writer = self._writer or self._connect()
            writer.set_busy_timeout(CHECKPOINT_WAIT_MS)
            try:
                writer.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:
                pass
            finally:
                writer.set_busy_timeout(BUSY_TIMEOUT_MS)

    def checkpoint_where_it_fits(self) -> bool:
        """The same where the disk has room for what the file grows by: whether it has.

        A checkpoint that fails half way would eat what room there is.
        """
        connection = self.reader()
        with understood(self.path):
            size: int = connection.pragma("page_count") * connection.pragma("page_size")
        if size - self.path.stat().st_size > free_bytes(self.path.parent):
            return False
        try:
            self.checkpoint()
        except StoreFull:  # somebody else took the room at the same moment
            return False
        return True

    @property
    def waiting_bytes(self) -> int:
        """Size of the write-ahead log."""
        try:
            return os.stat(self._waiting).st_size  # noqa: PTH116 - after every write: a Path costs as much again
        except OSError:
            return 0

    def close(self) -> None:
        """Close every connection, once whoever is still reading has ended; calling it again does nothing.

        StoreUnusable where something goes on reading for too long.
        """
        if self._unusable:
            return
        with self._turn_lock, self._readers_lock:
            self._unusable = f"{self.path}: was closed"
            connections = [*self._readers.values(), *([self._writer] if self._writer else [])]
            self._readers.clear()
            self._writer = None
            os.close(self._lock_file)
            busy = _close_idle(connections)
            deadline = time.monotonic() + CLOSE_TIMEOUT_S
            while busy and time.monotonic() < deadline:
                time.sleep(0.01)
                busy = _close_idle(busy)
        if busy:
            raise StoreUnusable(f"{self.path}: was closed, but {len(busy)} threads went on reading it")

    def _check_usable(self) -> None:
        if self._unusable:
            raise StoreUnusable(self._unusable)

    def _check_present(self) -> None:
        """A deleted file can still be written, and takes everything with it when it is closed."""
        if os.fstat(self._lock_file).st_nlink == 0:
            raise StoreUnusable(
                f"{self.path.parent}: the data folder was deleted while this process ran: nothing more is written."
                " Stop it, restore the folder where there is a backup, and start again."
            )

    @contextmanager
    def _turn(self) -> Generator[None]:
        if self._turn_holder == threading.get_ident():
            if not self._is_held or (self._writer is not None and self._writer.in_transaction):
                raise RuntimeError(f"{self.path}: this thread is writing already; use the connection it was given")
            yield
            return
        with self._turn_lock:
            self._check_usable()
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            self._turn_holder = threading.get_ident()
            try:
                self._check_present()
                yield
            finally:
                self._turn_holder = None
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _roll_back(self, connection: Connection) -> None:
        """Undo; a connection that cannot (its disk fails) is given up, so that the next one starts clean."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._writer = None
            connection.close(True)

    def _connect(self) -> Connection:
        connection = connect(self.path)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.pragma("synchronous", self._synchronous)
        connection.pragma("foreign_keys", "ON")
        connection.pragma("cache_size", -self._cache_kib)
        connection.pragma("wal_autocheckpoint", self._checkpoint_pages)
        connection.pragma("journal_size_limit", JOURNAL_BYTES)
        if self._prepare is not None:
            self._prepare(connection)
        return connection

    def _check_schema(self, connection: Connection) -> None:
        if connection.execute("PRAGMA user_version").get != len(self._known):
            raise StoreUnusable(
                f"{self.path}: was upgraded by a newer Gaugeway while this process ran. Start this one anew."
            )

    def _set_up(self, connection: Connection) -> None:
        steps.check(connection, self.path, len(self._known))
        connection.pragma("page_size", self._page_size)
        connection.pragma("auto_vacuum", "INCREMENTAL")
        mode = connection.pragma("journal_mode", "WAL")
        if mode != "wal":
            raise StoreUnusable(
                f"{self.path}: this file system has no shared memory for SQLite's write-ahead log"
                f" (journal mode stays {mode!r}). Put the data folder on a local disk."
            )
        steps.apply(connection, self.path, self._known)

    def _add_reader(self) -> Connection:
        with self._readers_lock:
            self._check_usable()
            for thread in [thread for thread in self._readers if not thread.is_alive()]:
                self._readers.pop(thread).close()
            if len(self._readers) >= MAX_READERS:
                raise StoreUnusable(f"{self.path}: more than {MAX_READERS} threads read it at once")
            with understood(self.path):
                connection = self._connect()
                connection.pragma("query_only", "ON")
                connection.pragma("mmap_size", self._mmap_bytes)
            self._readers[threading.current_thread()] = connection
            self._local.connection = connection
            return connection

    def abandon_after_fork(self) -> None:
        """In a forked child: refuse use from now on, and keep the parent's connections from being closed here."""
        if not self._unusable:
            self._unusable = f"{self.path}: was opened before this process was forked; open it again in the child"
            _abandoned.append((self._writer, self._readers))
            os.close(self._lock_file)


def _close_idle(connections: Sequence[Connection]) -> list[Connection]:
    """Close those that no other thread is using this moment; the others."""
    busy: list[Connection] = []
    for connection in connections:
        try:
            connection.close()
        except apsw.ThreadingViolationError:
            busy.append(connection)
    return busy


@contextmanager
def understood(path: Path) -> Generator[None]:
    """Turn what SQLite says about a file that cannot be used into StoreUnusable; other errors pass."""
    try:
        yield
    except apsw.FullError as problem:
        raise StoreFull(f"{path}: no room left on the disk ({problem}). Make room and try again.") from problem
    except (apsw.NotADBError, apsw.CorruptError) as problem:
        raise StoreUnusable(
            f"{path}: is not a SQLite database, or is damaged ({problem})."
            " Move it away to start anew, or restore a backup."
        ) from problem
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as problem:
        raise StoreUnusable(
            f"{path}: cannot be opened for writing ({problem}). Check that the folder and file belong to this user."
        ) from problem
    except (apsw.BusyError, apsw.LockedError) as problem:
        raise StoreUnusable(
            f"{path}: something else than Gaugeway has kept it locked for {BUSY_TIMEOUT_MS // 1000} s ({problem})."
        ) from problem
    except apsw.IOError as problem:
        if (
            getattr(problem, "extendedresult", None) == apsw.SQLITE_IOERR_SHMSIZE
        ):  # the index of the write-ahead log could not grow
            raise StoreFull(f"{path}: no room left on the disk ({problem}). Make room and try again.") from problem
        raise StoreUnusable(f"{path}: reading or writing failed ({problem}). Check the disk.") from problem


def free_bytes(folder: Path | str) -> int:
    """What the folder's file system still takes."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreUnusable(
            f"{folder}: the data folder cannot be made ({problem.strerror}). Choose another with --data."
        ) from problem


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise StoreUnusable(
            f"{path}: cannot be written ({problem.strerror})."
            " Check that the data folder belongs to this user and is not read-only."
        ) from problem


def _create_file(path: Path) -> None:
    """Make the file with its permissions before SQLite does; the files SQLite adds to it take them over.

    Never opens a file that exists: closing it would free the locks of this process's other connections to it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as problem:
        raise StoreUnusable(f"{path}: cannot be made ({problem.strerror})") from problem


_databases: WeakSet[Database] = WeakSet()
_abandoned: list[object] = []


def _abandon_all() -> None:
    for database in list(_databases):
        database.abandon_after_fork()


os.register_at_fork(after_in_child=_abandon_all)
