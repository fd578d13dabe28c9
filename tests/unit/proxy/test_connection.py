"""One connection, told byte by byte what came: every way of cutting it up, and many ways of spoiling it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import ProtocolBroken, UpstreamFailure
from gaugeway.proxy.connectors.answer import MOST_WAITING, Answer
from gaugeway.proxy.connectors.connection import MOST_HEAD, Connection
from gaugeway.proxy.connectors.pool import Origin
from support.connectors import outgoing, read_all
from support.strict_http import Written, cuts, read_answer, spoilt, written_answers
from support.wire import Wire

untimed = settings(deadline=None)


class Seen(NamedTuple):
    """What came of an answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    clean: bool
    reusable: bool


class Line:
    """A connection with its transport, and the pool's view of it."""

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.wire = Wire()
        loop = asyncio.get_running_loop()
        self.connection = Connection(Origin(outgoing(80)), loop, self.idle.append, lambda _: None)
        self.connection.connection_made(self.wire)

    def ask(self, **changed: Any) -> tuple[Answer, asyncio.Future[None]]:
        self.idle.clear()
        return self.connection.send(outgoing(80, **changed), b"HEAD")

    async def play(self, parts: Sequence[bytes]) -> Seen:
        """Receive the parts, then the end of the connection; as the event loop does it, not once it is closed."""
        answer, _ = self.ask()
        for part in parts:
            if not self.wire.closed:
                self.connection.data_received(part)
        reusable = bool(self.idle) and not self.wire.closed
        if not self.wire.closed:
            self.connection.eof_received()
        self.connection.connection_lost(None)
        body, failure = await drained(answer)
        return Seen(answer.status, answer.headers, body, failure is None, reusable)


async def drained(answer: Answer) -> tuple[bytes, UpstreamFailure | None]:
    body = b""
    try:
        while part := await answer.read():
            body += part
    except UpstreamFailure as failure:
        return body, failure
    return body, None


@untimed
@given(st.data())
async def test_a_good_answer_is_the_same_however_it_is_cut_up(data: st.DataObject) -> None:
    written: Written = data.draw(written_answers())
    seen = await Line().play(data.draw(cuts(written.wire)))
    assert seen == Seen(*written.read, clean=True, reusable=not written.closes)
    assert read_answer(written.wire) == written.read


@untimed
@given(written_answers())
async def test_a_good_answer_byte_by_byte(written: Written) -> None:
    seen = await Line().play([written.wire[at : at + 1] for at in range(len(written.wire))])
    assert seen == Seen(*written.read, clean=True, reusable=not written.closes)


@untimed
@given(st.data())
async def test_a_good_answer_cut_off_anywhere_is_broken(data: st.DataObject) -> None:
    written: Written = data.draw(written_answers().filter(lambda each: each.read.headers != []))
    wire = written.wire[: data.draw(st.integers(0, len(written.wire) - 1))]
    seen = await Line().play((wire,) if wire else ())
    until_close = not any(name in (b"content-length", b"transfer-encoding") for name, _ in written.read.headers)
    assert seen.clean == (until_close and wire.endswith(seen.body) and read_answer(wire) is not None)
    assert written.read.body.startswith(seen.body)


@untimed
@given(st.data())
async def test_a_spoilt_answer_is_never_taken_for_a_clean_one(data: st.DataObject) -> None:
    """Where ours sees a clean end, the plainest strict reading of the same bytes sees the same answer."""
    wire = data.draw(spoilt(data.draw(written_answers()).wire))
    seen = await Line().play((wire,) if wire else ())
    if seen.clean:
        assert read_answer(wire) == (seen.status, seen.headers, seen.body)


@untimed
@given(st.data())
async def test_a_spoilt_answer_is_the_same_however_it_is_cut_up(data: st.DataObject) -> None:
    wire = data.draw(spoilt(data.draw(written_answers()).wire))
    at_once = await Line().play((wire,) if wire else ())
    assert await Line().play(data.draw(cuts(wire))) == at_once


@untimed
@given(st.data())
async def test_what_follows_an_answer_is_never_the_next_one(data: st.DataObject) -> None:
    """Bytes that nobody asked for make a connection useless, in the same read or in a later one."""
    written: Written = data.draw(written_answers().filter(lambda each: not each.closes))
    extra = data.draw(st.one_of(st.binary(min_size=1, max_size=20), written_answers().map(lambda each: each.wire)))
    if not extra.strip(b"\r\n"):
        extra += b"H"  # llhttp passes over line breaks between answers, which is harmless
    line = Line()
    answer, _ = line.ask()
    for part in data.draw(cuts(written.wire + extra)):
        if not line.wire.closed:
            line.connection.data_received(part)
    assert line.wire.closed
    assert await read_all(answer) == written.read.body


async def test_the_reader_that_does_not_read_stops_the_reading() -> None:
    line = Line()
    answer, _ = line.ask()
    size = MOST_WAITING * 2
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    line.connection.data_received(b"x" * MOST_WAITING)
    assert line.wire.reading
    line.connection.data_received(b"x")
    assert not line.wire.reading
    assert len(await answer.read()) == MOST_WAITING + 1
    assert line.wire.reading
    line.connection.data_received(b"x" * (MOST_WAITING - 1))
    assert len(await read_all(answer)) == MOST_WAITING - 1
    assert line.idle == [line.connection]


async def test_a_paused_connection_reads_again_for_the_next_answer() -> None:
    line = Line()
    line.ask()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_WAITING + 2))
    line.connection.data_received(b"x" * (MOST_WAITING + 1))
    assert not line.wire.reading
    line.connection.data_received(b"x")  # as a transport may that had it already
    assert line.wire.reading
    assert line.idle == [line.connection]


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("pieces", [1, 2, 7])
async def test_the_limit_of_a_head_is_exact(over: int, pieces: int) -> None:
    frame = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: \r\n\r\n"
    head = frame.replace(b"X: ", b"X: " + b"a" * (MOST_HEAD - len(frame) + over))
    wire = head + b"hello"
    step = -(-len(wire) // pieces)
    seen = await Line().play([wire[at : at + step] for at in range(0, len(wire), step)])
    assert (seen.clean, seen.reusable) == (not over, not over)


async def test_an_answer_that_was_let_go_of_stays_so() -> None:
    line = Line()
    answer, _ = line.ask()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    answer.close()
    assert line.wire.closed
    line.connection.connection_lost(None)
    with pytest.raises(ProtocolBroken):
        await answer.read()


async def test_trailers_of_one_answer_are_no_headers_of_the_next() -> None:
    line = Line()
    line.ask()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.connection.data_received(b"1\r\nx\r\n0\r\nX-Trailer: of the first\r\n\r\n")
    assert line.idle == [line.connection]
    answer, _ = line.ask()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert answer.headers == [(b"content-length", b"0")]


async def test_a_server_that_speaks_first_is_left() -> None:
    line = Line()
    line.connection.data_received(b"220 smtp.example ESMTP\r\n")
    assert line.wire.closed
    assert not line.connection.is_usable()
