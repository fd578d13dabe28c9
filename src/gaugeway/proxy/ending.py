"""How an upstream's answer ended, when it was passed on to its end and when the downstream left before that.

Clients stop reading a stream at its last event and close, often before the connection says that it is over:
OpenAI's do so at `[DONE]`. They did not hang up; they were done.
"""

from __future__ import annotations

from gaugeway.core.model import Outcome
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.exchange import Exchange, Reply

_LAST_DATA_LINES = frozenset({b"data:[DONE]"})  # OpenAI's chat completions, and everybody who speaks like them
_LAST_LINES = _LAST_DATA_LINES | {
    b"event:message_stop",  # Anthropic's messages
    b"event:response.completed",  # OpenAI's responses
    b"event:response.incomplete",
    b"event:response.failed",
    b"event:message-end",  # Cohere's chat
}


_MAX_DECODED = 16 * 1024 * 1024


def settle_whole(exchange: Exchange, reply: Reply) -> None:
    """The upstream's answer went downstream to its end."""
    good = reply.status < 400
    exchange.end(
        Outcome.SUCCESS if good else Outcome.UPSTREAM_ERROR,
        None if good else f"the provider answered {reply.status}",
    )


def settle_hangup(exchange: Exchange) -> None:
    """The downstream closed the connection before it was told that the answer is over."""
    reply = exchange.reply
    if reply is not None and reply.incoming is not None and _was_whole(exchange, reply):
        settle_whole(exchange, reply)
    else:
        exchange.end(Outcome.CLIENT_GONE, "the client hung up before it had the whole answer")


def _was_whole(exchange: Exchange, reply: Reply) -> bool:
    transcript = exchange.transcript
    if transcript is None or exchange.handed_over != transcript.size:
        return False
    length = reply.header(b"content-length")
    if length.isdigit():
        return transcript.size == int(length)
    if not reply.header(b"content-type").lower().startswith(b"text/event-stream"):
        return False
    encoding = reply.header(b"content-encoding").lower()
    if encoding in (b"", b"identity"):
        return ends_stream(transcript.head_and_tail())
    decoded, _, _ = decode_body(encoding, transcript.head(), _MAX_DECODED)
    return ends_stream(decoded)


def ends_stream(stream: bytes) -> bool:
    """Whether a server-sent event stream has come to the event that is its last."""
    text = stream.replace(b"\r\n", b"\n")
    if not text.endswith(b"\n\n"):
        return _is_last(text.rpartition(b"\n\n")[2], _LAST_DATA_LINES)  # some servers spare the last empty line
    return _is_last(text.rstrip(b"\n").rpartition(b"\n\n")[2] + b"\n", _LAST_LINES)


def _is_last(event: bytes, lines: frozenset[bytes]) -> bool:
    return any(line.replace(b": ", b":", 1) in lines for line in event.split(b"\n")[:-1])
