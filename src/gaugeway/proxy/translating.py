"""The answer of the OpenAI-compatible endpoint: the provider's, translated where it speaks another format."""

from __future__ import annotations

from time import perf_counter

from gaugeway.core.errors import GatewayError, ProtocolBroken
from gaugeway.core.model import Outcome
from gaugeway.core.provider import StreamTranslation, Translated
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.exchange import Compat, Exchange, Headers, Reply
from gaugeway.proxy.headers import for_downstream
from gaugeway.proxy.transcript import Transcript

BAD_OUTPUT = 2002
"""Cloudflare's "Failed to parse model output"."""

MAX_TRANSLATED = 64 * 1024 * 1024
"""Bytes of a whole answer, which has to be in memory to be translated."""

NATIVE_CAP = 256 * 1024
"""Bytes kept of the beginning of the provider's own words, to read its figures from (and as many as a Transcript
keeps of the end)."""

_OF_THE_BODY = frozenset(
    (b"content-type", b"content-length", b"content-encoding", b"content-md5", b"digest", b"etag", b"accept-ranges")
)


async def compat_reply(exchange: Exchange, compat: Compat, incoming: Incoming) -> Reply:
    """What the downstream gets for the provider's answer.

    Raises UpstreamFailure where the answer breaks off before it can be translated, and GatewayError (502/2002)
    where it is not what the provider documents. The answer is let go of then.
    """
    headers = for_downstream(incoming.headers)
    if compat.translated is None:
        return Reply(status=incoming.status, headers=headers, body=incoming.whole, incoming=incoming)
    try:
        return await _translate(exchange, compat, compat.translated, incoming, headers)
    except BaseException:
        incoming.close()
        raise


async def _translate(
    exchange: Exchange, compat: Compat, translated: Translated, incoming: Incoming, headers: Headers
) -> Reply:
    coding = kind = b""
    for name, value in incoming.headers:
        if name == b"content-encoding":
            coding = value.strip().lower()
        elif name == b"content-type":
            kind = value.strip().lower()
    compat.native, compat.native_type = Transcript(NATIVE_CAP), kind.decode("latin-1")
    kept = [pair for pair in headers if pair[0] not in _OF_THE_BODY]
    if translated.is_stream and incoming.status < 400:
        if not kind.startswith(translated.stream_type) or coding not in (b"", b"identity"):
            raise _bad_output(f"a stream of events was asked for, and {kind.decode('latin-1')!r} came")
        kept.append((b"content-type", b"text/event-stream; charset=utf-8"))
        stream = TranslatedStream(incoming, translated.stream(), compat.native)
        return Reply(status=incoming.status, headers=kept, incoming=stream)
    if coding in (b"", b"identity"):
        body = await _gather(exchange, incoming, compat.native)
    else:
        body, complete, problem = decode_body(
            coding, await _gather(exchange, incoming, Transcript(0)), MAX_TRANSLATED
        )
        if problem is not None or not complete:
            raise _bad_output(problem or "the compressed answer is not whole")
        compat.native.add(body)
    kept.append((b"content-type", b"application/json"))
    if incoming.status >= 400:
        body = translated.error(body)
    else:
        try:
            body = translated.answer(body)
        except ProtocolBroken as problem:
            raise _bad_output(problem.message) from problem
    return Reply(status=incoming.status, headers=kept, body=body, incoming=incoming)


async def _gather(exchange: Exchange, incoming: Incoming, native: Transcript) -> bytes:
    if incoming.whole is not None:
        native.add(incoming.whole)
        return incoming.whole
    pieces: list[bytes] = []
    while chunk := await incoming.read():
        exchange.first_byte = exchange.first_byte or perf_counter()
        native.add(chunk)
        pieces.append(chunk)
        if native.size > MAX_TRANSLATED:
            raise ProtocolBroken(f"An answer over {MAX_TRANSLATED} bytes cannot be translated.")
    return b"".join(pieces)


def _bad_output(problem: str) -> GatewayError:
    return GatewayError(502, BAD_OUTPUT, f"Failed to parse model output: {problem}", Outcome.UPSTREAM_ERROR)


class TranslatedStream:
    """A provider's stream as the seam's Incoming, in OpenAI's format. Each event is passed on as it arrives."""

    def __init__(self, incoming: Incoming, translation: StreamTranslation, native: Transcript) -> None:
        self.status = incoming.status
        self.headers = [pair for pair in incoming.headers if pair[0] not in _OF_THE_BODY]
        self.whole: bytes | None = None
        self._incoming = incoming
        self._first = incoming.whole
        self._translation = translation
        self._native = native
        self._ended = False

    async def read(self) -> bytes:
        """As the seam says; raises ProtocolBroken too for what cannot be translated."""
        while not self._ended:
            self._translation.feed(b"")  # raises what was wrong with the last chunk, before waiting for another
            chunk = await self._next()
            if not chunk:
                out = self._translation.end()
                self._ended = not out
                return out
            self._native.add(chunk)
            if out := self._translation.feed(chunk):
                return out
        return b""

    async def _next(self) -> bytes:
        if self._incoming.whole is None:
            return await self._incoming.read()
        first, self._first = self._first, None
        return first or b""

    def close(self) -> None:
        """As the seam says."""
        self._incoming.close()
