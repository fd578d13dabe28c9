"""What every connector does, against upstreams that send whatever bytes a test wrote down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, Side, UpstreamTimeout
from gaugeway.proxy.connectors.seam import Connector, Timers
from support.connectors import AIOHTTP, NATIVE, connector, guard_of, outgoing, read_all
from support.raw_upstream import HOST, Asked, Gone, Peer, RawUpstream, answers, answers_and_closes, raw_upstream

# A signal does not interrupt uvloop, so a test that hangs must be ended by another thread.
pytestmark = pytest.mark.timeout(60, method="thread")

OK = b"HTTP/1.1 200 OK\r\n"
LAST = OK + b"Connection: close\r\n"
PLAIN = OK + b"Content-Length: 5\r\n\r\nhello"
SECOND = OK + b"Content-Length: 6\r\n\r\nsecond"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=[NATIVE, AIOHTTP])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def client(kind: str) -> AsyncIterator[Connector]:
    async with connector(kind) as opened:
        yield opened


# What goes out.


async def test_the_request_goes_out_as_it_was_given(client: Connector) -> None:
    async with raw_upstream(answers(PLAIN)) as upstream:
        asked = await _asked(
            client,
            upstream,
            headers=[(b"x-One", b"1"), (b"accept", b"*/*"), (b"x-one", b"2"), (b"user-agent", "mé".encode())],
            target=b"/a%2Fb//c/../d?q=%20&q=a+b&e=",
            body=b"\x00\xff\r\n\r\n",
        )
    assert asked.line == b"POST /a%2Fb//c/../d?q=%20&q=a+b&e= HTTP/1.1"
    assert asked.body == b"\x00\xff\r\n\r\n"
    lower = [(name.lower(), value) for name, value in asked.headers]
    assert lower[0] == (b"host", f"{HOST}:{upstream.port}".encode())
    assert [value for name, value in lower if name == b"x-one"] == [b"1", b"2"]
    # Nothing was added but what frames the message.
    assert sorted(name for name, _ in lower if name != b"connection") == [
        b"accept", b"content-length", b"host", b"user-agent", b"x-one", b"x-one",
    ]  # fmt: skip
    assert (b"content-length", b"6") in lower
    assert (b"user-agent", "mé".encode()) in lower


@pytest.mark.parametrize(("method", "body", "length"), [
    (b"GET", b"", None),
    (b"HEAD", b"", None),
    (b"GET", b"x", b"1"),
    (b"DELETE", b"x", b"1"),
    (b"POST", b"", b"0"),
    (b"PUT", b"", b"0"),
    (b"PATCH", b"", b"0"),
])  # fmt: skip
async def test_content_length_is_sent_where_there_could_be_a_body(
    client: Connector, method: bytes, body: bytes, length: bytes | None
) -> None:
    answer = OK + b"Content-Length: 0\r\n\r\n"
    async with raw_upstream(answers(answer)) as upstream:
        asked = await _asked(client, upstream, method=method, body=body, headers=[])
    headers = {name.lower(): value for name, value in asked.headers}
    assert headers.get(b"content-length") == length
    assert b"transfer-encoding" not in headers
    assert asked.body == body


async def test_a_large_body_arrives(client: Connector) -> None:
    body = bytes(range(256)) * 20_000
    async with raw_upstream(answers(PLAIN)) as upstream:
        assert (await _asked(client, upstream, body=body)).body == body


@pytest.mark.parametrize("poison", [b"\r", b"\n", b"\0", b"\r\nX-Evil: 1", b"a\r\n\r\nGET /evil HTTP/1.1\r\n"])
@pytest.mark.parametrize("where", ["value", "name", "target", "method", "host"])
async def test_a_line_break_or_nul_is_refused_before_anything_is_sent(
    client: Connector, poison: bytes, where: str
) -> None:
    changed = {
        "value": {"headers": [(b"x-good", b"1"), (b"x-a", b"a" + poison)]},
        "name": {"headers": [(b"x-good", b"1"), (b"x" + poison, b"a")]},
        "target": {"target": b"/a" + poison},
        "method": {"method": b"GET" + poison},
        "host": {"host": HOST + poison.decode()},
    }[where]
    async with raw_upstream(answers(PLAIN)) as upstream:
        with pytest.raises(ConnectFailed) as refused:
            await client.open(outgoing(upstream.port, **changed))
        assert refused.value.side is Side.POLICY
        assert not refused.value.safe_to_retry
        assert upstream.accepted == 0


@pytest.mark.parametrize("changed", [
    {"headers": [(b"Host", b"elsewhere")]},
    {"headers": [(b"content-length", b"0")]},
    {"headers": [(b"Transfer-Encoding", b"chunked")]},
    {"headers": [(b"connection", b"close")]},
    {"headers": [(b"a b", b"c")]},
    {"headers": [(b"a:", b"c")]},
    {"headers": [(b"", b"c")]},
    {"target": b"/a b"},
    {"target": b"http://elsewhere/"},
    {"target": b""},
    {"method": b"GET /"},
    {"method": b""},
    {"host": "user@host"},
    {"host": "a/b"},
    {"host": "münchen.example"},
    {"host": ""},
])  # fmt: skip
async def test_what_could_be_read_as_another_request_is_refused(client: Connector, changed: dict[str, Any]) -> None:
    async with raw_upstream(answers(PLAIN)) as upstream:
        with pytest.raises(ConnectFailed) as refused:
            await client.open(outgoing(upstream.port, **changed))
        assert refused.value.side is Side.POLICY
        assert upstream.accepted == 0


# What comes back.

GOOD = {
    "content-length": (b"POST", OK + b"Content-Length: 5\r\n\r\nhello", False, 200, b"hello"),
    "empty": (b"POST", OK + b"Content-Length: 0\r\n\r\n", False, 200, b""),
    "chunked": (b"POST", CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", False, 200, b"hello"),
    "chunk-extensions": (b"POST", CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', False, 200, b"hello"),
    "trailers": (b"POST", CHUNKED + b"5\r\nhello\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", False, 200, b"hello"),
    "chunked, nothing in it": (b"POST", CHUNKED + b"0\r\n\r\n", False, 200, b""),
    "until close": (b"POST", OK + b"\r\nhello", True, 200, b"hello"),
    "until close, nothing": (b"POST", OK + b"\r\n", True, 200, b""),
    "connection: close": (b"POST", LAST + b"Content-Length: 5\r\n\r\nhello", True, 200, b"hello"),
    "http/1.0": (b"POST", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", True, 200, b"hello"),
    "no reason": (b"POST", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", False, 200, b"hello"),
    "error status": (b"POST", b"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nhello", False, 503, b"hello"),
    "unusual status": (b"POST", b"HTTP/1.1 529 Overloaded\r\nContent-Length: 5\r\n\r\nhello", False, 529, b"hello"),
    "redirect": (b"POST", b"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", False, 302, b""),
    "204": (b"POST", b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, b""),
    "304": (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, 304, b""),
    "HEAD": (b"HEAD", OK + b"Content-Length: 5\r\n\r\n", False, 200, b""),
    "HEAD, chunked": (b"HEAD", CHUNKED, False, 200, b""),
    "100": (b"POST", b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, False, 200, b"hello"),
    "102, 103": (
        b"POST",
        b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + PLAIN,
        False,
        200,
        b"hello",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_answer_is_read_however_it_is_cut_up(client: Connector, name: str) -> None:
    method, wire, closes, status, body = GOOD[name]
    body_of = b"" if method == b"HEAD" else outgoing(0).body
    cuts = [(wire,), tuple(wire[at : at + 1] for at in range(len(wire)))]
    cuts += [(wire[:at], wire[at:]) for at in range(1, len(wire), 7)]
    turns = iter(cuts)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(*next(turns))
            if closes:
                peer.hang_up()
                return

    async with raw_upstream(script) as upstream:
        for _ in cuts:
            incoming = await client.open(outgoing(upstream.port, method=method, body=body_of))
            assert incoming.status == status
            assert await read_all(incoming) == body
            assert await incoming.read() == b""  # and again
            incoming.close()


async def test_headers_keep_their_order_and_repeats(client: Connector) -> None:
    wire = (
        OK + b"Set-Cookie: a=1\r\nX-Empty:\r\nServer: \tspaced \r\nset-cookie: b=2\r\nX-Latin: caf\xe9\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    async with raw_upstream(answers(wire)) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        assert incoming.headers == [
            (b"set-cookie", b"a=1"),
            (b"x-empty", b""),
            (b"server", b"spaced"),
            (b"set-cookie", b"b=2"),
            (b"x-latin", b"caf\xe9"),
            (b"content-length", b"0"),
        ]
        assert incoming.whole == b""


async def test_an_encoded_body_is_left_as_it_is(client: Connector) -> None:
    wire = OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
    async with raw_upstream(answers(wire)) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        assert await read_all(incoming) == b"hello"
        assert (b"content-encoding", b"gzip") in incoming.headers


async def test_an_answer_that_came_in_one_piece_is_whole(client: Connector) -> None:
    async with raw_upstream(answers(PLAIN, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")) as upstream:
        for _ in range(2):
            incoming = await client.open(outgoing(upstream.port))
            assert incoming.whole == b"hello"


async def test_chunks_are_handed_over_as_they_come(client: Connector) -> None:
    passed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        await passed.wait()
        for piece in (b"3\r\none\r\n", b"3\r\ntwo\r\n"):
            passed.clear()
            await peer.send(piece)
            await passed.wait()
        await peer.send(b"0\r\n\r\n")

    async with raw_upstream(script) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        assert incoming.whole is None
        for expected in (b"one", b"two", b""):
            passed.set()
            assert await incoming.read() == expected


# Connections are kept.


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"HTTP/1.1 204 N\r\n\r\n"])
async def test_a_clean_connection_is_used_again(client: Connector, kind: str, wire: bytes) -> None:
    async with raw_upstream(answers(wire)) as upstream:
        for _ in range(5):
            await read_all(await client.open(outgoing(upstream.port)))
        assert (upstream.accepted, len(upstream.asked)) == (1 if kind == NATIVE else 5, 5)


async def test_many_at_once_get_their_own_answers(client: Connector, kind: str) -> None:
    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            await asyncio.sleep(0)
            await peer.send(OK + b"Content-Length: %d\r\n\r\n" % len(asked.body), asked.body)

    async def one(number: int) -> bool:
        body = b"%d" % number * 50
        return await read_all(await client.open(outgoing(upstream.port, body=body))) == body

    async with raw_upstream(script) as upstream:
        for _ in range(3):
            assert all(await asyncio.gather(*(one(number) for number in range(40))))
        assert upstream.accepted <= 40 or kind == AIOHTTP


async def test_guarded_and_unguarded_requests_share_no_connection(kind: str) -> None:
    async with connector(kind, guard_of(HOST)) as client, raw_upstream(answers(PLAIN)) as upstream:
        for guarded in (False, True, False, True):
            await read_all(await client.open(outgoing(upstream.port, guarded=guarded)))
        assert upstream.accepted == (2 if kind == NATIVE else 4)


@pytest.mark.parametrize("wire", [
    OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
])  # fmt: skip
async def test_an_answer_that_says_close_is_the_last_on_its_connection(client: Connector, wire: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire)
        await peer.closed()

    async with raw_upstream(script) as upstream:
        for turn in range(3):
            assert await read_all(await client.open(outgoing(upstream.port))) == b"hello"
            assert upstream.accepted == turn + 1


@pytest.mark.parametrize(
    "extra", [PLAIN, b"HTTP/1.1 200 OK\r\nContent-Le", b"x", b"\r\nHTTP/1.1 200", b"\0" * 70_000]
)
@pytest.mark.parametrize("later", [False, True])
async def test_bytes_nobody_asked_for_close_the_connection(
    client: Connector, kind: str, extra: bytes, later: bool
) -> None:
    """However they come, the next answer is the next request's."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        if b"first" not in asked.body:
            await peer.send(SECOND)
            return
        await peer.send(*((PLAIN, extra) if later else (PLAIN + extra,)))
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        try:
            assert await read_all(await client.open(outgoing(upstream.port, body=b"first"))) == b"hello"
        except ProtocolBroken:
            assert kind == AIOHTTP
        await closed.wait()
        assert await read_all(await client.open(outgoing(upstream.port, body=b"next"))) == b"second"


