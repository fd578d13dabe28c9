"""The recorder as real processes: nothing lost, nothing doubled, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from gaugeway.recorder import wire
from gaugeway.recorder.address import LOCK, SOCKET, take_lock
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import read_journal
from gaugeway.recorder.spawn import Spawner
from support.recorder_parts import SCRIPT, file_spawner, logged, stored

MIB = 1024 * 1024


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; its recorder is ended after the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for pid in recorders(folder):
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def client_of(
    data: Path, queue_bytes: int = 64 * MIB, say: list[str] | None = None
) -> AsyncIterator[RecorderClient]:
    """A client in this process."""
    client = RecorderClient(data, file_spawner(data), queue_bytes, say=[].append if say is None else say.append)
    client.start()
    try:
        yield client
    finally:
        await client.aclose(0.5)


def recorders(data: Path) -> list[int]:
    """The recorder processes of a data folder that live (a zombie does not)."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"recorder" in command and os.fsencode(data) in command:
                found.append(int(folder.name))
    return found


async def until(condition: object, what: str) -> None:
    """Wait for a condition that must come."""
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


def durations(data: Path) -> list[int]:
    return [row[0] for row in stored(data)]  # type: ignore[misc]


def start_putter(data: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), "putter", str(data), str(first), str(count), "0.01"],
        stdout=subprocess.PIPE,
    )


def told(putter: subprocess.Popen[bytes]) -> dict[str, object]:
    output, _ = putter.communicate(timeout=60)
    return json.loads(output)  # type: ignore[no-any-return]


async def test_a_log_is_durable_after_flush_and_priced(data: Path) -> None:
    async with client_of(data) as client:
        client.put(logged(7, body=b"hello"))
        assert await client.flush(20)
        assert stored(data, "duration, cost, bodies_lost, body") == [(7, "0.5", 0, 5)]
        assert client.lost == 0


async def test_a_log_becomes_durable_without_a_flush(data: Path) -> None:
    async with client_of(data) as client:
        client.put(logged(1))
        await until(lambda: durations(data) == [1], "the log never came")
        await until(lambda: client.state().unacknowledged == 0, "it was never acknowledged")
        assert client.state().held_bytes == 0


async def test_kill_9_of_the_recorder_at_random_moments_loses_and_doubles_nothing(data: Path) -> None:
    count = 2500
    putters = [start_putter(data, first, count) for first in (0, count, 2 * count)]
    kills = 0
    while any(putter.poll() is None for putter in putters):
        await asyncio.sleep(random.uniform(0.05, 0.5))
        for pid in recorders(data)[:1]:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        if kills >= 5:
            break
    answers = [told(putter) for putter in putters]
    assert kills >= 2
    assert answers == [{"durable": True, "lost": 0}] * 3
    assert durations(data) == list(range(3 * count))


