"""The state stores over several real processes: changes seen at once, and evaluations run exactly once."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.stores import Stores, open_stores
from gaugeway.stores.sqlite.accounts import SqliteAccounts
from gaugeway.stores.sqlite.config_version import ConfigVersion
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.gateways import SqliteGateways
from gaugeway.stores.sqlite.opening import open_state
from support import store_process
from support.state import ACCOUNT, SCOPE, a_gateway, a_token, an_account, an_evaluation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def stores(folder: Path) -> Iterator[Stores]:
    opened = open_stores(folder)
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


class Watcher:
    """Another process that tells the version it sees."""

    def __init__(self, folder: Path) -> None:
        self._process = store_process.start("tell_version", folder)
        assert store_process.wait_for_line(self._process) == "ready"

    def version(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(store_process.wait_for_line(self._process))

    def close(self) -> None:
        store_process.finish(self._process)


class Refusing:
    """A commit's witness that does its part and then will not have it."""

    def __init__(self, witness: ConfigVersion) -> None:
        self._witness = witness
        self.after_commit = witness.after_commit

    def before_commit(self, connection: Connection) -> None:
        self._witness.before_commit(connection)
        raise ZeroDivisionError


@pytest.fixture
def watcher(stores: Stores, folder: Path) -> Iterator[Watcher]:
    watching = Watcher(folder)
    yield watching
    watching.close()


def file_number(folder: Path) -> int:
    return int.from_bytes((folder / "config.version").read_bytes(), "little")


def die_changing(folder: Path, moment: str) -> None:
    dying = store_process.start("die_changing", folder, moment)
    dying.communicate(timeout=60)
    assert dying.returncode == -signal.SIGKILL


def test_each_change_is_seen_in_another_process_when_it_has_returned(stores: Stores, watcher: Watcher) -> None:
    seen = [watcher.version()]
    for number in range(50):
        stores.tokens.create(a_token(f"token {number}"))
        seen.append(watcher.version())
        assert watcher.version() == seen[-1] == stores.config.version()
    assert len(set(seen)) == len(seen)


def test_a_change_whose_process_died_after_the_commit_is_seen_nevertheless(
    stores: Stores, folder: Path, watcher: Watcher
) -> None:
    before = watcher.version()
    die_changing(folder, "after")
    assert stores.gateways.get(SCOPE) == a_gateway(cache_ttl=77)
    assert file_number(folder) % 2 == 1
    after = watcher.version()
    assert after != before
    assert after == stores.config.version()

    stores.tokens.create(a_token())
    assert file_number(folder) % 2 == 0
    assert watcher.version() == stores.config.version()
    assert watcher.version() not in (before, after)


def test_a_change_whose_process_died_before_the_commit_never_was(
    stores: Stores, folder: Path, watcher: Watcher
) -> None:
    before = watcher.version()
    die_changing(folder, "before")
    assert stores.gateways.get(SCOPE) == a_gateway()
    assert watcher.version() == before == stores.config.version()
    stores.gateways.replace(a_gateway(cache_ttl=1))
    assert watcher.version() != before


@pytest.mark.parametrize("moment", ["before", "after"])
def test_opening_the_folder_again_heals_what_a_dead_process_left(stores: Stores, folder: Path, moment: str) -> None:
    die_changing(folder, moment)
    assert file_number(folder) % 2 == 1
    seen = stores.config.version()
    open_stores(folder).close()
    assert file_number(folder) % 2 == 0
    assert stores.config.version() == seen


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 8, b"\x00" * 100])
def test_a_version_file_that_is_damaged_is_made_right_at_the_start(folder: Path, content: bytes) -> None:
    stores = open_stores(folder)
    stores.accounts.create(an_account())
    seen = stores.config.version()
    stores.close()
    (folder / "config.version").write_bytes(content)
    stores = open_stores(folder)
    assert stores.config.version() == seen
    stores.close()


def test_a_version_file_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "config.version").mkdir(parents=True)
    with pytest.raises(StoreUnusable, match=r"config\.version: cannot be used"):
        open_stores(folder)


def test_a_change_that_fails_leaves_the_version_even_and_unchanged(folder: Path) -> None:
    state = open_state(folder)
    config = ConfigVersion(state, folder / "config.version")
    before = config.version()
    with pytest.raises(ZeroDivisionError), state.writing(config) as connection:
        connection.execute("UPDATE config SET changes = 1000")
        raise ZeroDivisionError
    assert config.version() == before == file_number(folder)
    config.close()
    state.close()


def test_a_commit_that_fails_leaves_the_version_even_and_unchanged(folder: Path) -> None:
    state = open_state(folder)
    config = ConfigVersion(state, folder / "config.version")
    gateways = SqliteGateways(state, Refusing(config))
    SqliteAccounts(state, config).create(an_account())
    before = config.version()
    with pytest.raises(ZeroDivisionError):
        gateways.create(a_gateway())
    assert gateways.get(SCOPE) is None
    assert config.version() == before == file_number(folder)
    config.close()
    state.close()


def test_four_processes_run_each_of_many_evaluations_exactly_once(
    stores: Stores, folder: Path, tmp_path: Path
) -> None:
    made = [an_evaluation(f"evaluation {number}", created_at=number) for number in range(120)]
    for evaluation in made:
        stores.evaluations.create(evaluation)
    start_file = tmp_path / "go"
    runners: list[subprocess.Popen[str]] = [
        store_process.start("run_evaluations", folder, f"runner {number}", start_file) for number in range(4)
    ]
    for runner in runners:
        assert store_process.wait_for_line(runner) == "ready"
    start_file.touch()
    ran = {f"runner {number}": store_process.finish(runner).split() for number, runner in enumerate(runners)}
    assert Counter(each for ids in ran.values() for each in ids) == Counter(evaluation.id for evaluation in made)
    for owner, ids in ran.items():
        for evaluation_id in ids:
            kept = stores.evaluations.get(SCOPE, evaluation_id)
            assert kept is not None
            assert [result.result for result in kept.results] == [owner]
    assert stores.evaluations.claim("late", now_ms=10**12, lease_ms=1) is None


def test_what_was_set_up_is_there_after_a_restart(stores: Stores, folder: Path) -> None:
    stores.tokens.create(a_token())
    before = stores.config.version()
    stores.close()
    again = open_stores(folder)
    assert again.accounts.list() == [an_account()]
    assert again.tokens.list(ACCOUNT) == [a_token()]
    assert again.gateways.get(SCOPE) == a_gateway()
    assert again.config.version() == before
    again.close()
