"""Cohere's v2 answers and streams as chat completions (docs.cohere.com/reference/chat, chat-stream; cohere-python's
V2ChatResponse, V2ChatStreamResponse).

What the answer cites stands in `citations`, as Cohere gives it: a field of our own, as OpenAI has no place for it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.providers.formats.cohere import Cohere
from gaugeway.providers.translation.events import Events
from gaugeway.providers.translation.output import (
    DONE,
    Chunks,
    Names,
    choice,
    completion,
    error_body,
    error_fields,
    message,
    tool_call,
)
from gaugeway.providers.translation.streaming import TranslatedEvents

FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
"""A reason that is not here is passed on by its own name, in lower case."""

_ABSENT = Raw()
_figures = Cohere()


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _Call(Struct):
    id: str = ""
    function: _Function = _Function()


class _Part(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None


class _Message(Struct):
    content: list[_Part] | None = None
    tool_plan: str | None = None
    tool_calls: list[_Call] | None = None
    citations: Raw = _ABSENT


class _Answer(Struct):
    id: str
    message: _Message
    finish_reason: str


class _DeltaMessage(Struct):
    content: _Part | None = None
    tool_plan: str | None = None
    tool_calls: _Call | None = None
    citations: Raw = _ABSENT


class _Delta(Struct):
    message: _DeltaMessage | None = None
    finish_reason: str | None = None
    error: str | None = None


class _Typed(Struct):
    type: str = ""
    id: str | None = None
    delta: Raw = _ABSENT


_answer_decoder = msgspec.json.Decoder(_Answer)
_event_decoder = msgspec.json.Decoder(_Typed)
_delta_decoder = msgspec.json.Decoder(_Delta)
_READ = frozenset(
    {
        "content-start",
        "content-delta",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "citation-start",
        "message-end",
    }
)
"""Events with a delta that says something; of message-start only the id does."""


def _usage_in(document: bytes) -> Usage | None:
    decoded = _figures.decode(document)
    return None if decoded is None else _figures.report((decoded,)).usage


def _finish_reason(said: str) -> str:
    return FINISH_REASONS.get(said, said.lower())


def _is_given(raw: Raw) -> bool:
    return bytes(raw) not in (b"", b"null", b"[]")


def _foreign(part: _Part) -> ProtocolBroken:
    return ProtocolBroken(f"Cohere's content of the type {part.type!r} cannot be translated")


# --- whole answers


def translate_answer(body: bytes, names: Names) -> bytes:
    """An answer as a `chat.completion`. Raises ProtocolBroken for what is none."""
    try:
        said = _answer_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ProtocolBroken(f"Cohere's answer is none: {problem}") from None
    return completion(
        reply_id=said.id,
        created=names.created,
        model=names.model,
        choices=[choice(0, _contents(said.message), _finish_reason(said.finish_reason))],
        usage=_usage_in(body),
    )


def _contents(said: _Message) -> dict[str, Any]:
    thoughts = [said.tool_plan] if said.tool_plan else []
    texts: list[str] = []
    for part in said.content or ():
        if part.type == "text" and part.text is not None:
            texts.append(part.text)
        elif part.type == "thinking" and part.thinking is not None:
            thoughts.append(part.thinking)
        else:
            raise _foreign(part)
    calls = [
        tool_call(call.id, call.function.name, call.function.arguments or "{}") for call in said.tool_calls or ()
    ]
    cited = {"citations": said.citations} if _is_given(said.citations) else {}
    return message(texts, calls, thoughts) | cited


# --- streams


class CohereStream(TranslatedEvents[bytes]):
    """See core.provider.StreamTranslation."""

    provider = "Cohere"

    def __init__(self, names: Names, *, wants_usage: bool) -> None:
        super().__init__(Events())
        self._names = names
        self._wants_usage = wants_usage
        self._chunks: Chunks | None = None
        self._calls = 0
        self._has_arguments = False

    def _add(self, out: list[bytes], event: bytes) -> None:
        if event == b"[DONE]":  # behind the last event, which says all of it
            return
        said = _event_decoder.decode(event)
        if not said.type:
            self._fail(out, error_body(event))
            return
        chunks = self._chunks
        if chunks is None:
            chunks = self._chunks = Chunks(
                reply_id=said.id or self._names.reply_id,
                created=self._names.created,
                model=self._names.model,
                wants_usage=self._wants_usage,
            )
            out.append(chunks.opened())
        if said.type == "tool-call-end":
            self._end_call(out, chunks)
        elif said.type in _READ:
            delta = _delta_decoder.decode(said.delta)
            if said.type == "message-end":
                self._last(out, chunks, delta, event)
            else:
                self._add_message(out, chunks, said.type, delta.message or _DeltaMessage())

    def _fail(self, out: list[bytes], error: bytes) -> None:
        """An error in mid-stream, in the form in which OpenAI's clients raise it; nothing comes after it."""
        self._problem = ProtocolBroken(f"Cohere ended the stream with an error: {error[:500].decode()}")
        out.append(b"data: " + error + b"\n\n")

    def _add_message(self, out: list[bytes], chunks: Chunks, kind: str, said: _DeltaMessage) -> None:
        if said.content is not None:
            self._add_content(out, chunks, said.content)
        if said.tool_plan:
            out.append(chunks.reasoning(said.tool_plan))
        if _is_given(said.citations):
            citations = said.citations if bytes(said.citations)[:1] == b"[" else [said.citations]
            out.append(chunks.fields({"citations": citations}))
        call = said.tool_calls
        if call is None:
            return
        if kind == "tool-call-start":
            self._calls += 1
            self._has_arguments = bool(call.function.arguments)
            out.append(
                chunks.call(self._calls - 1, tool_call(call.id, call.function.name, call.function.arguments))
            )
        elif call.function.arguments and self._calls:
            self._has_arguments = True
            out.append(chunks.arguments(self._calls - 1, call.function.arguments))

    def _add_content(self, out: list[bytes], chunks: Chunks, part: _Part) -> None:
        if part.text is None and part.thinking is None and part.type not in ("", "text", "thinking"):
            raise _foreign(part)
        if part.text:
            out.append(chunks.text(part.text))
        if part.thinking:
            out.append(chunks.reasoning(part.thinking))

    def _end_call(self, out: list[bytes], chunks: Chunks) -> None:
        if self._calls and not self._has_arguments:
            self._has_arguments = True
            out.append(chunks.arguments(self._calls - 1, "{}"))

    def _last(self, out: list[bytes], chunks: Chunks, delta: _Delta, event: bytes) -> None:
        if delta.error is not None or delta.finish_reason in (None, "ERROR"):
            self._fail(out, error_fields(delta.error or "the provider gave no reason", "upstream_error"))
            return
        self._done = True
        out.append(chunks.finish(_finish_reason(delta.finish_reason)))
        if self._wants_usage:
            out.append(chunks.usage(_usage_in(event)))
        out.append(DONE)