async def test_kill_9_of_a_worker_loses_nothing_that_is_a_second_old(data: Path) -> None:
    waiter = subprocess.Popen(
        [sys.executable, str(SCRIPT), "waiter", str(data), "500"], stdout=subprocess.PIPE, text=True
    )
    assert waiter.stdout is not None
    assert await asyncio.to_thread(waiter.stdout.readline) == "put\n"
    waiter.kill()
    waiter.wait()
    waiter.stdout.close()
    assert durations(data) == list(range(500))


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_every_event_loop_will_do(data: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def put() -> None:
        async with client_of(data) as client:
            for number in range(3000):
                client.put(logged(number, body=b"x" * 4000))
            assert await client.flush(20)
            assert client.state().bodies_lost == 0
            assert durations(data) == list(range(3000))

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(put())


async def test_a_barrier_covers_what_other_processes_have_put(data: Path) -> None:
    async with client_of(data) as asker, client_of(data) as other:
        assert await asker.flush(20)
        for round_number in range(20):
            for number in range(10):
                other.put(logged(round_number * 10 + number))
            assert await asker.flush(20)
            assert len(stored(data)) == (round_number + 1) * 10


async def test_a_barrier_waits_for_a_worker_that_is_not_connected_again_yet(data: Path) -> None:
    """After kill -9 of the recorder one worker is back before the other, which still holds logs."""
    late_may_connect = False

    def late_spawn() -> None:
        if not late_may_connect:
            raise OSError("not yet")

    late = RecorderClient(data, late_spawn, MIB, say=[].append)
    late.start()
    late.put(logged(1))
    async with client_of(data) as asker:
        assert not await asker.flush(0.7)
        late_may_connect = True
        assert await asker.flush(20)
        assert durations(data) == [1]
    await late.aclose(5)


async def test_a_barrier_does_not_wait_for_a_killed_worker(data: Path) -> None:
    async with client_of(data) as asker:
        assert await asker.flush(20)
        putter = start_putter(data, 0, 100_000)
        await until(lambda: durations(data), "the other worker never wrote")
        putter.kill()
        putter.wait()
        assert putter.stdout is not None
        putter.stdout.close()
        asker.put(logged(-1))
        assert await asker.flush(20)
        assert -1 in durations(data)


async def test_many_flushes_at_once_share_barriers(data: Path) -> None:
    async with client_of(data) as client, client_of(data) as other:
        client.put(logged(1))
        other.put(logged(2))
        assert all(await asyncio.gather(*(client.flush(20) for _ in range(200)), other.flush(20)))
        assert durations(data) == [1, 2]


async def test_flush_is_false_when_nobody_answers_in_time(data: Path) -> None:
    client = RecorderClient(data, lambda: None, MIB, say=[].append)
    client.start()
    assert not await client.flush(0.2)
    assert client.state().trouble is not None
    assert not client.state().connected
    assert await client.aclose(0.1)


async def test_a_full_disk_keeps_tells_and_goes_on(data: Path) -> None:
    (data / "full").touch()
    async with client_of(data) as client:
        client.put(logged(1))
        assert not await client.flush(1.0)
        await until(client.is_full, "it is not told")
        assert "no room left on the disk" in (client.state().trouble or "")
        async with client_of(data) as another:
            await until(another.is_full, "who comes later is not told")
        assert client.state().unacknowledged == 1
        assert stored(data) == []
        (data / "full").unlink()
        assert await client.flush(20)
        assert durations(data) == [1]
        await until(lambda: client.state().trouble is None, "the trouble was not taken back")
        assert not client.is_full()


async def test_a_full_queue_gives_up_bodies_first_then_logs_and_says_so(data: Path) -> None:
    (data / "full").touch()
    said: list[str] = []
    body = b"x" * 10_000
    async with client_of(data, MIB, said) as client:
        await until(lambda: client.state().connected, "no recorder came")
        client.put(logged(0))
        await until(lambda: "no room" in (client.state().trouble or ""), "the trouble was not told")
        for number in range(1, 3001):
            client.put(logged(number, body=body))
            assert client.state().held_bytes <= MIB
        state = client.state()
        assert state.bodies_lost > 0
        assert state.lost > 0
        assert len(said) == 1
        assert "no room left on the disk" in said[0]
        (data / "full").unlink()
        assert await client.flush(20)
        kept = stored(data, "duration, bodies_lost, body")
        assert len(kept) == 3001 - state.lost
        assert {row[1:] for row in kept[1:]} == {(0, len(body)), (1, None)}
        assert sum(row[1] for row in kept) >= len(kept) // 2  # type: ignore[misc]
        await until(lambda: read_journal(data), "the loss was not written down")
        assert sum(loss.count for loss in read_journal(data)) == state.lost
        assert {loss.gateway_id for loss in read_journal(data)} == {"main"}


async def test_two_recorders_started_at_once_one_serves(data: Path) -> None:
    command = [sys.executable, str(SCRIPT), "recorder", str(data)]
    both = [subprocess.Popen(command, start_new_session=True) for _ in range(2)]
    async with client_of(data) as client:
        client.put(logged(1))
        assert await client.flush(20)
        await until(lambda: len([one for one in both if one.poll() is None]) <= 1, "no recorder gave way")
        await until(lambda: len(recorders(data)) == 1, "more than one recorder stayed")
    for one in both:
        one.wait(20)
        assert one.returncode == 0


async def test_a_long_data_path_works(tmp_path: Path) -> None:
    data = tmp_path / ("d" * 100) / ("e" * 100)
    data.mkdir(parents=True)
    async with client_of(data) as client:
        client.put(logged(1))
        assert await client.flush(20)
        assert durations(data) == [1]
        assert (data / SOCKET).stat().st_mode & 0o777 == 0o600


async def test_ctrl_c_does_not_touch_the_recorder_and_sigterm_drains_it(data: Path) -> None:
    async with client_of(data) as client:
        assert await client.flush(20)
        (first,) = recorders(data)
        os.kill(first, signal.SIGINT)
        client.put(logged(1))
        assert await client.flush(20)
        assert recorders(data) == [first]
        for number in range(2, 500):
            client.put(logged(number))
        os.kill(first, signal.SIGTERM)  # what was put and is not even sent is written all the same
        await until(lambda: first not in recorders(data), "SIGTERM did not end it")
        assert len(stored(data)) == 499
        client.put(logged(500))
        assert await client.flush(20)  # by the next recorder
        assert recorders(data) != [first]
        assert durations(data) == list(range(1, 501))


@pytest.mark.parametrize("in_peace", [True, False])
async def test_the_recorder_leaves_after_its_clients(data: Path, in_peace: bool) -> None:
    if in_peace:
        async with client_of(data) as client:
            client.put(logged(1))
            assert await client.flush(20)
    else:
        putter = start_putter(data, 0, 100_000)
        await until(lambda: durations(data), "nothing was written")
        putter.kill()
        putter.wait()
        assert putter.stdout is not None
        putter.stdout.close()
    assert len(recorders(data)) == 1
    await until(lambda: not recorders(data), "the recorder stayed")
    assert not (data / SOCKET).exists()
    lock = take_lock(data)
    assert lock is not None
    os.close(lock)


async def test_a_recorder_whose_folder_was_removed_does_not_stay(data: Path) -> None:
    """It holds a log that it could not write, and nobody can find it any more."""
    (data / "full").touch()
    putter = start_putter(data, 0, 100_000)
    await until(lambda: recorders(data), "no recorder came")
    await asyncio.sleep(1)
    shutil.rmtree(data)
    putter.kill()
    putter.wait()
    assert putter.stdout is not None
    putter.stdout.close()
    await until(lambda: not recorders(data), "the recorder stayed")


async def test_what_a_stranger_sends_closes_its_connection_only(data: Path) -> None:
    async with client_of(data) as client:
        assert await client.flush(20)
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n" * 10, b"\xff" * 17, b"\x00" * 17, os.urandom(4096)):
            reader, writer = await asyncio.open_unix_connection(data / SOCKET)
            writer.write(rubbish)
            with contextlib.suppress(ConnectionResetError):  # what was not read yet is thrown away
                await asyncio.wait_for(reader.read(), 10)  # ends: the recorder closed it
            writer.close()
        client.put(logged(1))
        assert await client.flush(20)


async def test_a_client_of_another_version_is_refused_with_a_reason(data: Path) -> None:
    """What it sends could hold fields that this recorder would drop unseen."""
    async with client_of(data) as client:
        assert await client.flush(20)
        reader, writer = await asyncio.open_unix_connection(data / SOCKET)
        writer.write(wire.message(wire.Kind.HELLO, wire.Hello("stranger", 1, "another layout")))
        length, kind, _, _ = wire.HEADER.unpack(await reader.readexactly(wire.HEADER.size))
        assert kind == wire.Kind.REFUSED
        assert b"another version of Gaugeway" in await reader.readexactly(length)
        assert await reader.read() == b""
        writer.close()


async def test_a_killed_recorders_process_does_not_stay_as_a_zombie(data: Path) -> None:
    spawner: Spawner = file_spawner(data)
    client = RecorderClient(data, spawner, MIB, say=[].append)
    client.start()
    assert await client.flush(20)
    (first,) = recorders(data)
    os.kill(first, signal.SIGKILL)
    client.put(logged(1))
    assert await client.flush(20)
    assert not Path(f"/proc/{first}").exists()
    assert await client.aclose(5)


async def test_one_log_that_no_store_takes_does_not_stop_the_others(data: Path) -> None:
    """Wrong types from a fault of ours, text that is no text, numbers that no column holds."""
    async with client_of(data) as client:
        client.put(logged(1))
        client.put(logged(2, model="\ud800"))
        client.put(logged(3, metadata={"n": 1 << 80}))
        client.put(logged(4, status_code="200"))
        client.put(logged(1 << 63))
        client.put(logged(5))
        assert await client.flush(20)
        rows = stored(data, "duration, error")
        assert len(rows) == 6
        assert client.lost == 0
        whole = {row[0] for row in rows if row[1] is None}
        assert whole == {1, 5}
        assert all("could not be stored whole" in str(row[1]) for row in rows if row[1] is not None)


async def test_a_held_lock_without_a_listener_is_waited_for(data: Path) -> None:
    """A recorder that is starting holds the lock before it listens."""
    lock = take_lock(data)
    assert lock is not None
    async with client_of(data) as client:
        client.put(logged(1))
        assert not await client.flush(0.3)
        assert recorders(data) == []
        os.close(lock)
        assert await client.flush(20)
        assert (data / LOCK).exists()
