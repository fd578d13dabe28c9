"""Deleting on a file system that is full, to the last byte."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreFull, StoreFullAfter
from gaugeway.core.model import Bodies, Logged
from gaugeway.core.query import EVERYTHING, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite.ballast import Ballast
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.small_disk import free_bytes, small_disk
from support.some_logs import SCOPE, a_log, keep_all

MIB = 1024 * 1024
SIZE = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, SIZE) as place:
        yield place


@pytest.fixture
def store(disk: Path) -> Iterator[SqliteLogStore]:
    opened = SqliteLogStore(disk)
    yield opened
    opened.close()


def a_batch(count: int, size: int) -> list[Logged]:
    return [Logged(a_log(duration=n % 7), Bodies(request=os.urandom(size))) for n in range(count)]


def fill(store: SqliteLogStore, disk: Path, size: int, count: int = 14) -> None:
    """Logs until there is no room, and then something else into what is left."""
    with pytest.raises(StoreFull, match="no room left"):
        while True:
            store.append(a_batch(count, size), keep_all)
    with pytest.raises(OSError, match="No space left"), (disk / "something-else").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert free_bytes(disk) == 0


def check(store: SqliteLogStore) -> None:
    for database in (store.logs_database, store.payloads.database):
        assert database.rows("PRAGMA integrity_check") == [("ok",)]
    assert list(store.analytics.differences(lambda _logs: None)) == []
    pids = {pid for (pid,) in store.logs_database.rows("SELECT pid FROM logs")}
    assert pids == {pid for (pid,) in store.payloads.database.rows("SELECT pid FROM payloads")} & pids


ONE_IN_SEVEN = Where(((Filter("duration", Operator.EQ, (3,)),),))


@pytest.mark.parametrize("size", [40_000, 250_000], ids=["many logs", "a few large ones"])
@pytest.mark.parametrize(
    "delete",
    [
        lambda store: store.delete_scope(SCOPE),
        lambda store: store.delete(SCOPE, EVERYTHING, Slice(limit=10_000, descending=False)),
        lambda store: store.delete(SCOPE, ONE_IN_SEVEN, Slice(limit=10_000)),
    ],
    ids=["the gateway", "the oldest", "some here and there"],
)
def test_deleting_makes_room(
    store: SqliteLogStore, disk: Path, delete: Callable[[SqliteLogStore], object], size: int
) -> None:
    store.append(a_batch(1, 10), keep_all)
    store.tidy()
    ballast = Ballast(disk / "ballast")
    assert ballast.is_whole
    fill(store, disk, size)
    before = store.count(SCOPE, EVERYTHING)
    delete(store)
    after = store.count(SCOPE, EVERYTHING)
    assert before is not None
    assert after is not None
    assert after < before * 0.9
    assert free_bytes(disk) > MIB, "the space was given back"
    assert ballast.is_whole
    check(store)
    store.append(a_batch(1, size), keep_all)
    assert store.count(SCOPE, EVERYTHING) == after + 1
    check(store)


def test_without_a_ballast_it_says_what_it_could_not_do(store: SqliteLogStore, disk: Path) -> None:
    fill(store, disk, 40_000)
    before = store.count(SCOPE, EVERYTHING)
    assert before is not None
    (disk / "ballast").unlink(missing_ok=True)
    (disk / "ballast").mkdir()  # nothing that could be let go
    try:
        removed = store.delete(SCOPE, ONE_IN_SEVEN, Slice(limit=10_000))
    except StoreFullAfter as problem:
        removed = problem.removed
    assert store.count(SCOPE, EVERYTHING) == before - removed
    check(store)


def test_a_ballast_that_does_not_fit_is_as_large_as_it_can_be(disk: Path) -> None:
    ballast = Ballast(disk / "ballast", 64 * MIB)
    ballast.take_back()
    assert ballast.size == 32 * MIB
    assert not ballast.is_whole
    ballast.let_go()
    assert ballast.size == 0
    assert free_bytes(disk) > SIZE * MIB - MIB
