"""Bodies: how they are packed, what is learnt from them, and that nothing of them stays when their logs go."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Bodies, Logged
from gaugeway.core.ports import Retention
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.stores.sqlite import log_removal, payloads
from gaugeway.stores.sqlite.compression import Codec, Damaged, learn
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.payloads import Payloads
from gaugeway.stores.sqlite.syncing import Syncing, flush
from support.some_logs import OTHER_SCOPE, SCOPE, a_log, at, keep_all, logged


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLogStore]:
    store = SqliteLogStore(tmp_path)
    yield store
    store.close()


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of each database with its write-ahead log."""
    return {name: sum(path.stat().st_size for path in folder.glob(f"{name}.db*")) for name in ("logs", "payloads")}


def chat(number: int) -> Bodies:
    """Bodies that look alike and are all different."""
    request = f'{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"How old is {number}?"}}]}}'
    response = f'{{"object":"chat.completion","choices":[{{"message":{{"content":"{number**9}"}}}}]}}'
    return Bodies(request=request.encode(), response=response.encode())


def fill(store: SqliteLogStore, count: int, scope=SCOPE) -> None:
    for begin in range(0, count, 250):
        batch = [Logged(a_log(scope, path=f"p{n}"), Bodies(request=os.urandom(2000))) for n in range(250)]
        store.append(batch[: count - begin], keep_all)


@pytest.mark.parametrize("everything", [True, False], ids=["the gateway", "by filter"])
def test_deleting_gives_the_space_back(store, tmp_path, everything):
    empty = sizes(tmp_path)
    fill(store, 3000)
    full = sizes(tmp_path)
    assert full["payloads"] > 6_000_000
    if everything:
        store.delete_scope(SCOPE)
    else:
        assert store.delete(SCOPE, EVERYTHING, Slice(limit=10_000)) == 3000
    after = sizes(tmp_path)
    slack = (log_removal.SLACK_PAGES + 2) * 8192
    assert after["payloads"] <= empty["payloads"] + slack
    assert after["logs"] <= empty["logs"] + slack


def test_a_reader_that_takes_long_holds_no_delete_up(store, tmp_path):
    """The write-ahead log is emptied later then."""
    fill(store, 1000)
    started, go_on = threading.Event(), threading.Event()

    def read() -> None:
        with store.logs_database.reading() as connection:
            connection.execute("SELECT count(*) FROM logs").fetchall()
            started.set()
            go_on.wait(60)

    reader = threading.Thread(target=read)
    reader.start()
    started.wait(60)
    try:
        assert store.delete(SCOPE, EVERYTHING, Slice(limit=500)) == 500
        fill(store, 10)
    finally:
        go_on.set()
        reader.join()
    assert store.count(SCOPE, EVERYTHING) == 510


def test_deleting_some_gives_their_space_back(store, tmp_path):
    fill(store, 2000)
    fill(store, 2000, OTHER_SCOPE)
    full = sizes(tmp_path)["payloads"]
    store.delete_scope(SCOPE)
    assert sizes(tmp_path)["payloads"] < full * 0.6
    for record in store.page(OTHER_SCOPE, EVERYTHING, Slice(limit=2000)):
        bodies = store.bodies(OTHER_SCOPE, record.id)
        assert bodies is not None
        assert len(bodies.request or b"") == 2000


def test_a_gateway_at_its_limit_stays_as_large_as_it_is(store, tmp_path):
    def append(begin: int) -> None:
        batch = [Logged(at(begin + n, n), Bodies(request=os.urandom(1000))) for n in range(100)]
        store.append(batch, lambda _scope: Retention(500, "DELETE_OLDEST"))

    for begin in range(0, 2000, 100):
        append(begin)
    files = [tmp_path / "logs.db", tmp_path / "payloads.db"]
    for database in (store.logs_database, store.payloads.database):
        database.checkpoint()
    before = [file.stat().st_size for file in files]
    for begin in range(2000, 6000, 100):
        append(begin)
    for database in (store.logs_database, store.payloads.database):
        database.checkpoint()
    assert store.payloads.database.rows("SELECT count(*) FROM payloads")[0][0] <= 600
    for file, size in zip(files, before, strict=True):
        assert file.stat().st_size <= size * 1.3


