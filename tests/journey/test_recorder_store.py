"""The recorder as it is started by a server: real stores, real prices, kill -9 in between."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from gaugeway.core.model import Account, Gateway, Scope
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.settings import Settings
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.spawn import spawn_recorder
from gaugeway.stores import Stores, open_stores
from support.recorder_parts import ACCOUNT, dying_spawner, logged

MIB = 1024 * 1024
SCOPE = Scope(ACCOUNT, "main")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose recorders are ended after the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for pid in recorders(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def stores(data: Path) -> Iterator[Stores]:
    """Its stores, with one gateway."""
    opened = open_stores(data)
    opened.accounts.create(Account(id=ACCOUNT, name="one", created_at=1))
    opened.gateways.create(Gateway(account_id=ACCOUNT, id="main", created_at=1, modified_at=1))
    yield opened
    opened.close()


def recorders(data: Path) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"gaugeway.record" in command and os.fsencode(data) in command:
                found.append(int(folder.name))
    return found


def client_of(data: Path) -> RecorderClient:
    settings = Settings(bootstrap_token="a-secret-of-the-operator-0123456789abcdef")
    client = RecorderClient(data, spawn_recorder(settings, data), 64 * MIB, say=[].append)
    client.start()
    return client


def all_durations(stores: Stores) -> list[int]:
    found: list[int] = []
    while page := stores.logs.page(SCOPE, EVERYTHING, Slice(offset=len(found), limit=1000)):
        found += [record.duration for record in page]
    return sorted(found)


async def test_every_log_is_there_once_whatever_was_killed(data: Path, stores: Stores) -> None:
    client = client_of(data)
    number = 0
    for _ in range(4):
        until = time.monotonic() + random.uniform(0.3, 0.6)
        while time.monotonic() < until:
            for _ in range(20):
                client.put(logged(number, body=b'{"messages": []}' * 40))
                number += 1
            await asyncio.sleep(0.005)
        for pid in recorders(data):
            os.kill(pid, signal.SIGKILL)
    assert await client.flush(30)
    assert client.lost == 0
    assert all_durations(stores) == list(range(number))
    assert stores.logs.count(SCOPE, EVERYTHING) == number
    newest = stores.logs.page(SCOPE, EVERYTHING, Slice(offset=0, limit=1))[0]
    bodies = stores.logs.bodies(SCOPE, newest.id)
    assert bodies is not None
    assert bodies.request == b'{"messages": []}' * 40
    assert await client.aclose(10)


async def test_logs_are_priced_and_an_unknown_price_has_its_reason(data: Path, stores: Stores) -> None:
    client = client_of(data)
    known, unknown = logged(1, model="gpt-4o-mini"), logged(2, model="no-such-model-anywhere")
    client.put(known)
    client.put(unknown)
    assert await client.flush(30)
    priced = stores.logs.get(SCOPE, known.record.id)
    assert priced is not None
    assert priced.cost is not None
    assert Decimal(0) < priced.cost < Decimal("0.01")
    assert priced.cost_reason is None
    unpriced = stores.logs.get(SCOPE, unknown.record.id)
    assert unpriced is not None
    assert unpriced.cost is None
    assert "no-such-model-anywhere" in (unpriced.cost_reason or "")
    assert await client.aclose(10)


async def test_a_changed_limit_holds_for_the_next_logs_and_a_deleted_gateway_takes_none(
    data: Path, stores: Stores
) -> None:
    client = client_of(data)

    async def put(count: int) -> None:
        for number in range(count):
            client.put(logged(number))
        assert await client.flush(30)

    await put(10)
    assert len(all_durations(stores)) == 10
    stores.gateways.replace(
        Gateway(
            account_id=ACCOUNT,
            id="main",
            created_at=1,
            modified_at=2,
            log_management=12,
            log_management_strategy="STOP_INSERTING",
        )
    )
    await put(10)
    assert len(all_durations(stores)) == 12
    stores.gateways.delete(SCOPE)
    stores.logs.delete_scope(SCOPE)
    await put(5)
    assert all_durations(stores) == []
    assert await client.aclose(10)


async def test_what_a_full_gateway_refuses_is_counted_once_though_the_recorder_dies_after_committing_it(
    data: Path, stores: Stores
) -> None:
    """Killed between the commit and its acknowledgement, so that the same logs are sent again."""
    full = Gateway(
        account_id=ACCOUNT,
        id="main",
        created_at=1,
        modified_at=2,
        log_management=12,
        log_management_strategy="STOP_INSERTING",
    )
    stores.gateways.replace(full)
    client = RecorderClient(data, dying_spawner(data), 64 * MIB, say=[].append)
    client.start()
    for number in range(20):
        client.put(logged(number))
    assert await client.flush(60)
    assert stores.logs.refused(SCOPE) == 8
    for round_ in range(3):
        (data / "die").touch()
        for number in range(10):
            client.put(logged(100 * round_ + number))
        assert await client.flush(60)
        assert not (data / "die").exists(), "it did not die"
        assert stores.logs.refused(SCOPE) == 18 + 10 * round_
    assert len(all_durations(stores)) == 12
    assert client.lost == 0
    assert await client.aclose(30)


async def test_the_recorder_has_no_secret_and_a_clear_name(data: Path, stores: Stores) -> None:
    client = client_of(data)
    assert await client.flush(30)
    (pid,) = recorders(data)
    assert b"a-secret-of-the-operator" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert Path(f"/proc/{pid}/comm").read_text() == "gaugeway-record\n"
    assert os.getsid(pid) == pid  # Ctrl-C in the server's terminal does not reach it
    assert await client.aclose(10)


async def test_the_recorder_does_not_hold_the_servers_port(data: Path, stores: Stores) -> None:
    """A listening socket that is made inheritable for workers must not outlive them in the recorder."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        client = client_of(data)
        assert await client.flush(30)
        (pid,) = recorders(data)
        held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        assert f"socket:[{os.fstat(listener.fileno()).st_ino}]" not in held
    assert await client.aclose(10)


async def test_a_data_folder_that_cannot_be_used_is_told_and_tried_again(data: Path) -> None:
    (data / "logs.db").write_bytes(b"this is no database" * 1000)
    client = client_of(data)
    client.put(logged(1))
    assert not await client.flush(0.1)
    async with asyncio.timeout(60):
        while "logs.db" not in (client.state().trouble or ""):
            await asyncio.sleep(0.02)
    (data / "logs.db").unlink()
    assert await client.flush(30)
    assert await client.aclose(10)
