"""What a process remembers of the cache is never older than the database, whoever changes it or dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.ports import CachedAnswer
from gaugeway.stores.sqlite import remembered
from gaugeway.stores.sqlite.cache import SqliteCache
from support.state import SCOPE

NOW = 1_795_000_000_000
KEY = sha256(b"a").digest()
_nobody: Any = None


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SqliteCache, SqliteCache]]:
    """Two openings, as two processes have them."""
    ours, theirs = SqliteCache(tmp_path, 1_000_000), SqliteCache(tmp_path, 1_000_000)
    yield ours, theirs
    ours.close()
    theirs.close()


def put(cache: SqliteCache, text: bytes, key: bytes = KEY, lives: int = 60_000) -> None:
    answer = CachedAnswer([(b"content-type", b"text/plain")], text)
    assert cache.put(SCOPE, key, answer, asked_at=NOW, now_ms=NOW, expires_at=NOW + lives)


def body(cache: SqliteCache, at: int = NOW) -> bytes | None:
    found = cache.get(KEY, at)
    return None if found is None else found.body


def test_what_was_read_once_is_not_read_again(two: tuple[SqliteCache, SqliteCache]) -> None:
    put(two[1], b"first")
    assert two[0].get(KEY, NOW) is two[0].get(KEY, NOW)


@pytest.mark.parametrize("by", [0, 1], ids=["itself", "another process"])
@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda cache: put(cache, b"second"), b"second"),
        (lambda cache: cache.clear(SCOPE, NOW + 1), None),
        (lambda cache: put(cache, b"x" * 999_500, sha256(b"large").digest()), None),  # makes room
    ],
    ids=["replaced", "emptied", "evicted"],
)
def test_a_change_is_seen_at_once(
    two: tuple[SqliteCache, SqliteCache], by: int, change: Callable[[SqliteCache], object], after: bytes | None
) -> None:
    put(two[1], b"first")
    assert body(two[0]) == body(two[0]) == b"first"
    change(two[by])
    assert body(two[0]) == after


def test_what_has_expired_is_not_given(two: tuple[SqliteCache, SqliteCache]) -> None:
    put(two[0], b"first", lives=1000)
    assert body(two[0], NOW + 999) == b"first"
    assert body(two[0], NOW + 1000) is None


def test_a_change_whose_process_died_before_or_after_its_commit_is_not_overlooked(
    two: tuple[SqliteCache, SqliteCache], tmp_path: Path
) -> None:
    ours, theirs = two
    put(theirs, b"first")
    assert body(ours) == b"first"
    change = theirs._memory.change()
    change.touch(KEY)
    change.before_commit(_nobody)  # from here on it may be committed at any moment
    with theirs._database.writing() as connection:
        connection.execute("UPDATE answers SET body = ?", (b"committed, and then killed",))
    assert body(ours) == body(ours) == b"committed, and then killed"
    assert ours.get(KEY, NOW) is not ours.get(KEY, NOW), "an odd slot is not remembered"
    SqliteCache(tmp_path, 1_000_000).close()  # whoever opens the folder next mends it
    assert ours.get(KEY, NOW) is ours.get(KEY, NOW)


def test_what_is_read_while_it_changes_is_not_remembered(two: tuple[SqliteCache, SqliteCache]) -> None:
    ours, theirs = two
    put(theirs, b"first")
    numbers = ours._memory.numbers(KEY)
    put(theirs, b"second")
    ours._memory.remember(KEY, numbers, CachedAnswer([], b"first"), expires=NOW + 1000, used=NOW)
    assert body(ours) == b"second"


def test_it_is_bounded(two: tuple[SqliteCache, SqliteCache], monkeypatch: pytest.MonkeyPatch) -> None:
    memory = two[0]._memory
    monkeypatch.setattr(remembered, "MAX_BYTES", 10_000)
    for number in range(100):
        key = sha256(b"%d" % number).digest()
        answer = CachedAnswer([], b"x" * 1000)
        memory.remember(key, memory.numbers(key), answer, expires=NOW + 1000, used=NOW)
    assert len(memory._kept) == 6
    assert memory.find(sha256(b"99").digest(), NOW) is not None
