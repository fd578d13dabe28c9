"""Random answers, whole and spoilt, over both connectors and real sockets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import UpstreamFailure
from gaugeway.proxy.connectors.seam import Connector, Timers
from support.connectors import AIOHTTP, NATIVE, connector, outgoing, read_all
from support.raw_upstream import Peer, Script, raw_upstream
from support.strict_http import Read, Written, cuts, read_answer, spoilt, written_answers

pytestmark = pytest.mark.timeout(120, method="thread")
quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

LIMITED = Timers(connect=10, first_byte=10, idle=10)
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"


def plays(parts: Sequence[bytes]) -> Script:
    """The first request gets these parts and then the end; every other one, on whatever connection, the next."""

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            if b"first" in asked.body:
                await peer.send(*parts)
                peer.hang_up()
                return
            await peer.send(NEXT)

    return script


async def fetched(client: Connector, port: int, body: bytes) -> Read | None:
    """The answer, or None where the connector says that it is broken."""
    try:
        incoming = await client.open(outgoing(port, body=body, timers=LIMITED))
        return Read(incoming.status, incoming.headers, await read_all(incoming))
    except UpstreamFailure:
        return None


@quick
@given(st.data())
async def test_both_read_a_good_answer_alike(data: st.DataObject) -> None:
    written: Written = data.draw(written_answers())
    async with raw_upstream(plays(data.draw(cuts(written.wire)))) as upstream:
        for kind in (NATIVE, AIOHTTP):
            async with connector(kind) as client:
                assert await fetched(client, upstream.port, b"first") == written.read


@pytest.mark.parametrize("kind", [NATIVE, AIOHTTP])
@quick
@given(st.data())
async def test_a_spoilt_answer_ends_and_spoils_nothing_else(kind: str, data: st.DataObject) -> None:
    """It comes to an end; ours reads it as strictly as can be; the next request gets the next answer."""
    wire = data.draw(spoilt(data.draw(written_answers()).wire))
    async with raw_upstream(plays(data.draw(cuts(wire)))) as upstream, connector(kind) as client:
        assert await fetched(client, upstream.port, b"next") == read_answer(NEXT)
        read = await fetched(client, upstream.port, b"first")
        if kind == NATIVE and read is not None:
            assert read == read_answer(wire)
        for _ in range(2):
            assert await fetched(client, upstream.port, b"next") == read_answer(NEXT)
