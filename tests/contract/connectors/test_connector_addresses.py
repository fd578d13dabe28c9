"""Which of a name's addresses are connected to."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from gaugeway.core.errors import ConnectFailed, Side
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.seam import Timers
from support.connectors import AIOHTTP, NATIVE, connector, outgoing, read_all
from support.raw_upstream import HOST, answers, raw_upstream

pytestmark = pytest.mark.timeout(60, method="thread")

PLAIN = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


class Names:
    """A resolver that says what it was told, each time the next thing."""

    def __init__(self, *each: list[str]) -> None:
        self._each = each
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._each[min(len(self.asked), len(self._each)) - 1]


def guard(names: Names, *networks: str) -> AddressGuard:
    return AddressGuard([ipaddress.ip_network(network) for network in networks], look_up=names)


@pytest.fixture(params=[NATIVE, AIOHTTP])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


async def test_the_addresses_of_a_name_are_tried_in_turn(kind: str) -> None:
    names = Names(["127.0.0.2", "127.0.0.3", HOST])
    async with connector(kind, guard(names)) as client, raw_upstream(answers(PLAIN)) as upstream:
        assert await read_all(await client.open(outgoing(upstream.port, host="up.example"))) == b"hello"
        assert upstream.asked[0].headers[0][1] == f"up.example:{upstream.port}".encode()


async def test_an_address_that_does_not_answer_leaves_time_for_the_next(kind: str) -> None:
    names = Names(["127.0.0.2", HOST])
    async with connector(kind, guard(names)) as client, raw_upstream(answers(PLAIN)) as upstream:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.2", upstream.port))
            full.listen(0)
            for waiting in (first, second):
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            request = outgoing(upstream.port, host="up.example", timers=Timers(1, 30, 30))
            assert await read_all(await client.open(request)) == b"hello"


async def test_private_addresses_among_public_ones_are_passed_over(kind: str) -> None:
    names = Names(["10.0.0.1", HOST, "169.254.169.254"])
    async with (
        connector(kind, guard(names, "127.0.0.1")) as client,
        raw_upstream(answers(PLAIN)) as upstream,
    ):
        request = outgoing(upstream.port, host="up.example", guarded=True)
        assert await read_all(await client.open(request)) == b"hello"


async def test_a_name_for_private_addresses_only_is_refused(kind: str) -> None:
    names = Names(["169.254.169.254", "::1"])
    async with connector(kind, guard(names)) as client:
        with pytest.raises(ConnectFailed) as refused:
            await client.open(outgoing(80, host="up.example", guarded=True))
    assert refused.value.side is Side.POLICY
    for part in ("up.example", "169.254.169.254", "metadata", "GAUGEWAY_PRIVATE_UPSTREAMS"):
        assert part in refused.value.message


async def test_a_name_that_changes_its_mind_is_looked_at_each_time(kind: str) -> None:
    """DNS rebinding: what was checked is what is connected to, and a new connection is checked anew."""
    names = Names([HOST], ["127.0.0.2"])
    async with (
        connector(kind, guard(names, "127.0.0.1/32")) as client,
        raw_upstream(answers(PLAIN)) as upstream,
    ):
        request = outgoing(upstream.port, host="up.example", guarded=True)
        assert await read_all(await client.open(request)) == b"hello"
        assert names.asked == ["up.example"]
        with pytest.raises(ConnectFailed) as refused:
            await client.open(request)
        assert refused.value.side is Side.POLICY
        assert upstream.accepted == 1


async def test_a_name_without_addresses(kind: str) -> None:
    async with connector(kind, guard(Names([]))) as client:
        with pytest.raises(ConnectFailed) as failed:
            await client.open(outgoing(80, host="up.example"))
    assert "no internet address" in failed.value.message
