"""Files of columns that are lost, cut, spoilt, half written or made by several at once: the answers stay right."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.errors import StoreUnusable
from gaugeway.core.ports import LogChange
from gaugeway.core.query import EVERYTHING
from gaugeway.stores.sqlite.columns import projection, segments
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import log_process, some_logs
from support.some_logs import SCOPE, at, keep_all, logged

SMALL = Sizes(least=1, seal=10, spare=2, most=60, merge=9, changed=5)
WANTED = [
    Aggregate(Op.SUM, Column.COST),
    Aggregate(Op.SUM, Column.DURATION),
    Aggregate(Op.COUNT_EQUAL, Column.FEEDBACK, 1),
    Aggregate(Op.COUNT, Column.SCORE),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLogStore]:
    made = filled(tmp_path)
    yield made
    made.close()


def filled(folder: Path) -> SqliteLogStore:
    """A store whose columns have all but two of 200 logs, in several files."""
    made = SqliteLogStore(folder, sizes=SMALL)
    made.append(logged(some_logs.varied(200)), keep_all)
    assert made.columns.catch_up() == 198
    return made


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "columns").iterdir() if path.name != "lock")


def by_columns(store: SqliteLogStore) -> Aggregated | None:
    return store.columns.aggregate(SCOPE, EVERYTHING, WANTED)


def by_sqlite(folder: Path) -> Aggregated:
    """What a copy of the folder without its files of columns says."""
    copy = folder.with_name(folder.name + "-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, ignore=lambda _folder, _names: ["columns"])
    store = SqliteLogStore(copy)
    assert by_columns(store) is None
    answer = store.aggregate(SCOPE, EVERYTHING, WANTED)
    store.close()
    return answer


def check(store: SqliteLogStore, folder: Path, *, used: bool = True) -> None:
    """That the answer is SQLite's, made by columns or not."""
    assert store.aggregate(SCOPE, EVERYTHING, WANTED) == by_sqlite(folder)
    assert (by_columns(store) is not None) == used


def test_files_that_are_lost_are_made_anew(store: SqliteLogStore, tmp_path: Path) -> None:
    first, *_ = files(tmp_path)
    first.unlink()
    other = SqliteLogStore(tmp_path, sizes=SMALL)  # has not mapped it yet
    check(other, tmp_path)
    shutil.rmtree(tmp_path / "columns")
    other.close()
    other = SqliteLogStore(tmp_path, sizes=SMALL)
    check(other, tmp_path, used=False)
    check(store, tmp_path, used=False)
    assert other.columns.catch_up() == 198
    check(other, tmp_path)
    other.close()


@pytest.mark.parametrize("spoil", ["cut", "bit", "empty", "swapped", "folder"])
def test_files_that_are_spoilt_are_noticed_and_made_anew(
    spoil: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path).close()
    expected = by_sqlite(tmp_path)
    for path in files(tmp_path):
        content = path.read_bytes()
        match spoil:
            case "cut":
                path.write_bytes(content[:-64])
            case "bit":
                path.write_bytes(bytes(byte ^ 1 for byte in content))
            case "empty":
                path.write_bytes(b"")
            case "swapped":
                path.write_bytes(content[64:] + content[:64])
            case _:
                path.unlink()
                path.mkdir()
    store = SqliteLogStore(tmp_path, sizes=SMALL)
    assert store.aggregate(SCOPE, EVERYTHING, WANTED) == expected
    assert by_columns(store) is None
    assert spoil == "folder" or "SQLite answers in its place" in caplog.text
    if spoil != "folder":
        assert store.columns.catch_up() == 198
        check(store, tmp_path)
    store.close()


