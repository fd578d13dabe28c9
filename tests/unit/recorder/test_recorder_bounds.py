"""A client that nobody answers: what it may hold, what it gives up, and how it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.model import Scope
from gaugeway.recorder import wire
from gaugeway.recorder.address import CLIENTS, Presence, is_present, present, take_lock
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import JOURNAL, Loss, Losses, read_journal, write_journal
from support.recorder_parts import ACCOUNT, logged

MIB = 1024 * 1024


@asynccontextmanager
async def lonely(data: Path, queue_bytes: int, said: list[str]) -> AsyncIterator[RecorderClient]:
    """A client whose recorder never starts."""
    client = RecorderClient(data, lambda: None, queue_bytes, say=said.append)
    client.start()
    yield client
    await client.aclose(0)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 300_000)), max_size=60), st.booleans())
def test_never_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int | None], encode: bool
) -> None:
    async def run() -> None:
        said: list[str] = []
        async with lonely(tmp_path_factory.mktemp("data"), MIB, said) as client:
            for number, size in enumerate(sizes):
                client.put(logged(number, body=None if size is None else b"x" * size))
                assert client.state().held_bytes <= MIB
                if encode:
                    await asyncio.sleep(0)
            state = client.state()
            assert state.unacknowledged + state.lost == len(sizes)
            assert bool(state.lost) == bool(said)

    asyncio.run(run())


async def test_half_full_costs_the_bodies_and_full_costs_logs(data: Path) -> None:
    said: list[str] = []
    async with lonely(data, MIB, said) as client:
        client.put(logged(1, body=b"x" * (MIB // 4 + 1)))  # request and response: half of it
        assert client.state().bodies_lost == 0
        client.put(logged(2, body=b"x" * 1000))
        assert client.state().bodies_lost == 1
        for number in range(2000):
            client.put(logged(number, body=None))
        state = client.state()
        assert state.lost > 0
        assert state.lost == client.lost
        assert state.lost_by_gateway == {Scope(ACCOUNT, "main"): state.lost}
        assert state.bodies_lost == 1
        assert len(said) == 1
        assert "the queue of 1048576 bytes for the recorder is full" in said[0]


async def test_a_log_that_is_too_big_for_the_queue_loses_its_bodies(data: Path) -> None:
    async with lonely(data, MIB, []) as client:
        client.put(logged(1, body=b"x" * MIB))
        assert client.state().bodies_lost == 1
        assert client.state().lost == 0


async def test_a_log_that_is_too_big_for_a_frame_loses_its_bodies(data: Path) -> None:
    async with lonely(data, 8 * wire.MAX_FRAME, []) as client:
        client.put(logged(1, body=b"x" * (wire.MAX_FRAME // 2)))
        assert client.state().bodies_lost == 1
        client.put(logged(2, path="x" * (wire.MAX_FRAME + 1)))  # not even its columns fit
        await asyncio.sleep(0.1)
        assert client.state().unacknowledged == 2
        assert client.state().held_bytes < MIB


async def test_what_is_left_at_the_end_is_said(data: Path) -> None:
    said: list[str] = []
    client = RecorderClient(data, lambda: None, MIB, say=said.append)
    client.start()
    client.put(logged(1))
    assert not await client.aclose(0.05)
    assert len(said) == 1
    assert said[0].startswith("1 logs may be lost")


async def test_a_waiting_flush_ends_with_the_client(data: Path) -> None:
    client = RecorderClient(data, lambda: None, MIB, say=[].append)
    flush = asyncio.create_task(client.flush())
    await asyncio.sleep(0)
    await client.aclose(0.05)
    assert await flush is False


async def test_a_spawn_that_fails_is_told_and_tried_again(data: Path) -> None:
    tries = 0

    def spawn() -> None:
        nonlocal tries
        tries += 1
        raise OSError("no more processes")

    client = RecorderClient(data, spawn, MIB, say=[].append)
    client.start()
    while tries < 3:
        await asyncio.sleep(0.01)
    assert "no more processes" in (client.state().trouble or "")
    assert await client.aclose(0)


def test_losses_are_summed_by_gateway_and_cause_and_written_down(data: Path) -> None:
    losses = Losses()
    for moment in (5, 3, 9):
        losses.add(Scope("a", "one"), moment, "full")
    losses.add(Scope("a", "two"), 4, "full")
    assert losses.total == 4
    for _ in range(2):  # told again after a crash
        write_journal(data, losses.unreported())
    losses.reported()
    assert not losses
    one, two = read_journal(data)
    assert one == Loss("a", "one", 3, 3, 9, "full", one.id)
    assert two == Loss("a", "two", 1, 4, 4, "full", two.id)
    with (data / JOURNAL).open("ab") as file:
        file.write(b'{"account_id": "a", "gate')  # a crash in the middle of a line
    assert len(read_journal(data)) == 2


def test_a_presence_lasts_as_long_as_its_client(data: Path) -> None:
    first, second = Presence(data), Presence(data)
    assert present(data) == {first.name, second.name}
    first.leave()
    assert present(data) == {second.name}
    (data / CLIENTS / "0123456789abcdef").touch()  # what kill -9 leaves: a file that nobody holds
    assert present(data) == {second.name}
    assert not (data / CLIENTS / "0123456789abcdef").exists()
    assert is_present(data, second.name)
    second.leave()
    assert not is_present(data, second.name)


def test_only_one_has_the_lock(data: Path) -> None:
    import os

    lock = take_lock(data)
    assert lock is not None
    assert take_lock(data) is None
    os.close(lock)
    again = take_lock(data)
    assert again is not None
    os.close(again)
