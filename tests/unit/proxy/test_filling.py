"""What of an answer may be kept, and whether it came whole and sound."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence

import pytest
import zstandard

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.ports import CachedAnswer
from gaugeway.proxy.cache_policy import MAX_CACHEABLE
from gaugeway.proxy.exchange import Headers, Reply
from gaugeway.proxy.filling import Allowance, Copying, is_sound, kept_headers, may_be_kept

JSON = (b"content-type", b"application/json")
SSE = (b"content-type", b"text/event-stream; charset=utf-8")
CHUNKED = (b"transfer-encoding", b"chunked")
GOOD = json.dumps({"id": "1", "error": None, "choices": []}).encode()
DONE = b'data: {"choices": []}\n\ndata: [DONE]\n\n'


class Incoming:
    """An answer in pieces; a piece that is an exception is raised."""

    def __init__(
        self, headers: Headers, pieces: Sequence[bytes | Exception] = (), whole: bytes | None = None
    ) -> None:
        self.status = 200
        self.headers = headers
        self.whole = whole
        self.closed = False
        self._pieces = [*pieces, b""]

    async def read(self) -> bytes:
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        self.closed = True


def a_reply(*headers: tuple[bytes, bytes], status: int = 200, whole: bytes | None = None) -> Reply:
    incoming = Incoming(list(headers), whole=whole)
    return Reply(status=status, headers=list(headers), body=whole, incoming=incoming)


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % size


def test_a_whole_answer_of_status_200_may_be_kept_and_no_other() -> None:
    assert may_be_kept(a_reply(JSON, whole=GOOD), streams=False)
    for status in (201, 202, 203, 204, 206, 301, 400, 429, 500):
        assert not may_be_kept(a_reply(JSON, whole=GOOD, status=status), streams=True)
    assert not may_be_kept(a_reply(JSON, whole=b""), streams=False)
    assert not may_be_kept(Reply(status=200, headers=[JSON], body=GOOD), streams=False)  # the gateway's own


def test_an_answer_on_its_way_must_have_an_end_that_can_be_told_from_a_cut() -> None:
    assert may_be_kept(a_reply(JSON, length(10)), streams=False)
    assert may_be_kept(a_reply(JSON, CHUNKED), streams=False)
    assert not may_be_kept(a_reply(JSON), streams=False)


def test_the_size_limit() -> None:
    assert may_be_kept(a_reply(JSON, length(MAX_CACHEABLE)), streams=False)
    assert not may_be_kept(a_reply(JSON, length(MAX_CACHEABLE + 1)), streams=False)
    assert not may_be_kept(a_reply(JSON, length(10**30)), streams=False)
    assert not may_be_kept(a_reply(JSON, whole=b"x" * (MAX_CACHEABLE + 1)), streams=False)


def test_streams_only_where_they_are_asked_for_and_only_events() -> None:
    assert not may_be_kept(a_reply(SSE, CHUNKED), streams=False)
    assert may_be_kept(a_reply(SSE, CHUNKED), streams=True)
    for kind in (b"application/x-ndjson", b"application/vnd.amazon.eventstream", b"multipart/x-mixed-replace"):
        assert not may_be_kept(a_reply((b"content-type", kind), CHUNKED), streams=True)


def test_a_coding_that_cannot_be_read_again_is_not_kept() -> None:
    assert may_be_kept(a_reply(JSON, (b"content-encoding", b"GZIP"), CHUNKED), streams=False)
    for coding in (b"br", b"gzip, gzip", b"compress"):
        assert not may_be_kept(a_reply(JSON, (b"content-encoding", coding), CHUNKED), streams=False)


def test_only_what_describes_the_body_is_kept() -> None:
    told = [
        JSON,
        (b"set-cookie", b"a=1"),
        (b"content-encoding", b"gzip"),
        (b"x-request-id", b"7"),
        (b"date", b"now"),
    ]
    assert kept_headers([*told, length(4), CHUNKED, (b"x-ratelimit-remaining-requests", b"3")]) == [
        told[0],
        told[2],
    ]


@pytest.mark.parametrize(
    ("body", "sound"),
    [
        (GOOD, True),
        (b"[1, 2]", True),
        (b'{"error": {}}', True),
        (b'{"error": {"message": "no"}}', False),
        (b'{"error": "no"}', False),
        (GOOD[:-1], False),
        (b"no json", False),
        (b"[" * 100_000, False),
    ],
)
def test_json_must_be_whole_and_no_error(body: bytes, sound: bool) -> None:
    assert is_sound(CachedAnswer([JSON], body)) is sound
    for coding, packed in (
        (b"gzip", gzip.compress(body)),
        (b"deflate", zlib.compress(body)),
        (b"zstd", zstandard.compress(body)),
    ):
        assert is_sound(CachedAnswer([JSON, (b"content-encoding", coding)], packed)) is sound
        assert not is_sound(CachedAnswer([JSON, (b"content-encoding", coding)], packed[:-6]))


def test_a_body_that_swells_without_end_is_not_kept() -> None:
    bomb = gzip.compress(b"[" + b" " * 80_000_000 + b"]", 1)
    assert not is_sound(CachedAnswer([JSON, (b"content-encoding", b"gzip")], bomb))


def test_what_is_no_json_is_taken_as_it_is() -> None:
    assert is_sound(CachedAnswer([(b"content-type", b"audio/mpeg")], b"\xff\xfb"))
    assert is_sound(CachedAnswer([], b'{"error": 1}'))


@pytest.mark.parametrize(
    ("stream", "sound"),
    [
        (DONE, True),
        (DONE.replace(b"\n", b"\r\n"), True),
        (b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n', True),
        (b"event: message_stop\ndata: {}\n\n", True),
        (b'data: {"choices": []}\n\n', False),
        (b'data: {"candidates":[{}]}\n\n', False),
        (b'data: {"candidates":[{"finishReason":"STOP"}]}\n', False),
        (b'data: {"error": {"message": "no"}}\n\ndata: [DONE]\n\n', False),
        (b"event: error\ndata: {}\n\nevent: message_stop\ndata: {}\n\n", False),
        (b"event: response.failed\ndata: {}\n\n", False),
        (b"", False),
    ],
)
def test_a_stream_must_have_its_last_event_and_no_error(stream: bytes, sound: bool) -> None:
    assert is_sound(CachedAnswer([SSE], stream)) is sound


class Keeper:
    """What a copy tells."""

    def __init__(self) -> None:
        self.whole: bytes | None = None
        self.given_up = 0
        self.passed: list[bytes] = []
        self.passed_when_whole: list[bytes] | None = None

    async def keep(self, body: bytes) -> None:
        assert self.whole is None
        self.whole, self.passed_when_whole = body, list(self.passed)

    def give_up(self) -> None:
        self.given_up += 1

    async def drain(self, copying: Copying) -> bytes:
        while piece := await copying.read():
            self.passed.append(piece)
        return b"".join(self.passed)


def a_copy(
    *pieces: bytes | Exception, headers: Headers | None = None, room: int = 1000
) -> tuple[Keeper, Copying, Incoming, Allowance]:
    keeper, allowance = Keeper(), Allowance(room)
    incoming = Incoming([CHUNKED] if headers is None else headers, pieces)
    return keeper, Copying(incoming, allowance, keeper.keep, keeper.give_up), incoming, allowance


async def test_a_copy_is_there_before_the_end_is_passed_on() -> None:
    keeper, copying, incoming, allowance = a_copy(b"ab", b"cd")
    assert await keeper.drain(copying) == b"abcd"
    assert (keeper.whole, keeper.passed_when_whole, keeper.given_up) == (b"abcd", [b"ab", b"cd"], 0)
    assert allowance.take(1000)
    copying.close()
    assert incoming.closed


async def test_a_copy_of_known_length_is_there_before_the_last_piece_is_passed_on() -> None:
    keeper, copying, _, _ = a_copy(b"ab", b"cd", headers=[length(4)])
    assert await keeper.drain(copying) == b"abcd"
    assert (keeper.whole, keeper.passed_when_whole) == (b"abcd", [b"ab"])


async def test_an_answer_that_breaks_off_is_not_kept() -> None:
    keeper, copying, _, allowance = a_copy(b"ab", ProtocolBroken("cut"))
    with pytest.raises(ProtocolBroken):
        await keeper.drain(copying)
    copying.close()
    assert keeper.whole is None
    assert allowance.take(1000)


async def test_an_answer_of_another_length_than_it_said_is_not_kept() -> None:
    keeper, copying, _, _ = a_copy(b"ab", headers=[length(4)])
    await keeper.drain(copying)
    assert (keeper.whole, keeper.given_up) == (None, 1)


async def test_beyond_the_allowance_answers_are_passed_on_only() -> None:
    keeper, copying, _, allowance = a_copy(b"x" * 600, b"x" * 600, b"x" * 600)
    assert len(await keeper.drain(copying)) == 1800
    assert (keeper.whole, keeper.given_up) == (None, 1)
    assert allowance.take(1000)


async def test_an_answer_that_turns_out_too_large_is_passed_on_only() -> None:
    piece = b"x" * (MAX_CACHEABLE // 2)
    keeper, copying, _, allowance = a_copy(piece, piece, b"x", room=10**9)
    assert len(await keeper.drain(copying)) == MAX_CACHEABLE + 1
    assert (keeper.whole, keeper.given_up) == (None, 1)
    assert allowance.take(10**9)