@pytest.mark.parametrize("method", [b"POST", b"GET"])
async def test_a_connection_closed_while_idle_is_not_noticed_by_the_next_request(
    client: Connector, method: bytes
) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        peer.hang_up()
        gone.set()

    async with raw_upstream(script) as upstream:
        for turn in range(3):
            gone.clear()
            assert await read_all(await client.open(outgoing(upstream.port, method=method))) == b"hello"
            await gone.wait()
            assert upstream.accepted == turn + 1
            for _ in range(5):  # the FIN arrives
                await asyncio.sleep(0)


@pytest.mark.parametrize("method", [b"POST", b"GET"])
@pytest.mark.parametrize("end", ["hang_up", "reset"])
async def test_a_request_that_meets_a_closing_connection_is_sent_once_more(
    client: Connector, method: bytes, end: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if len(upstream.asked) == 1:
            await peer.send(PLAIN)
            await peer.request()  # in that moment the server closes the idle connection
            getattr(peer, end)()
        else:
            await peer.send(SECOND)

    async with raw_upstream(script) as upstream:
        assert await read_all(await client.open(outgoing(upstream.port, method=method))) == b"hello"
        assert await read_all(await client.open(outgoing(upstream.port, method=method))) == b"second"
        assert upstream.accepted == 2


async def test_a_fresh_connection_closed_without_an_answer_is_an_error(client: Connector) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.hang_up()

    async with raw_upstream(script) as upstream:
        with pytest.raises(ProtocolBroken) as broken:
            await client.open(outgoing(upstream.port))
        assert not broken.value.safe_to_retry
        assert len(upstream.asked) == 1


async def test_no_request_is_sent_a_third_time(client: Connector) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if len(upstream.asked) == 1:
            await peer.send(PLAIN)
            await peer.request()
        peer.hang_up()

    async with raw_upstream(script) as upstream:
        await read_all(await client.open(outgoing(upstream.port)))
        with pytest.raises(ProtocolBroken) as broken:
            await client.open(outgoing(upstream.port))
        assert not broken.value.safe_to_retry
        assert len(upstream.asked) <= 3


async def test_a_second_copy_that_cannot_be_sent_is_not_called_unsent(client: Connector, kind: str) -> None:
    """The first copy was sent, so nothing may say that trying elsewhere is safe."""
    if kind == AIOHTTP:
        pytest.skip("aiohttp uses no connection twice")
    server: asyncio.Server

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        await peer.request()
        await peer.send(PLAIN)
        await peer.request()
        server.close()
        await asyncio.sleep(0)
        peer.hang_up()

    server = await asyncio.start_server(script, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    await read_all(await client.open(outgoing(port)))
    with pytest.raises(ProtocolBroken) as broken:
        await client.open(outgoing(port))
    assert not broken.value.safe_to_retry
    assert "No connection" in broken.value.message


# Broken answers.

BROKEN = {
    "nothing": b"",
    "cut in the status line": b"HTTP/1.1 20",
    "cut in the headers": OK + b"Content-Len",
    "cut before the blank line": OK + b"Content-Length: 5\r\n",
    "cut in the body": OK + b"Content-Length: 5\r\n\r\nhel",
    "cut before the body": OK + b"Content-Length: 5\r\n\r\n",
    "cut in a chunk": CHUNKED + b"5\r\nhel",
    "cut after a chunk": CHUNKED + b"5\r\nhello\r\n",
    "cut in a chunk's size": CHUNKED + b"5\r\nhello\r\n1",
    "cut before the last line": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "cut in the trailers": CHUNKED + b"5\r\nhello\r\n0\r\nX-T: 1\r\n",
    "cut after 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "html": b"<html>no</html>\r\n\r\n",
    "bad version": b"HTTP/3.7 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "bad status": b"HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status 999": b"HTTP/1.1 999 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status 099": b"HTTP/1.1 099 OK\r\nContent-Length: 5\r\n\r\nhello",
    "101": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 Switching\r\n\r\n" + PLAIN,
    "header without colon": OK + b"nonsense\r\nContent-Length: 5\r\n\r\nhello",
    "NUL in a header": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "length and chunked": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
    "signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "no number": OK + b"Content-Length: five\r\n\r\nhello",
    "endless length": OK + b"Content-Length: 99999999999999999999\r\n\r\nhello",
    "gzip as transfer coding": OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "gzip, then chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "not quite chunked": OK + b"Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunk size is no number": CHUNKED + b"xyz\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "endless chunk size": CHUNKED + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "head too large": OK + b"X: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "head too large, in many": OK + b"X-Header: aaaaaaaa\r\n" * 4_000 + b"Content-Length: 0\r\n\r\n",
}  # fmt: skip
STRICT = {  # refused by ours; aiohttp reads them as a browser would
    "bare LF": OK.replace(b"\r", b"") + b"Content-Length: 5\n\nhello",
    "bare LF at the end of the head": OK + b"Content-Length: 5\r\n\nhello",
    "folded header": OK + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "space behind a chunk's size": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "line break first": b"\r\n" + PLAIN,
    "the same length twice": OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "too many 1xx": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2_000 + PLAIN,
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
}  # fmt: skip


@pytest.mark.parametrize("end", ["hang_up", "reset"])
@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_said_to_be_broken(client: Connector, name: str, end: str) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.request()
        if b"next" in asked.body:
            await peer.send(SECOND)
        else:
            await peer.send(BROKEN[name])
            getattr(peer, end)()

    async with raw_upstream(script) as upstream:
        with pytest.raises(ProtocolBroken) as broken:
            await read_all(await client.open(outgoing(upstream.port)))
        assert not broken.value.safe_to_retry
        assert f"{HOST}:{upstream.port}" in broken.value.message
        # and whatever is left of it, the next request gets its own answer
        assert await read_all(await client.open(outgoing(upstream.port, body=b"next"))) == b"second"


@pytest.mark.parametrize("name", STRICT)
async def test_loose_framing_is_refused(client: Connector, kind: str, name: str) -> None:
    async with raw_upstream(answers_and_closes(STRICT[name])) as upstream:
        if kind == NATIVE:
            with pytest.raises(ProtocolBroken):
                await read_all(await client.open(outgoing(upstream.port)))
            return
        # aiohttp is lenient here. It may refuse; if it reads the answer, it reads this one.
        try:
            body = await read_all(await client.open(outgoing(upstream.port)))
        except ProtocolBroken:
            return
        assert body == b"hello"


async def test_what_came_before_the_break_is_handed_over_first(client: Connector, kind: str) -> None:
    async with raw_upstream(answers_and_closes(CHUNKED + b"5\r\nhello\r\n", b"3\r\nab")) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        got = b""
        with pytest.raises(ProtocolBroken):
            while True:
                part = await incoming.read()
                assert part
                got += part
        if kind == NATIVE:  # aiohttp forgets what was not read yet when it learns of the break
            assert got == b"helloab"
        with pytest.raises(ProtocolBroken):  # and it stays broken
            await incoming.read()


@pytest.mark.parametrize("endless", [b"5;" + b"a" * 100, b"0\r\n" + b"X-Trailer: aaaaaaaaaa\r\n"])
async def test_framing_without_end_is_cut_off(client: Connector, kind: str, endless: bytes) -> None:
    """Chunk extensions and trailers bring no byte of the body; they may not go on for ever."""
    if kind == AIOHTTP:
        pytest.skip("aiohttp has a limit for trailers and none for chunk extensions")
    stopped = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"5\r\nhello\r\n" + endless)
        try:
            while True:
                await peer.send(endless[2:] if endless[:1] == b"5" else endless[3:])
        except Gone:
            stopped.set()

    async with raw_upstream(script) as upstream:
        with pytest.raises(ProtocolBroken):
            await read_all(await client.open(outgoing(upstream.port)))
        await stopped.wait()


async def test_an_early_answer_is_delivered(client: Connector) -> None:
    """The upstream refuses a large body, unread, and closes."""
    wire = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

    async def script(peer: Peer) -> None:
        await peer.request(body=False)
        await peer.send(wire)
        await peer.closed()

    async with raw_upstream(script) as upstream:
        for _ in range(2):
            incoming = await client.open(outgoing(upstream.port, body=b"x" * 8_000_000))
            assert incoming.status == 413
            assert await read_all(incoming) == b"hello"
        assert upstream.accepted == 2


async def test_a_connection_whose_request_was_not_taken_is_not_used_again(client: Connector) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.request(body=False)
        if b"Content-Length: 8000000" in asked:
            await peer.send(PLAIN)
            await peer.closed()
        else:
            await peer.send(SECOND)

    async with raw_upstream(script) as upstream:
        assert await read_all(await client.open(outgoing(upstream.port, body=b"x" * 8_000_000))) == b"hello"
        assert await read_all(await client.open(outgoing(upstream.port, method=b"GET", body=b""))) == b"second"


# No connection.


async def test_a_refused_connection(client: Connector) -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
        with pytest.raises(ConnectFailed) as failed:
            await client.open(outgoing(port))
    assert failed.value.side is Side.NETWORK
    assert failed.value.safe_to_retry
    assert str(port) in failed.value.message


async def test_a_host_that_does_not_resolve(client: Connector) -> None:
    with pytest.raises(ConnectFailed) as failed:
        await client.open(outgoing(80, host="nobody.invalid"))
    assert failed.value.safe_to_retry
    assert "nobody.invalid" in failed.value.message


async def test_no_connection_in_time(client: Connector) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind((HOST, 0))
        full.listen(0)  # one connection may wait to be accepted; for more there is no answer
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        await asyncio.sleep(0)
        with pytest.raises(UpstreamTimeout) as late:
            await client.open(outgoing(full.getsockname()[1], timers=Timers(0.1, 30, 30)))
    assert late.value.safe_to_retry
    assert "0.1 s" in late.value.message


# Time.


async def test_no_headers_in_time(client: Connector) -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        with pytest.raises(UpstreamTimeout) as late:
            await client.open(outgoing(upstream.port, timers=Timers(30, 0.05, 30)))
        await closed.wait()
    assert not late.value.safe_to_retry
    assert late.value.side is Side.PROVIDER
    assert "0.05 s" in late.value.message


async def test_silence_within_the_body(client: Connector) -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED, b"5\r\nhello\r\n")
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        incoming = await client.open(outgoing(upstream.port, timers=Timers(30, 30, 0.05)))
        assert await incoming.read() == b"hello"
        with pytest.raises(UpstreamTimeout):
            await incoming.read()
        await closed.wait()
        with pytest.raises(UpstreamTimeout):  # and it stays so
            await incoming.read()


