"""A client against a recorder that breaks off at any moment: everything arrives, and in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from gaugeway.core.model import Logged
from gaugeway.recorder import wire
from gaugeway.recorder.address import SOCKET
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.wire import HEADER, Kind
from support.recorder_parts import logged

MIB = 1024 * 1024


class Unreliable:
    """A recorder that stores by id, and closes the connection at random: before it stores, or before it says so."""

    def __init__(self, random_: random.Random, trust: float) -> None:
        self._random = random_
        self._trust = trust
        self.stored: dict[bytes, int] = {}
        self.received: list[int] = []
        self.breaks = 0

    def _breaks_off(self) -> bool:
        if self._random.random() < self._trust:
            return False
        self.breaks += 1
        self._trust += (1 - self._trust) * 0.02  # so that it ends
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unsaid = 0
        while True:
            length, kind, number, rows = HEADER.unpack(await reader.readexactly(HEADER.size))
            payload = await reader.readexactly(length)
            if self._breaks_off():
                return
            if kind == Kind.HELLO:
                writer.write(wire.frame(Kind.WELCOME))
            elif kind == Kind.BATCH:
                logs = msgspec.msgpack.decode(payload, type=list[Logged])
                assert len(logs) == rows
                for log in logs:
                    self.stored.setdefault(log.record.id, log.record.duration)
                unsaid = number
                if self._breaks_off():
                    return
                if self._random.random() < 0.7:  # else it says it with a later one
                    writer.write(wire.frame(Kind.ACK, unsaid))
            elif kind == Kind.BARRIER:
                writer.write(wire.frame(Kind.ACK, unsaid))
                writer.write(wire.frame(Kind.DONE, number))
            elif kind == Kind.BYE:
                return


@asynccontextmanager
async def serving(data: Path, recorder: Unreliable) -> AsyncIterator[None]:
    server = await asyncio.start_unix_server(recorder.serve, data / SOCKET)
    yield
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("seed", range(6))
async def test_everything_arrives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    recorder = Unreliable(chance, trust=0.8)
    async with serving(tmp_path, recorder):
        client = RecorderClient(tmp_path, lambda: None, 64 * MIB, say=[].append)
        client.start()
        number = 0
        for _ in range(15):
            for _ in range(chance.randrange(200)):
                client.put(logged(number, body=b"x" * chance.randrange(3000)))
                number += 1
            await asyncio.sleep(0.02)
        assert await client.flush(60)
        assert list(recorder.stored.values()) == list(range(number))
        assert client.lost == 0
        assert client.state().unacknowledged == 0
        assert client.state().held_bytes == 0
        assert await client.aclose(10)
    assert recorder.breaks > 0


async def test_a_large_backlog_is_sent_in_bounded_frames(tmp_path: Path) -> None:
    recorder = Unreliable(random.Random(1), trust=1.0)
    client = RecorderClient(tmp_path, lambda: None, 64 * MIB, say=[].append)
    client.start()
    for number in range(100):
        client.put(logged(number, body=b"x" * 100_000))
    async with serving(tmp_path, recorder):
        assert await client.flush(60)
        assert list(recorder.stored.values()) == list(range(100))
        assert await client.aclose(10)


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    writers: list[asyncio.StreamWriter] = []  # the client comes back again and again

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError):
            await reader.readexactly(HEADER.size)
            writer.write(wire.frame(Kind.REFUSED, payload=b"another version"))
        writer.close()

    server = await asyncio.start_unix_server(refuse, tmp_path / SOCKET)
    client = RecorderClient(tmp_path, lambda: None, MIB, say=[].append)
    client.start()
    client.put(logged(1))
    async with asyncio.timeout(10):
        while client.state().trouble != "another version":
            await asyncio.sleep(0.005)
    assert client.state().unacknowledged == 1
    assert not client.state().connected
    assert not await client.aclose(0.05)
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    server.close()