def test_space_that_a_lowered_limit_frees_is_given_back_in_the_background(store, tmp_path):
    fill(store, 10_000)
    full = sizes(tmp_path)["payloads"]
    store.append(logged([a_log()]), lambda _scope: Retention(10, "DELETE_OLDEST"))
    assert store.count(SCOPE, EVERYTHING) == 10
    deadline = time.monotonic() + 100
    while sizes(tmp_path)["payloads"] >= full / 2:  # a write-ahead log that is being read is emptied later
        assert time.monotonic() < deadline, sizes(tmp_path)
        store.tidy()
        store.payloads.database.checkpoint()


def test_a_call_deletes_at_most_ten_thousand(store):
    for begin in range(0, 10_500, 3500):
        store.append(logged([at(1, begin + n) for n in range(3500)]), keep_all)
    assert store.delete(SCOPE, EVERYTHING, Slice(limit=1 << 40, descending=False)) == 10_000
    assert store.count(SCOPE, EVERYTHING) == 500
    with pytest.raises(ValueError, match="offset"):
        store.delete(SCOPE, EVERYTHING, Slice(offset=1))


# Dictionaries


def test_a_dictionary_is_learnt_and_makes_bodies_smaller(tmp_path):
    kept = Payloads(tmp_path)
    bodies = [chat(number) for number in range(payloads.LEARN_AFTER)]
    kept.put(0, [row for row in kept.pack(bodies) if row], ())
    plain = [row for row in kept.pack(bodies) if row]
    assert kept.should_learn()
    kept.learn()
    assert not kept.should_learn()
    packed = [row for row in kept.pack(bodies) if row]
    assert {row[0] for row in packed} == {1}
    assert sum(len(row[4]) for row in packed) < 0.6 * sum(len(row[4]) for row in plain)
    kept.put(1000, packed, ())
    for number in (0, 999):
        assert kept.get(1 + number) == kept.get(1001 + number) == chat(number)
    kept.close()
    kept = Payloads(tmp_path)
    assert kept.get(1001) == chat(0)
    kept.close()


def test_a_dictionary_goes_with_its_last_body(tmp_path):
    """It holds parts of them."""
    kept = Payloads(tmp_path)
    kept.put(0, [row for row in kept.pack(chat(n) for n in range(1000)) if row], ())
    kept.learn()
    late = [row for row in kept.pack(chat(n) for n in range(5)) if row]
    kept.put(1000, late[:3], ())
    kept.put(1003, (), [1001, 1002])
    assert kept.database.rows("SELECT id FROM zdicts") == [(1,)]
    kept.put(1003, (), [1003])
    assert kept.database.rows("SELECT id FROM zdicts") == []
    kept.put(1003, late[3:], ())
    assert kept.get(1004) == chat(3), "packed before the dictionary went"
    kept.close()


def test_bodies_with_nothing_in_common_teach_nothing():
    assert learn([os.urandom(20) for _ in range(5)]) == b""
    assert learn([]) == b""


@given(body=st.binary(max_size=2000), dictionary=st.booleans())
def test_what_is_packed_is_unpacked(body, dictionary):
    codec = CODECS[dictionary]
    frame = codec.compress(body)
    assert codec.decompress(frame, len(body)) == body
    with pytest.raises(Damaged):
        codec.decompress(frame, len(body) + 1)
    with pytest.raises(Damaged):
        codec.decompress(b"no frame" + frame, len(body))


CODECS = (Codec(), Codec(learn([(chat(n).request or b"") * 3 for n in range(500)])))


# Syncing


def test_a_flush_of_a_log_that_is_gone_is_done_already(tmp_path):
    flush(tmp_path / "gone-wal")
    (tmp_path / "there-wal").write_bytes(b"x")
    flush(tmp_path / "there-wal")


def test_what_was_written_is_flushed_soon_and_then_the_errand_is_run(tmp_path):
    done = threading.Event()
    syncing = Syncing([tmp_path / "a.db"], done.set, interval_s=0.01)
    syncing.written()
    assert done.wait(30)
    syncing.close()


def test_a_disk_that_does_not_take_it_is_reported_to_the_next_writer(tmp_path):
    (tmp_path / "a.db-wal").symlink_to("/dev/null")  # cannot be flushed: EINVAL
    tried = threading.Event()
    syncing = Syncing([tmp_path / "a.db"], tried.set, interval_s=0.01)
    syncing.written()
    assert tried.wait(30)
    with pytest.raises(StoreUnusable, match=r"a\.db-wal: .*power cut"):
        syncing.written()
    syncing.close()
