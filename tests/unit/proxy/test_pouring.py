"""An answer that is poured is the one that is read, however it arrives and however little is taken at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import ProtocolBroken, UpstreamFailure, UpstreamTimeout
from gaugeway.proxy.connectors.answer import MOST_WAITING, Answer
from gaugeway.proxy.connectors.connection import Connection
from gaugeway.proxy.connectors.pool import Origin
from gaugeway.proxy.connectors.seam import Timers
from support.connectors import outgoing
from support.strict_http import Written, cuts, spoilt, written_answers
from support.wire import Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


class Taker:
    """Takes pieces, and says after some of them that it is full."""

    def __init__(self, full_after: int = 0) -> None:
        self.pieces: list[bytes] = []
        self._full_after = full_after

    def __call__(self, piece: bytes) -> bool:
        assert piece
        self.pieces.append(piece)
        return bool(self._full_after) and len(self.pieces) % self._full_after == 0


class Line:
    """A connection that a request was sent on."""

    def __init__(self, timers: Timers | None = None) -> None:
        self.wire = Wire()
        loop = asyncio.get_running_loop()
        self.connection = Connection(Origin(outgoing(80)), loop, lambda _: None, lambda _: None)
        self.connection.connection_made(self.wire)
        request = outgoing(80) if timers is None else outgoing(80, timers=timers)
        self.answer, self.headed = self.connection.send(request, b"HEAD")

    def receive(self, part: bytes) -> None:
        if not self.wire.closed:
            self.connection.data_received(part)

    def end(self) -> None:
        if not self.wire.closed:
            self.connection.eof_received()
        self.connection.connection_lost(None)


async def drained(answer: Answer, taker: Taker | None) -> tuple[bytes, bool]:
    """What came, read or poured, and whether it came to a clean end."""
    pieces = [] if taker is None else taker.pieces
    try:
        if taker is None:
            while piece := await answer.read():
                pieces.append(piece)
        else:
            while not await answer.pour(taker):
                await asyncio.sleep(0)
    except UpstreamFailure:
        return b"".join(pieces), False
    return b"".join(pieces), True


async def played(parts: Sequence[bytes], taker: Taker | None) -> tuple[bytes, bool]:
    """Receive the parts one by one while somebody takes them."""
    line = Line()
    draining: asyncio.Task[tuple[bytes, bool]] | None = None
    for part in parts:
        line.receive(part)
        if draining is None and line.headed.done() and line.answer.status:
            draining = asyncio.create_task(drained(line.answer, taker))
        await asyncio.sleep(0)
    line.end()
    return await (drained(line.answer, taker) if draining is None else draining)


@settings(deadline=None)
@given(st.data(), st.integers(0, 3))
async def test_a_poured_answer_is_the_one_that_is_read(data: st.DataObject, full_after: int) -> None:
    written: Written = data.draw(written_answers())
    wire = data.draw(st.one_of(st.just(written.wire), spoilt(written.wire)))
    parts = data.draw(cuts(wire))
    assert await played(parts, Taker(full_after)) == await played(parts, None)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=3), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(["length", "chunks", "close", "cut"]),
    st.integers(0, 3),
)
async def test_every_piece_is_handed_on_whoever_has_a_turn_between_them(
    pieces: list[tuple[bytes, bool]], framing: str, full_after: int
) -> None:
    line, taker = Line(), Taker(full_after)
    body = b"".join(piece for piece, _ in pieces)
    size = len(body) + (framing == "cut")
    length = b"Content-Length: %d\r\n" % size if framing in ("length", "cut") else b""
    length = b"Transfer-Encoding: chunked\r\n" if framing == "chunks" else length
    line.receive(b"HTTP/1.1 200 OK\r\n%b\r\n" % length)
    draining = asyncio.create_task(drained(line.answer, taker))
    await asyncio.sleep(0)
    for piece, turn in pieces:
        line.receive(b"%x\r\n%b\r\n" % (len(piece), piece) if framing == "chunks" else piece)
        if turn:
            await asyncio.sleep(0)
    if framing == "chunks":
        line.receive(b"0\r\n\r\n")
    line.end()
    assert await draining == (body, framing != "cut")


async def test_a_piece_is_handed_on_while_it_is_received() -> None:
    line, taker = Line(), Taker()
    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    line.receive(b"hello")
    assert taker.pieces == [b"hello"]
    line.receive(b"world")
    assert await pouring is True
    assert taker.pieces == [b"hello", b"world"]
    assert not line.wire.closed


async def test_what_comes_while_the_taker_is_full_waits_and_slows_the_upstream_down() -> None:
    line, taker = Line(), Taker(full_after=1)
    size = 2 * MOST_WAITING + 2
    line.receive(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    line.receive(b"x")
    line.receive(b"y" * (MOST_WAITING + 1))
    assert await pouring is False
    assert taker.pieces == [b"x"]
    assert not line.wire.reading
    assert await line.answer.pour(taker) is False
    assert line.wire.reading
    assert sum(map(len, taker.pieces)) == MOST_WAITING + 2


@pytest.mark.parametrize("is_whole", [True, False])
async def test_what_comes_with_the_end_before_the_taker_had_a_turn_is_not_lost(is_whole: bool) -> None:
    line, taker = Line(), Taker(full_after=1)
    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    line.receive(b"hello")
    line.receive(b"world" if is_whole else b"worl")
    if not is_whole:
        line.end()
    assert await pouring is False
    assert await line.answer.pour(taker) is False
    assert taker.pieces == [b"hello", b"world" if is_whole else b"worl"]
    if is_whole:
        assert await line.answer.pour(taker) is True
    else:
        with pytest.raises(ProtocolBroken):
            await line.answer.pour(taker)


async def test_an_answer_that_breaks_off_raises_once_all_that_came_is_handed_on() -> None:
    line, taker = Line(), Taker()
    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    line.receive(b"hello")
    line.end()
    with pytest.raises(ProtocolBroken):
        await pouring
    assert taker.pieces == [b"hello"]


async def test_silence_while_pouring_is_a_timeout() -> None:
    line, taker = Line(Timers(30, 30, 0.02)), Taker()
    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    line.receive(b"hello")
    with pytest.raises(UpstreamTimeout):
        await pouring
    assert line.wire.closed


async def test_a_defect_of_the_taker_is_its_own_and_ends_the_connection() -> None:
    line = Line()

    def broken(_: bytes) -> bool:
        raise LookupError("a defect")

    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(broken))
    await asyncio.sleep(0)
    line.receive(b"hello")
    with pytest.raises(LookupError):
        await pouring
    assert line.wire.closed


async def test_who_stops_pouring_ends_the_connection() -> None:
    line, taker = Line(), Taker()
    line.receive(HEAD)
    pouring = asyncio.create_task(line.answer.pour(taker))
    await asyncio.sleep(0)
    pouring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pouring
    assert line.wire.closed