def test_files_of_another_format_are_not_read(store: SqliteLogStore, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(segments, "FORMAT", segments.FORMAT + 1)
    check(store, tmp_path, used=False)
    before = files(tmp_path)
    assert store.columns.catch_up() == 198
    assert not set(before).intersection(files(tmp_path))
    check(store, tmp_path)


def test_a_builder_that_is_killed_leaves_nothing_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for pause in (0.0, 0.013, 0.05, 0.11):
        process = log_process.start("project_for_ever", folder)
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        time.sleep(pause)
        process.kill()
        process.communicate()
        store = SqliteLogStore(folder, sizes=SMALL)
        check(store, folder)
        store.columns.catch_up()
        check(store, folder)
        store.close()
    named = [path.name for path in files(folder)]
    store = SqliteLogStore(folder, sizes=SMALL)
    with store.logs_database.reading() as connection:
        assert segments.files(connection) >= set(named)
    store.close()


def test_two_processes_build_beside_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    builders = [log_process.start("project_for_ever", folder) for _ in range(2)]
    for _ in range(3):
        for builder in builders:
            assert builder.stdout is not None
            assert builder.stdout.readline() == "done\n"
    store = SqliteLogStore(folder, sizes=SMALL)
    for _ in range(20):  # each answer is of one moment: as many thumbs as logs whose change was committed
        answer = store.aggregate(SCOPE, EVERYTHING, WANTED)
        assert answer.values[WANTED[0]] == answer.total
    for builder in builders:
        builder.kill()
        builder.communicate()
    store.columns.catch_up()
    check(store, folder)
    store.close()


def test_only_one_builds_at_a_time(store: SqliteLogStore, tmp_path: Path) -> None:
    other = SqliteLogStore(tmp_path, sizes=SMALL)
    store.append(logged([at(1_800_000_000_000 + number) for number in range(100)]), keep_all)
    seen: list[int] = []

    def counted(logs: int) -> None:
        seen.append(other.columns.catch_up())

    store.columns.rebuild(counted)
    assert seen
    assert set(seen) == {0}
    check(other, tmp_path)
    other.close()


def test_a_change_while_a_segment_is_read_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = SqliteLogStore(folder, sizes=SMALL)
    records = [at(1000 + number, cost=Decimal(1)) for number in range(50)]
    store.append(logged(records), keep_all)

    def meddle(_logs: int) -> None:
        """In another thread, as the one that builds has its transaction open."""

        def act() -> None:
            store.patch(SCOPE, records[3].id, LogChange(fields=frozenset({"feedback"}), feedback=1))
            store.append(logged([at(1003, 7, cost=Decimal(2))]), keep_all)

        thread = threading.Thread(target=act)
        thread.start()
        thread.join()

    store.columns.rebuild(meddle)
    check(store, folder)
    assert store.aggregate(SCOPE, EVERYTHING, WANTED).values[WANTED[2]] == 1
    store.close()


def test_segments_that_were_given_up_while_they_were_read_do_not_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = SqliteLogStore(folder, sizes=SMALL)
    store.append(logged([at(1000 + number) for number in range(50)]), keep_all)

    def meddle(_logs: int) -> None:
        thread = threading.Thread(target=store.delete_scope, args=(SCOPE,))
        thread.start()
        thread.join()

    store.columns.rebuild(meddle)
    assert store.count(SCOPE, EVERYTHING) == 0
    store.append(logged([at(1000 + number, cost=Decimal(5)) for number in range(9)]), keep_all)
    check(store, folder, used=False)
    store.close()


def test_where_columns_cannot_be_written_sqlite_answers(
    tmp_path: Path, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    store = SqliteLogStore(folder, sizes=SMALL)
    store.append(logged(some_logs.varied(100)), keep_all)
    monkeypatch.setattr(projection, "SPARE_BYTES", 1 << 60)
    assert store.columns.catch_up() == 0
    assert "too little room on the disk for columns" in caplog.text
    with pytest.raises(StoreUnusable, match="too little room"):
        store.columns.rebuild(lambda _logs: None)
    check(store, folder, used=False)
    store.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path, sizes=SMALL)
    store.append(logged(some_logs.varied(100)), keep_all)
    (tmp_path / "columns").write_text("no folder")
    with pytest.raises(StoreUnusable, match="columns: cannot be made or written"):
        store.columns.catch_up()
    assert store.aggregate(SCOPE, EVERYTHING, WANTED).total == 100
    store.close()


def test_the_recorder_s_part_of_the_store_does_without_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gaugeway.stores.sqlite.logs import SqliteLogStore;"
        "from support.some_logs import *; store = SqliteLogStore(Path(sys.argv[1]));"
        "store.append(logged([a_log()]), keep_all); store.delete_scope(SCOPE); store.close();"
        "assert 'numpy' not in sys.modules"
    )
    command = [os.sys.executable, "-c", code, str(tmp_path)]  # type: ignore[attr-defined]
    import subprocess

    subprocess.run(command, cwd=log_process.TESTS, check=True)