async def test_headers_that_drip_do_not_win_time(client: Connector, kind: str) -> None:
    if kind == AIOHTTP:
        pytest.skip("aiohttp counts from the last byte, so a dripping head can go on")

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        while True:
            await asyncio.sleep(0.02)
            await peer.send(b"X: y\r\n")

    async with raw_upstream(script) as upstream:
        with pytest.raises(UpstreamTimeout):
            await client.open(outgoing(upstream.port, timers=Timers(30, 0.1, 30)))


async def test_a_request_that_is_not_taken(client: Connector, kind: str) -> None:
    if kind == AIOHTTP:
        pytest.skip("aiohttp has no limit for the time that writing takes")

    async def script(peer: Peer) -> None:
        await never.wait()

    never = asyncio.Event()
    async with raw_upstream(script) as upstream:
        request = outgoing(upstream.port, body=b"x" * 50_000_000, timers=Timers(30, 30, 0.1))
        with pytest.raises(UpstreamTimeout) as late:
            await client.open(request)
    assert "took no more of the request" in late.value.message


async def test_a_slow_upload_is_no_timeout(client: Connector, kind: str) -> None:
    """The first byte's time begins when the request has left; until then there need only be progress."""
    if kind == AIOHTTP:
        pytest.skip("aiohttp has no limit for the time that writing takes")
    size, slowly = 24_000_000, 8_000_000  # more is left after the slow part than sockets' buffers hold

    async def script(peer: Peer) -> None:
        await peer.request(body=False)
        left = size
        while left:
            left -= len(await peer.some(65536))
            if left > size - slowly:
                await asyncio.sleep(0.01)  # more than a second in all
        await peer.send(PLAIN)

    async with raw_upstream(script) as upstream:
        request = outgoing(upstream.port, body=b"x" * size, timers=Timers(30, 1, 1))
        assert await read_all(await client.open(request)) == b"hello"


