"""Writers that are killed, several at once, disks that fill up, files that are something else."""

from __future__ import annotations

import sqlite3
import time
from decimal import Decimal
from pathlib import Path

import pytest

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.core.model import Bodies, Logged
from gaugeway.core.query import EVERYTHING, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite import log_rows
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.payloads import Payloads
from support import log_process
from support.some_logs import SCOPE, a_log, at, keep_all, logged

SUM_COST = Aggregate(Op.SUM, Column.COST)


def check(store: SqliteLogStore) -> dict[str, bytes]:
    """That rows, counts, rollups and bodies agree, and both files are sound; the bodies by log."""
    for database in (store.logs_database, store.payloads.database):
        assert database.rows("PRAGMA integrity_check") == [("ok",)]
    number = store.count(SCOPE, EVERYTHING)
    assert store.logs_database.rows("SELECT count(*) FROM logs") == [(number,)]
    assert store.logs_database.rows("SELECT sum(logs) FROM counts") == [(number or None,)]
    assert list(store.analytics.differences(lambda _logs: None)) == []
    bodies: dict[str, bytes] = {}
    for record in store.page(SCOPE, EVERYTHING, Slice(limit=1_000_000)):
        kept = store.bodies(SCOPE, record.id)
        bodies[record.id.hex()] = b"" if kept is None or kept.request is None else kept.request
    assert len(bodies) == number
    return bodies


def payloads_nobody_has(store: SqliteLogStore) -> int:
    """Payloads without a log."""
    pids = {pid for (pid,) in store.logs_database.rows("SELECT pid FROM logs")}
    return sum(pid not in pids for (pid,) in store.payloads.database.rows("SELECT pid FROM payloads"))


