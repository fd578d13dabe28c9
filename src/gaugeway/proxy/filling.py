"""Keeping an answer while it is passed on: what may be kept, the copy, and whether it came whole and sound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gaugeway.core.ports import CachedAnswer
from gaugeway.proxy.cache_policy import MAX_CACHEABLE
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.ending import ends_stream
from gaugeway.proxy.exchange import Headers, Reply
from gaugeway.proxy.soundness import is_error

KEPT_HEADERS = frozenset((b"content-type", b"content-encoding", b"content-language", b"content-disposition"))
"""What describes the body. Everything else tells of one exchange with the provider: cookies, limits, ids, dates."""

MAX_DECODED = 64 * 1024 * 1024
"""Bytes that a compressed answer may become; one that becomes more is not kept."""

_CODINGS = frozenset((b"", b"identity", b"gzip", b"x-gzip", b"deflate", b"zstd"))
_SSE = b"text/event-stream"
_OTHER_STREAMS = (
    b"application/x-ndjson",
    b"application/jsonl",
    b"application/json-seq",
    b"application/stream+json",
    b"application/vnd.amazon.eventstream",
    b"multipart/",
)


def may_be_kept(reply: Reply, *, streams: bool) -> bool:
    """Whether an answer that begins like this may be kept, if all of it comes.

    Only status 200: 201 and 202 announce what is being made, 204 has no body, 206 is a part. Only what has an end
    that can be told from a broken connection, is no larger than the limit, in a coding that can be read again.
    """
    incoming = reply.incoming
    if incoming is None or reply.status != 200 or reply.header(b"content-encoding").lower() not in _CODINGS:
        return False
    kind = reply.header(b"content-type").strip().lower()
    if kind.startswith(_OTHER_STREAMS) or (kind.startswith(_SSE) and not streams):
        return False
    if reply.body is not None:
        return 0 < len(reply.body) <= MAX_CACHEABLE
    length = expected_size(incoming)
    if length is None:
        return any(name == b"transfer-encoding" for name, _ in incoming.headers)
    return 0 < length <= MAX_CACHEABLE


def expected_size(incoming: Incoming) -> int | None:
    """The length an answer names."""
    for name, value in incoming.headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def kept_headers(headers: Headers) -> Headers:
    """Those that are kept with the body."""
    return [pair for pair in headers if pair[0] in KEPT_HEADERS]


def header_of(answer: CachedAnswer, wanted: bytes) -> bytes:
    """A kept header's value in lower case; empty where there is none."""
    return next((value.strip().lower() for name, value in answer.headers if name == wanted), b"")


def decoded(answer: CachedAnswer) -> bytes | None:
    """The body as it reads; None where it cannot be read, breaks off, or becomes too large."""
    coding = header_of(answer, b"content-encoding")
    if coding in (b"", b"identity"):
        return answer.body
    body, complete, problem = decode_body(coding, answer.body, MAX_DECODED)
    return body if complete and problem is None else None


def is_sound(answer: CachedAnswer) -> bool:
    """Whether a whole answer is worth giving again: readable to its end, and no error under the status 200."""
    body = decoded(answer)
    if body is None:
        return False
    kind = header_of(answer, b"content-type")
    if kind.startswith(_SSE):
        return _is_good_stream(body)
    if not kind.startswith(b"application/json"):
        return True
    try:
        return not is_error(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _is_good_stream(body: bytes) -> bool:
    """Whether a stream has its last event (Gemini's names a reason to end), and none that is an error."""
    text = body.replace(b"\r\n", b"\n")
    last = text.rstrip(b"\n").rpartition(b"\n\n")[2]
    if not ends_stream(text) and not (text.endswith(b"\n\n") and b'"finishReason"' in last):
        return False
    for line in text.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.strip()
        if name == b"event" and value in (b"error", b"response.failed"):
            return False
        if name == b"data" and value.startswith(
            (b'{"error"', b'{ "error"', b'{"type":"error"', b'{"type": "error"')
        ):
            return False
    return True


class Allowance:
    """Bytes that copies under way may take together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> bool:
        """Whether there is still room, which is then taken."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """The copy is gone."""
        self._left += size


class Copying:
    """An answer on its way that is also collected; `on_whole` gets it before its last piece is passed on.

    `on_given_up` is called at once where it turns out too large.
    """

    def __init__(
        self,
        incoming: Incoming,
        allowance: Allowance,
        on_whole: Callable[[bytes], Awaitable[None]],
        on_given_up: Callable[[], None],
    ) -> None:
        self.status = incoming.status
        self.headers = incoming.headers
        self.whole: bytes | None = None
        self._incoming = incoming
        self._expected = expected_size(incoming)
        self._allowance = allowance
        self._on_whole = on_whole
        self._on_given_up = on_given_up
        self._pieces: list[bytes] | None = []
        self._size = 0

    async def read(self) -> bytes:
        """As the seam says."""
        piece = await self._incoming.read()
        if self._pieces is None:
            return piece
        if not piece:
            await self._finish(self._pieces)
        elif self._size + len(piece) > MAX_CACHEABLE or not self._allowance.take(len(piece)):
            self._let_go()
            self._on_given_up()
        else:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size == self._expected:
                await self._finish(self._pieces)
        return piece

    def close(self) -> None:
        """As the seam says."""
        self._let_go()
        self._incoming.close()

    async def _finish(self, pieces: list[bytes]) -> None:
        body = b"".join(pieces)
        self._let_go()
        if body and self._expected in (None, len(body)):
            await self._on_whole(body)
        else:
            self._on_given_up()

    def _let_go(self) -> None:
        if self._pieces is not None:
            self._pieces = None
            self._allowance.give_back(self._size)
            self._size = 0
