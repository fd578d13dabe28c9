"""The file beneath the stores: migrations, turns, threads, processes that die, files that cannot be used."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.stores.sqlite import migrations as steps
from gaugeway.stores.sqlite.database import MAX_READERS, Database
from support import store_process

FIRST = """
CREATE TABLE counter(value INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES(0);
CREATE TABLE things(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE parts(thing INTEGER NOT NULL REFERENCES things(id) ON DELETE CASCADE) STRICT;
"""
SECOND = "ALTER TABLE things ADD COLUMN note TEXT; UPDATE counter SET value = value + 100;"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(FIRST)
    (folder / "__init__.py").write_text("")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "a.db"


@pytest.fixture
def database(path: Path, migrations: Path) -> Iterator[Database]:
    opened = Database(path, migrations)
    yield opened
    opened.close()


def value(database: Database) -> int:
    return database.rows("SELECT value FROM counter")[0][0]


def count_up(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("UPDATE counter SET value = value + 1")


# A new file


def test_a_new_database_is_made_as_asked(path: Path, migrations: Path) -> None:
    database = Database(path, migrations, page_size=16384, durable=True)
    count_up(database)
    with database.writing() as connection:
        asked = ("journal_mode", "page_size", "auto_vacuum", "synchronous", "foreign_keys", "busy_timeout")
        assert [connection.pragma(name) for name in asked] == ["wal", 16384, 2, 2, 1, 5000]
    assert database.reader().pragma("query_only") == 1
    assert database.reader().pragma("application_id") == steps.APPLICATION_ID
    database.close()


def test_only_the_owner_may_look_into_the_folder_and_its_files(database: Database, path: Path) -> None:
    count_up(database)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert files == dict.fromkeys(["a.db", "a.db-wal", "a.db-shm", "a.db.lock"], 0o600)


def test_closing_leaves_one_whole_file(database: Database, path: Path) -> None:
    count_up(database)
    database.close()
    database.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.db", "a.db.lock"]
    with pytest.raises(StoreUnusable, match="was closed"):
        database.reader()
    with pytest.raises(StoreUnusable, match="was closed"):
        count_up(database)


def test_space_of_deleted_rows_can_be_given_back(database: Database, path: Path) -> None:
    with database.writing() as connection:
        connection.executemany("INSERT INTO things(text) VALUES(?)", [("x" * 8000,)] * 500)
    database.checkpoint()
    full = path.stat().st_size
    with database.writing() as connection:
        connection.execute("DELETE FROM things")
        connection.execute("PRAGMA incremental_vacuum").fetchall()
    database.checkpoint()
    assert path.stat().st_size < full / 10


def test_closing_waits_for_those_who_are_reading(path: Path, migrations: Path) -> None:
    reading, closing = threading.Event(), threading.Event()

    def wait() -> int:
        reading.set()
        closing.wait()
        return 7

    database = Database(
        path, migrations, prepare=lambda connection: connection.create_scalar_function("wait", wait, 0)
    )
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(database.rows, "SELECT wait()")
        reading.wait()
        closed = pool.submit(database.close)
        with pytest.raises(StoreUnusable, match="was closed"):
            while True:
                database.reader()
        closing.set()
        closed.result()
        assert answer.result() == [(7,)]
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.db", "a.db.lock"]


def test_a_relative_path_stays_the_same_file(
    tmp_path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database(Path("data/a.db"), migrations)
    count_up(database)
    monkeypatch.chdir("/")
    assert value(database) == 1
    database.close()


# Transactions


def test_a_block_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute("UPDATE counter SET value = 5")
        1 / 0  # noqa: B018 - the error is the point
    assert value(database) == 0
    count_up(database)
    assert value(database) == 1


def test_writing_within_writing_is_refused_and_the_outer_one_goes_on(database: Database) -> None:
    with database.writing() as connection:
        with pytest.raises(RuntimeError, match="writing already"), database.writing():
            pass
        connection.execute("UPDATE counter SET value = 5")
    assert value(database) == 5


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(apsw.ReadOnlyError):
        database.reader().execute("UPDATE counter SET value = 5")
    with pytest.raises(StoreUnusable):
        database.rows("UPDATE counter SET value = 5")


def test_reading_sees_one_moment(database: Database) -> None:
    with database.reading() as connection:
        first = connection.execute("SELECT value FROM counter").get
        count_up(database)
        assert connection.execute("SELECT value FROM counter").get == first
    assert value(database) == first + 1


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(apsw.ConstraintError), database.writing() as connection:
        connection.execute("INSERT INTO parts VALUES(7)")
    assert database.rows("SELECT * FROM parts") == []


def test_a_full_disk_is_named_and_the_database_stays_usable(database: Database) -> None:
    with database.writing() as connection:
        pages = connection.pragma("page_count")
        connection.pragma("max_page_count", pages + 2)
    with pytest.raises(StoreFull, match="no room left"), database.writing() as connection:
        for _ in range(20):
            connection.execute("INSERT INTO things(text) VALUES(?)", ("x" * 8000,))
    assert database.rows("SELECT count(*) FROM things") == [(0,)]
    count_up(database)
    assert value(database) == 1


def test_a_disk_that_fails_is_named_and_the_database_stays_usable(database: Database, path: Path) -> None:
    count_up(database)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name("a.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, limits[1]))
    try:
        with pytest.raises(StoreUnusable, match=r"a\.db: reading or writing failed"):
            count_up(database)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert value(database) == 1
    count_up(database)
    assert value(database) == 2


# Threads


def test_many_threads_read_and_write_at_once(database: Database) -> None:
    def work(_: int) -> int:
        count_up(database)
        return value(database)

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(work, range(200)))
    assert value(database) == 200
    assert max(seen) == 200


def test_connections_of_threads_that_ended_are_closed(database: Database, path: Path) -> None:
    def open_files() -> int:
        links = [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
        return sum(1 for link in links if os.path.realpath(link) == str(path))

    for _ in range(30):
        threads = [threading.Thread(target=value, args=(database,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 < open_files() < 20


def test_more_threads_than_a_process_should_have_are_refused(database: Database) -> None:
    open_now, enough = threading.Barrier(MAX_READERS + 1), threading.Event()

    def hold() -> None:
        value(database)
        open_now.wait()
        enough.wait()

    threads = [threading.Thread(target=hold) for _ in range(MAX_READERS)]
    with ThreadPoolExecutor(1) as pool:
        for thread in threads:
            thread.start()
        try:
            open_now.wait()
            with pytest.raises(StoreUnusable, match=f"more than {MAX_READERS} threads"):
                pool.submit(value, database).result()
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        assert pool.submit(value, database).result() == 0


# Processes


def test_two_processes_lose_no_update(database: Database, path: Path, migrations: Path) -> None:
    others = [store_process.start("count_up", path, migrations, 150) for _ in range(2)]
    for _ in range(150):
        count_up(database)
    assert [store_process.finish(process) for process in others] == ["done\n"] * 2
    assert value(database) == 150 + 2 * 2 * 150


def test_several_processes_open_a_new_folder_at_once(path: Path, migrations: Path, tmp_path: Path) -> None:
    others = [store_process.start("open_at_once", path, migrations, tmp_path / "go") for _ in range(4)]
    for process in others:
        assert store_process.wait_for_line(process) == "ready"
    (tmp_path / "go").touch()
    for process in others:
        store_process.finish(process)
    database = Database(path, migrations)
    assert value(database) == 4
    database.close()


@pytest.mark.parametrize("attempt", range(5))
def test_several_threads_open_a_new_folder_at_once(path: Path, migrations: Path, attempt: int) -> None:
    barrier = threading.Barrier(6)

    def open_and_count(_: int) -> None:
        barrier.wait()
        database = Database(path, migrations)
        count_up(database)
        database.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_count, range(6)))
    database = Database(path, migrations)
    assert value(database) == 6
    assert database.reader().pragma("auto_vacuum") == 2
    database.close()


def test_a_process_killed_in_a_transaction_leaves_nothing_and_frees_its_turn(
    database: Database, path: Path, migrations: Path
) -> None:
    count_up(database)
    other = store_process.start("hang_in_transaction", path, migrations)
    assert store_process.wait_for_line(other) == "writing"
    waiting = threading.Thread(target=count_up, args=(database,))
    waiting.start()
    assert value(database) == 1
    other.send_signal(signal.SIGKILL)
    other.communicate()
    waiting.join(30)
    assert value(database) == 2
    assert database.rows("SELECT count(*) FROM things") == [(0,)]
    assert database.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_forked_child_is_told_to_open_it_again(path: Path, migrations: Path) -> None:
    lines = store_process.finish(store_process.start("fork_and_tell", path, migrations)).splitlines()
    assert [line.partition(": ")[2] for line in lines[:2]] == [
        "was opened before this process was forked; open it again in the child"
    ] * 2
    assert lines[2:] == ["2"]


# Files that cannot be used


def _write_text(path: Path) -> None:
    path.write_text("This is a letter, and no database at all. " * 50)


def _write_other_database(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE recipes(name TEXT)")
    connection.close()


def _write_newer(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("application_id", steps.APPLICATION_ID)
    connection.pragma("user_version", 9)
    connection.close()


def _make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (_write_text, "is not a SQLite database"),
        (_write_other_database, "a SQLite database of something else"),
        (_write_newer, "newer Gaugeway .its schema is 9, this one knows 1"),
        (_make_folder, "cannot be opened"),
    ],
)
def test_a_file_of_another_kind_is_named_and_left_alone(
    write: Callable[[Path], None], words: str, path: Path, migrations: Path
) -> None:
    path.parent.mkdir()
    write(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreUnusable, match=words) as refused:
        Database(path, migrations)
    assert str(path) in str(refused.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_an_empty_file_is_taken(path: Path, migrations: Path) -> None:
    path.parent.mkdir()
    path.touch()
    database = Database(path, migrations)
    assert value(database) == 0
    database.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, migrations: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match=r"file/data: the data folder cannot be made"):
        Database(tmp_path / "file" / "data" / "a.db", migrations)


@pytest.fixture
def read_only(migrations: Path) -> Iterator[Path]:
    """A folder that others than root can read only, with migrations that they can read."""
    outside = Path(tempfile.mkdtemp())
    shutil.copytree(migrations, outside / "migrations")
    (outside / "data").mkdir()
    Database(outside / "data" / "a.db", migrations).close()
    for file in (outside / "data").iterdir():
        file.chmod(0o444)
    for folder in (outside, outside / "data", outside / "migrations"):
        folder.chmod(0o555)
    yield outside
    for folder in (outside, outside / "data", outside / "migrations"):
        folder.chmod(0o755)
    shutil.rmtree(outside)


@pytest.mark.parametrize("name", ["a.db", "new.db"])
def test_a_folder_that_cannot_be_written_is_named(read_only: Path, name: str) -> None:
    told = store_process.start("open_and_tell", read_only / "data" / name, read_only / "migrations")
    assert f"data/{name}.lock: cannot be written (Permission denied)" in store_process.finish(told)


def test_a_file_that_vanished_is_not_made_anew_empty(database: Database, path: Path) -> None:
    count_up(database)
    path.unlink()
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreUnusable, match="cannot be opened"):
        pool.submit(value, database).result()
    assert not path.exists()


# Migrations


def test_a_folder_that_was_deleted_is_not_written_to(database: Database, path: Path) -> None:
    """What goes into a deleted file is gone with the process, and until then nobody would notice."""
    count_up(database)
    shutil.rmtree(path.parent)
    with pytest.raises(StoreUnusable, match="was deleted while this process ran"):
        count_up(database)


def test_migrations_run_once_and_in_order(path: Path, migrations: Path) -> None:
    database = Database(path, migrations)
    count_up(database)
    database.close()
    (migrations / "0002_second.sql").write_text(SECOND)
    for _ in range(2):
        database = Database(path, migrations)
        assert value(database) == 101
        assert database.reader().pragma("user_version") == 2
        database.close()


def test_a_process_that_an_upgrade_overtook_writes_no_more(
    database: Database, path: Path, migrations: Path
) -> None:
    (migrations / "0002_second.sql").write_text(SECOND)
    Database(path, migrations).close()
    with pytest.raises(StoreUnusable, match="was upgraded by a newer Gaugeway"):
        count_up(database)
    assert value(database) == 100


def test_a_migration_that_fails_takes_the_others_back(path: Path, migrations: Path) -> None:
    Database(path, migrations).close()
    (migrations / "0002_second.sql").write_text(SECOND)
    broken = migrations / "0003_third.sql"
    broken.write_text("CREATE TABLE more(a INTEGER); SELECT * FROM nowhere;")
    with pytest.raises(apsw.SQLError, match="nowhere"):
        Database(path, migrations)
    broken.unlink()
    (migrations / "0002_second.sql").unlink()
    database = Database(path, migrations)
    assert value(database) == 0
    assert database.reader().pragma("user_version") == 1
    database.close()


def test_a_migration_may_not_end_its_transaction(path: Path, migrations: Path) -> None:
    (migrations / "0002_second.sql").write_text("COMMIT;")
    with pytest.raises(ValueError, match="0002_second"):
        Database(path, migrations)


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_twice.sql", "2_short.sql", "0002-dash.sql"])
def test_misnumbered_migrations_are_refused(name: str, path: Path, migrations: Path) -> None:
    (migrations / name).write_text("")
    with pytest.raises(ValueError, match=name.partition(".")[0]):
        Database(path, migrations)