def test_what_was_acknowledged_survives_kill_9_and_nothing_is_there_twice(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for pause in (0.0, 0.02, 0.05, 0.11, 0.23):
        process = log_process.start("append_for_ever", tmp_path)
        assert process.stdout is not None
        acknowledged += process.stdout.readline().split()
        time.sleep(pause)
        process.kill()
        acknowledged += process.stdout.read().split()
        process.communicate()
    store = SqliteLogStore(tmp_path)
    bodies = check(store)
    assert set(acknowledged) <= set(bodies)
    assert len(bodies) % log_process.BATCH == 0, "a batch is there whole or not at all"
    assert len(bodies) <= len(acknowledged) + 5 * log_process.BATCH
    assert all(body == identifier.encode() * 40 for identifier, body in bodies.items())
    store.append([Logged(a_log(), Bodies(request=b"last"))], keep_all)
    assert payloads_nobody_has(store) == 0
    assert store.aggregate(SCOPE, EVERYTHING, [SUM_COST]).values[SUM_COST] == len(bodies)
    store.close()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    writers = [log_process.start("append_some", tmp_path, 20, 0) for _ in range(3)]
    store = SqliteLogStore(tmp_path)
    store.append(log_process.a_batch(), keep_all)
    for writer in writers:
        log_process.finish(writer)
    bodies = check(store)
    assert len(bodies) == 61 * log_process.BATCH
    assert all(body == identifier.encode() * 40 for identifier, body in bodies.items())
    assert payloads_nobody_has(store) == 0
    store.close()


def test_a_limit_holds_exactly_with_several_processes(tmp_path: Path) -> None:
    for writer in [log_process.start("append_some", tmp_path, 20, 60) for _ in range(3)]:
        log_process.finish(writer)
    store = SqliteLogStore(tmp_path)
    assert len(check(store)) == 60
    store.delete(SCOPE, EVERYTHING, Slice(limit=1))
    assert payloads_nobody_has(store) == 0
    store.close()


class Interrupted(Exception):
    """The crash."""


def test_a_crash_between_payloads_and_rows_leaves_no_wrong_body(tmp_path: Path, monkeypatch) -> None:
    store = SqliteLogStore(tmp_path)
    store.append([Logged(a_log(), Bodies(request=b"before"))], keep_all)
    with monkeypatch.context() as patch:
        patch.setattr(log_rows, "INSERT", "INSERT INTO nothing")
        with pytest.raises(Exception, match="nothing"):
            store.append([Logged(a_log(), Bodies(request=b"lost")) for _ in range(5)], keep_all)
    assert payloads_nobody_has(store) == 5
    record = a_log()
    store.append([Logged(record, Bodies(request=b"after"))], keep_all)
    assert store.bodies(SCOPE, record.id) == Bodies(request=b"after")
    assert payloads_nobody_has(store) == 0
    assert len(check(store)) == 2
    store.close()


def test_a_crash_between_rows_and_payloads_forgets_no_removal(tmp_path: Path, monkeypatch) -> None:
    store = SqliteLogStore(tmp_path)
    record = a_log()
    store.append([Logged(record, Bodies(request=b"body")), Logged(a_log(), Bodies(request=b"stays"))], keep_all)

    def crash(*_: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Payloads, "put", crash)
        with pytest.raises(Interrupted):
            store.delete(SCOPE, Where(((Filter("id", Operator.EQ, (record.id,)),),)), Slice())
    assert store.get(SCOPE, record.id) is None
    assert payloads_nobody_has(store) == 1
    store.append([Logged(a_log(), None)], keep_all)
    assert payloads_nobody_has(store) == 0
    assert len(check(store)) == 2
    store.close()


def test_words_of_a_batch_that_failed_are_not_remembered(tmp_path: Path, monkeypatch) -> None:
    store = SqliteLogStore(tmp_path)
    record = a_log(provider="new", model="newer")
    with monkeypatch.context() as patch:
        patch.setattr(log_rows, "INSERT", "INSERT INTO nothing")
        with pytest.raises(Exception, match="nothing"):
            store.append([Logged(record)], keep_all)
    other = a_log(provider="other", model="another")
    store.append(logged([other, record]), keep_all)
    store.close()
    store = SqliteLogStore(tmp_path)
    assert store.get(SCOPE, record.id) == record
    assert store.get(SCOPE, other.id) == other
    store.close()


def test_a_log_that_cannot_be_stored_stores_nothing_of_its_batch(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    wrong = a_log(duration="long")
    with pytest.raises(Exception, match="TEXT value in INTEGER column"):
        store.append([*logged([a_log()], Bodies(request=b"x")), Logged(wrong)], keep_all)
    assert store.count(SCOPE, EVERYTHING) == 0
    store.append(logged([a_log()]), keep_all)
    assert store.count(SCOPE, EVERYTHING) == 1
    store.close()


def test_a_full_disk_refuses_a_batch_whole_and_takes_it_later(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    batch = log_process.a_batch() * 4
    batch = [
        Logged(a_log(), Bodies(request=bytes(range(256)) * 3, response=item.record.id * 999)) for item in batch
    ]
    database = store.payloads.database
    with database.writing() as connection:
        pages = connection.pragma("page_count")
        connection.pragma("max_page_count", pages)
    with pytest.raises(StoreFull, match="no room left"):
        store.append(batch, keep_all)
    assert store.count(SCOPE, EVERYTHING) == 0
    with database.writing() as connection:
        connection.pragma("max_page_count", 1 << 30)
    store.append(batch, keep_all)
    assert len(check(store)) == 100
    store.close()


@pytest.mark.parametrize("name", ["logs.db", "payloads.db"])
def test_a_file_that_is_something_else_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("This is a shopping list, and long enough not to be taken for an empty file." * 20)
    with pytest.raises(StoreUnusable, match=f"{name}.*not a SQLite database"):
        SqliteLogStore(tmp_path)
    (tmp_path / name).unlink()
    with sqlite3.connect(tmp_path / name) as foreign:
        foreign.execute("CREATE TABLE shopping (item TEXT)")
    foreign.close()
    with pytest.raises(StoreUnusable, match=f"{name}.*something else"):
        SqliteLogStore(tmp_path)


def test_logs_are_there_after_reopening(tmp_path: Path) -> None:
    records = [at(ms, cost=Decimal(ms)) for ms in range(10)]
    for record in records:
        store = SqliteLogStore(tmp_path)
        store.append([Logged(record, Bodies(request=str(record.created_at).encode()))], keep_all)
        store.close()
    store = SqliteLogStore(tmp_path)
    assert store.page(SCOPE, EVERYTHING, Slice(descending=False)) == records
    assert len(check(store)) == 10
    store.close()


def test_damaged_and_lost_bodies_are_no_bodies_of_other_logs(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    damaged, lost, whole = a_log(), a_log(), a_log()
    store.append(logged([damaged, lost, whole], Bodies(request=b"body" * 100)), keep_all)
    with store.payloads.database.writing() as connection:
        connection.execute("UPDATE payloads SET data = x'28b52ffd000000000000' WHERE pid = 1")
        connection.execute("DELETE FROM payloads WHERE pid = 2")
    with pytest.raises(StoreUnusable, match=r"payloads\.db: payload 1 is damaged"):
        store.bodies(SCOPE, damaged.id)
    assert store.bodies(SCOPE, lost.id) is None
    assert store.bodies(SCOPE, whole.id) == Bodies(request=b"body" * 100)
    store.close()


def test_a_body_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    import zstandard

    store = SqliteLogStore(tmp_path)
    record = a_log()
    store.append([Logged(record, Bodies(request=b"body"))], keep_all)
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    with store.payloads.database.writing() as connection:
        connection.execute("UPDATE payloads SET data = ?", (bomb,))
    with pytest.raises(StoreUnusable, match="damaged"):
        store.bodies(SCOPE, record.id)
    store.close()
