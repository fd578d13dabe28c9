"""TLS: who is trusted, which name counts, and what a cut means."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, UpstreamTimeout
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.seam import Timers
from support.certificates import OPENSSL, Authority
from support.connectors import AIOHTTP, NATIVE, connector, outgoing, read_all
from support.raw_upstream import HOST, Peer, answers, raw_upstream

pytestmark = [
    pytest.mark.timeout(60, method="thread"),
    pytest.mark.skipif(OPENSSL is None, reason="certificates are made by the openssl command, which is not here"),
]

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
NAME = "upstream.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "Test CA")


@pytest.fixture(scope="module")
def server_side(authority: Authority) -> ssl.SSLContext:
    return authority.server(f"DNS:{NAME}", f"IP:{HOST}")


@pytest.fixture(params=[NATIVE, AIOHTTP])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


async def _loopback(host: str, port: int) -> list[str]:
    return [HOST]


HERE = AddressGuard(look_up=_loopback)


@pytest.mark.parametrize("host", [NAME, HOST])
async def test_a_trusted_upstream_by_name_and_by_address(
    kind: str, host: str, authority: Authority, server_side: ssl.SSLContext
) -> None:
    asked_for: list[str | None] = []
    server_side.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    async with (
        connector(kind, HERE, authority.trusting_client()) as client,
        raw_upstream(answers(PLAIN), server_side) as upstream,
    ):
        for _ in range(3):
            incoming = await client.open(outgoing(upstream.port, scheme="https", host=host))
            assert await read_all(incoming) == b"hello"
        assert upstream.accepted == (1 if kind == NATIVE else 3)
    assert set(asked_for) == {NAME if host == NAME else None}


async def test_a_large_request_and_a_large_answer(
    kind: str, authority: Authority, server_side: ssl.SSLContext
) -> None:
    body = bytes(range(256)) * 12_000

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(asked.body), asked.body)

    async with (
        connector(kind, HERE, authority.trusting_client()) as client,
        raw_upstream(script, server_side) as upstream,
    ):
        for _ in range(2):
            incoming = await client.open(outgoing(upstream.port, scheme="https", host=NAME, body=body))
            assert await read_all(incoming) == body


async def test_another_name_is_not_trusted(kind: str, authority: Authority, server_side: ssl.SSLContext) -> None:
    async with (
        connector(kind, HERE, authority.trusting_client()) as client,
        raw_upstream(answers(PLAIN), server_side) as upstream,
    ):
        with pytest.raises(ConnectFailed) as failed:
            await client.open(outgoing(upstream.port, scheme="https", host="other.example"))
        assert "other.example" in failed.value.message
        assert upstream.asked == []


async def test_another_authority_is_not_trusted(kind: str, server_side: ssl.SSLContext, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Another CA")
    for trusting in (stranger.trusting_client(), None):  # None: the system's
        async with connector(kind, HERE, trusting) as client, raw_upstream(answers(PLAIN), server_side) as upstream:
            with pytest.raises(ConnectFailed):
                await client.open(outgoing(upstream.port, scheme="https", host=NAME))
            assert upstream.asked == []


async def test_an_upstream_without_tls(kind: str, authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.some(1000)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with connector(kind, HERE, authority.trusting_client()) as client, raw_upstream(script) as upstream:
        with pytest.raises(ConnectFailed):
            await client.open(outgoing(upstream.port, scheme="https", host=NAME))


async def test_a_request_cancelled_in_the_handshake_closes_the_connection(kind: str, authority: Authority) -> None:
    hello, closed = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.some(1)
        hello.set()
        await peer.closed()
        closed.set()

    async with connector(kind, HERE, authority.trusting_client()) as client, raw_upstream(script) as upstream:
        waiting = asyncio.ensure_future(client.open(outgoing(upstream.port, scheme="https", host=NAME)))
        await hello.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await closed.wait()


async def test_a_handshake_that_does_not_end_is_no_connection_in_time(kind: str, authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.closed()

    async with connector(kind, HERE, authority.trusting_client()) as client, raw_upstream(script) as upstream:
        with pytest.raises(UpstreamTimeout) as late:
            await client.open(outgoing(upstream.port, scheme="https", host=NAME, timers=Timers(0.1, 30, 30)))
    assert late.value.safe_to_retry


@pytest.mark.parametrize("end", ["hang_up", "cut"])
async def test_an_answer_that_ends_with_the_connection_needs_a_goodbye(
    kind: str, end: str, authority: Authority, server_side: ssl.SSLContext
) -> None:
    """Without TLS's close_notify somebody on the way may have cut it off."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        getattr(peer, end)()

    async with (
        connector(kind, HERE, authority.trusting_client()) as client,
        raw_upstream(script, server_side) as upstream,
    ):
        opening = client.open(outgoing(upstream.port, scheme="https", host=NAME))
        if end == "hang_up" or kind == AIOHTTP:  # aiohttp cannot tell the two apart
            assert await read_all(await opening) == b"hello"
        else:
            with pytest.raises(ProtocolBroken):
                await read_all(await opening)


async def test_an_answer_with_a_length_needs_no_goodbye(
    kind: str, authority: Authority, server_side: ssl.SSLContext
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        peer.cut()

    async with (
        connector(kind, HERE, authority.trusting_client()) as client,
        raw_upstream(script, server_side) as upstream,
    ):
        for _ in range(2):
            incoming = await client.open(outgoing(upstream.port, scheme="https", host=NAME))
            assert await read_all(incoming) == b"hello"
