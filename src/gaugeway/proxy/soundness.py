"""Whether an answer of a good status is a good answer: providers fail within it, too.

Some answer an error with the status 200, some say it as an event of the stream that is under way, some end a stream
politely in the middle of it. HTTP calls all of these whole; a log must not call them a success.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Outcome

WINDOW = 64 * 1024
"""Bytes from a stream's end within which its last events are looked at."""
LAST = 4
"""Events at a stream's end of which one may be an error: nothing much comes after that."""
HEAD = 4096
"""Bytes at a stream's beginning that tell its format."""

_ANSWERED = "the provider answered 200 with an error in its body"
_FAILED = "the provider ended its stream with an error"
_STOPPED = "the provider ended its stream before its last event"

_NO_ERROR = (b"null", b"false", b"0", b'""', b"{}", b"[]")
_ERROR_EVENTS = (b"error", b"response.failed")
_ERROR_TYPES = ("error", "response.failed")
_AWS_EXCEPTION = re.compile(rb":message-type\x07\x00(?:\x09exception|\x05error)")

_ENDINGS = (  # how a stream's format shows at its beginning, and its end at its end
    (
        re.compile(rb'"object"\s*:\s*"chat\.completion\.chunk"'),
        re.compile(rb'\[DONE\]|"finish_reason"\s*:\s*"'),
    ),
    (re.compile(rb'"type"\s*:\s*"message_start"'), re.compile(rb"message_stop")),
    (re.compile(rb'"type"\s*:\s*"response\.created"'), re.compile(rb"response\.(?:completed|incomplete|failed)")),
    (re.compile(rb'"candidates"\s*:\s*\['), re.compile(rb'"finishReason"\s*:\s*"')),
)

Fault = tuple[Outcome, str]


class _Top(Struct):
    error: Raw = Raw(b"null")
    type: Raw = Raw(b"null")


_decode_top = msgspec.json.Decoder(_Top | list[Raw] | str | int | float | bool | None).decode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def fault_of(content_type: str, body: bytes, *, is_cut: bool) -> Fault | None:
    """How an answer that came whole has failed all the same, and in words; None where it has not.

    `body` is decoded; with `is_cut` its middle is missing.
    """
    kind = content_type.strip().lower()
    if kind.startswith("text/event-stream"):
        return _fault_of_stream(body, is_cut=is_cut)
    if kind.startswith("application/vnd.amazon.eventstream"):
        return (Outcome.STREAM_CUT, _FAILED) if _AWS_EXCEPTION.search(body[-WINDOW:]) else None
    if is_cut or b'"error"' not in body or body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return (Outcome.UPSTREAM_ERROR, _ANSWERED) if is_error(body) else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def is_error(body: bytes) -> bool:
    """Whether a JSON answer is an error, or a list that ends in one. Raises what decoding raises."""
    top: Any = _decode_top(body)
    if isinstance(top, _Top):
        return _says_something(bytes(top.error).strip())
    elements = cast("list[Raw]", top) if isinstance(top, list) else []
    return bool(elements) and bytes(elements[-1]).lstrip()[:1] == b"{" and is_error(bytes(elements[-1]))


def _says_something(error: bytes) -> bool:
    """Whether an `error` is one: providers write it into good answers, too, with nothing in it."""
    if error in _NO_ERROR:
        return False
    return error[:1] != b"{" or any(bytes(value) not in _NO_ERROR for value in _decode_fields(error).values())


def _fault_of_stream(body: bytes, *, is_cut: bool) -> Fault | None:
    body = body.removeprefix(b"\xef\xbb\xbf")
    tail = body[-WINDOW:]
    if (b"error" in tail or b"response.failed" in tail) and any(map(_is_error_event, _last_events(tail))):
        return Outcome.STREAM_CUT, _FAILED
    return (Outcome.STREAM_CUT, _STOPPED) if _stops_early(body, is_cut=is_cut) else None


def _stops_early(body: bytes, *, is_cut: bool) -> bool:
    """Whether a stream, of a format that has an end, has not come to it. One without any event has none."""
    if not body.strip():
        return True
    head = body[:HEAD]
    for begins, ends in _ENDINGS:
        if begins.search(head):
            # at the end first, where it nearly always is; the last event of OpenAI's responses holds all of them
            return not ends.search(body[-HEAD:]) and not ends.search(body) and not is_cut
    return False


def _last_events(tail: bytes) -> list[bytes]:
    events = tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n")
    return [event for event in events if event][-LAST:]


def _is_error_event(event: bytes) -> bool:
    data: list[bytes] = []
    for line in event.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"event" and value.strip() in _ERROR_EVENTS:
            return True
        if name == b"data":
            data.append(value)
    try:
        top: Any = _decode_top(b"\n".join(data))
        if not isinstance(top, _Top):
            return False
        return bytes(top.type).strip(b'"').decode() in _ERROR_TYPES or _says_something(bytes(top.error).strip())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