# Letting go.


async def test_a_cancelled_request_closes_its_connection_before_the_headers(client: Connector) -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        waiting = asyncio.ensure_future(client.open(outgoing(upstream.port)))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await closed.wait()


async def test_a_cancelled_read_closes_the_connection(client: Connector) -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        reading = asyncio.ensure_future(incoming.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await closed.wait()


async def test_close_in_the_middle_closes_the_connection(client: Connector) -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED, b"5\r\nhello\r\n")
        await peer.closed()
        closed.set()

    async with raw_upstream(script) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        await incoming.read()
        incoming.close()
        incoming.close()
        await closed.wait()


async def test_close_after_the_end_keeps_the_connection(client: Connector, kind: str) -> None:
    async with raw_upstream(answers(PLAIN)) as upstream:
        for _ in range(3):
            incoming = await client.open(outgoing(upstream.port))
            await read_all(incoming)
            incoming.close()
        assert upstream.accepted == (1 if kind == NATIVE else 3)


async def test_close_of_an_old_answer_leaves_the_next_one_alone(client: Connector) -> None:
    async with raw_upstream(answers((CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"))) as upstream:
        old = await client.open(outgoing(upstream.port))
        await read_all(old)
        new = await client.open(outgoing(upstream.port))
        old.close()
        assert await read_all(new) == b"hello"


async def test_a_reader_that_stalls_slows_the_upstream_down(client: Connector) -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent, stalled, go_on = 0, asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(1_000):  # 64 MiB
            sending = asyncio.ensure_future(peer.send(piece))
            done, _ = await asyncio.wait({sending}, timeout=None if stalled.is_set() else 0.5)
            if not done:
                stalled.set()
                await go_on.wait()
                await sending
            sent += 0x10000
        await peer.send(b"0\r\n\r\n")

    async with raw_upstream(script) as upstream:
        incoming = await client.open(outgoing(upstream.port))
        await stalled.wait()
        # What the sockets' buffers hold, and what the connector does: by far not all there is.
        assert sent < 32 * 1024 * 1024
        got = len(await incoming.read())
        assert got <= 1024 * 1024
        go_on.set()
        assert got + len(await read_all(incoming)) == 1_000 * 0x10000


async def test_aclose_closes_idle_and_active_connections(kind: str) -> None:
    open_ones = 0

    async def script(peer: Peer) -> None:
        nonlocal open_ones
        open_ones += 1
        asked = await peer.request()
        await peer.send(PLAIN if b"first" in asked.body else CHUNKED)
        await peer.closed()
        open_ones -= 1
        done.set()

    done = asyncio.Event()
    async with raw_upstream(script) as upstream:
        async with connector(kind) as client:
            active = await client.open(outgoing(upstream.port))
            await read_all(await client.open(outgoing(upstream.port, body=b"first")))
            assert open_ones == 2 or kind == AIOHTTP
        while open_ones:
            done.clear()
            await done.wait()
        with pytest.raises(ProtocolBroken):
            await read_all(active)
        with pytest.raises(ConnectFailed):
            await client.open(outgoing(upstream.port))
        assert upstream.accepted == 2


# The guard.


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "::1", "::ffff:127.0.0.1"]
)
async def test_a_guarded_request_does_not_reach_this_machine(client: Connector, host: str) -> None:
    async with raw_upstream(answers(PLAIN)) as upstream:
        with pytest.raises(ConnectFailed) as refused:
            await client.open(outgoing(upstream.port, host=host, guarded=True))
        assert refused.value.side is Side.POLICY
        assert not refused.value.safe_to_retry
        assert "GAUGEWAY_PRIVATE_UPSTREAMS" in refused.value.message
        assert host in refused.value.message
        assert upstream.accepted == 0


@pytest.mark.parametrize(("host", "allowed"), [
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1", "127.0.0.0/8"),
    ("localhost", "localhost"),
    ("localhost", "127.0.0.1"),
])  # fmt: skip
async def test_what_the_operator_allows_is_reached(kind: str, host: str, allowed: str) -> None:
    async with connector(kind, guard_of(allowed)) as client, raw_upstream(answers(PLAIN)) as upstream:
        incoming = await client.open(outgoing(upstream.port, host=host, guarded=True))
        assert await read_all(incoming) == b"hello"


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "100.64.0.1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "10.0.0.1"]
)
async def test_other_private_addresses_are_not_even_tried(client: Connector, host: str) -> None:
    with pytest.raises(ConnectFailed) as refused:
        await client.open(outgoing(80, host=host, guarded=True))
    assert refused.value.side is Side.POLICY


async def _asked(client: Connector, upstream: RawUpstream, **changed: Any) -> Asked:
    """The request that reached the upstream."""
    await read_all(await client.open(outgoing(upstream.port, **changed)))
    return upstream.asked[-1]
