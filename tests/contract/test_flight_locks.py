"""What every lock of flights must do: one process at a time has a name, and its death frees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.ports import FlightLocks
from gaugeway.stores import Stores, open_stores
from support import store_process

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}


@pytest.fixture(params=sorted(ADAPTERS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ADAPTERS[request.param](tmp_path / "data")


@pytest.fixture
def stores(address: str) -> Iterator[Stores]:
    opened = open_stores(address)
    yield opened
    opened.close()


@pytest.fixture
def locks(stores: Stores) -> FlightLocks:
    return stores.flight_locks


def test_one_process_has_a_name_and_others_wait_until_it_is_free(address: str, locks: FlightLocks) -> None:
    assert locks.take(b"one")
    assert locks.take(b"one")  # a process does not wait for itself
    other = store_process.start("lead", address, "one")
    assert store_process.wait_for_line(other) == "False"
    another = store_process.start("lead", address, "two")
    assert store_process.wait_for_line(another) == "True"
    assert not locks.take(b"two")
    locks.free(b"one")
    third = store_process.start("lead", address, "one")
    assert store_process.wait_for_line(third) == "True"
    assert not locks.take(b"one")
    assert third.stdin is not None
    third.stdin.write("\n")
    third.stdin.flush()
    assert store_process.wait_for_line(third) == "free"
    assert locks.take(b"one")
    for process in (other, another, third):
        process.kill()
        process.communicate()


def test_a_killed_process_frees_what_it_had(address: str, locks: FlightLocks) -> None:
    other = store_process.start("lead", address, "one")
    assert store_process.wait_for_line(other) == "True"
    assert not locks.take(b"one")
    other.kill()
    other.communicate()
    deadline = time.monotonic() + 20
    while not locks.take(b"one"):
        assert time.monotonic() < deadline


def test_freeing_what_one_does_not_have_changes_nothing(address: str, locks: FlightLocks) -> None:
    other = store_process.start("lead", address, "one")
    assert store_process.wait_for_line(other) == "True"
    locks.free(b"one")
    locks.free(b"two")
    assert not locks.take(b"one")
    other.kill()
    other.communicate()


def test_after_closing_they_say_so(stores: Stores, address: str) -> None:
    stores.close()
    with pytest.raises(StoreUnusable):
        stores.flight_locks.take(b"one")
    stores.flight_locks.free(b"one")
    open_stores(address).close()
