"""How many idle connections are kept, for how long, and which one is taken."""

from __future__ import annotations

import asyncio

import pytest

from gaugeway.core.errors import ConnectFailed
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.connectors.pool import Pool
from support.connectors import outgoing, read_all
from support.raw_upstream import Peer, RawUpstream, raw_upstream

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Counted:
    """An upstream that says how many connections are open, and what each was asked."""

    def __init__(self) -> None:
        self.open = 0
        self.changed = asyncio.Event()

    async def script(self, peer: Peer) -> None:
        self.open += 1
        try:
            while True:
                await peer.request()
                await peer.send(PLAIN)
        finally:
            self.open -= 1
            self.changed.set()

    async def becomes(self, number: int) -> None:
        while self.open != number:
            self.changed.clear()
            await self.changed.wait()


async def ask(client: NativeConnector, upstream: RawUpstream, times: int = 1, **changed: object) -> None:
    """So many requests at once."""
    opened = await asyncio.gather(*(client.open(outgoing(upstream.port, **changed)) for _ in range(times)))
    for incoming in opened:
        assert await read_all(incoming) == b"hello"


@pytest.mark.parametrize("limits", [{"most": 3}, {"most_per_origin": 3}])
async def test_no_more_than_so_many_are_kept(limits: dict[str, int]) -> None:
    counted, pool = Counted(), Pool(**limits)
    client = NativeConnector(AddressGuard(), pool=pool)
    async with raw_upstream(counted.script) as upstream:
        await ask(client, upstream, 8)
        await counted.becomes(3)
        assert len(pool) == 3
        await ask(client, upstream, 3)
        assert upstream.accepted == 8
        await client.aclose()
        await counted.becomes(0)
        assert len(pool) == 0


async def test_the_limit_in_all_goes_over_all_origins() -> None:
    counted, pool = Counted(), Pool(most=2)
    client = NativeConnector(AddressGuard(), pool=pool)
    async with raw_upstream(counted.script) as upstream:
        await ask(client, upstream, host="127.0.0.1")
        await ask(client, upstream, host="localhost")
        await ask(client, upstream, host="LOCALHOST")
        await counted.becomes(2)
        await ask(client, upstream, host="LOCALHOST")
        await ask(client, upstream, host="localhost")
        assert upstream.accepted == 3
        await ask(client, upstream, host="127.0.0.1")  # the oldest had to go
        assert upstream.accepted == 4
        await client.aclose()


async def test_an_old_one_is_closed() -> None:
    counted, pool = Counted(), Pool(oldest=0.05)
    client = NativeConnector(AddressGuard(), pool=pool)
    async with raw_upstream(counted.script) as upstream:
        await ask(client, upstream, 4)
        await counted.becomes(0)
        assert len(pool) == 0
        await ask(client, upstream)
        await counted.becomes(0)
        assert upstream.accepted == 5
        await client.aclose()


async def test_the_one_used_last_is_taken_first() -> None:
    """So that the others grow old and are closed."""
    counted = Counted()
    client = NativeConnector(AddressGuard())
    served: list[int] = []

    async def script(peer: Peer) -> None:
        number = upstream.accepted
        while True:
            await peer.request()
            served.append(number)
            await peer.send(PLAIN)

    async with raw_upstream(script) as upstream:
        await ask(client, upstream, 3)
        last = served[-1]
        for _ in range(5):
            await ask(client, upstream)
        assert served[3:] == [last] * 5
        await client.aclose()
    assert counted.open == 0


async def test_one_that_the_upstream_closes_is_forgotten() -> None:
    pool = Pool()
    client = NativeConnector(AddressGuard(), pool=pool)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        peer.hang_up()

    async with raw_upstream(script) as upstream:
        await ask(client, upstream)
        while len(pool):
            await asyncio.sleep(0)
        await ask(client, upstream)
        await client.aclose()


async def test_nothing_is_kept_and_nothing_opened_after_the_end() -> None:
    counted, pool = Counted(), Pool()
    client = NativeConnector(AddressGuard(), pool=pool)
    async with raw_upstream(counted.script) as upstream:
        await ask(client, upstream)
        await client.aclose()
        await client.aclose()
        await counted.becomes(0)
        with pytest.raises(ConnectFailed):
            await client.open(outgoing(upstream.port))
