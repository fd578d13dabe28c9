"""Converse's answers and streams as chat completions (docs.aws.amazon.com: Converse, ConverseStreamOutput).

Thinking becomes `reasoning_content`; with its signatures it stands in `thinking_blocks` too, in Anthropic's form
(our extension), because Claude wants it back so when tools were called.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.providers.formats.bedrock import Bedrock
from gaugeway.providers.formats.event_stream import Message, Messages
from gaugeway.providers.translation.output import (
    DONE,
    Chunks,
    Names,
    choice,
    completion,
    error_fields,
    message,
    raw_text,
    tool_call,
)
from gaugeway.providers.translation.streaming import TranslatedEvents

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""A reason that is not here is passed on by its own name."""

MAX_THINKING = 16 * 1024 * 1024
"""Characters of thinking that are kept until its signature comes."""

_figures = Bedrock()


class _Camel(Struct, rename="camel"):
    """AWS's spelling."""


class _ToolUse(_Camel):
    tool_use_id: str
    name: str
    input: Raw = Raw(b"{}")
    type: str | None = None


class _ReasoningText(_Camel):
    text: str = ""
    signature: str | None = None


class _Reasoning(_Camel):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str | None = None


class _Block(_Camel):
    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None


class _Message(_Camel):
    content: list[_Block]


class _Output(_Camel):
    message: _Message


class _Answer(_Camel):
    output: _Output
    stop_reason: str


class _Start(_Camel):
    tool_use: _ToolUse | None = None


class _ToolDelta(_Camel):
    input: str = ""


class _ReasoningDelta(_Camel):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Delta(_Camel):
    text: str | None = None
    tool_use: _ToolDelta | None = None
    reasoning_content: _ReasoningDelta | None = None


class _Event(_Camel):
    start: _Start | None = None
    delta: _Delta | None = None
    stop_reason: str | None = None
    usage: Raw | UnsetType = UNSET
    message: str = ""


_answer_decoder = msgspec.json.Decoder(_Answer)
_event_decoder = msgspec.json.Decoder(_Event)
_FOREIGN = "Bedrock's answer holds a block that is neither text, thinking nor a call; it cannot be translated"


def _usage_in(document: bytes) -> Usage | None:
    decoded = _figures.decode(document)
    return None if decoded is None else _figures.report((decoded,)).usage


def _finish_reason(said: str) -> str:
    return FINISH_REASONS.get(said, said)


def _kept(text: str, signature: str) -> dict[str, str]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def _redacted(data: str) -> dict[str, str]:
    return {"type": "redacted_thinking", "data": data}


# --- whole answers


def translate_answer(body: bytes, names: Names) -> bytes:
    """An answer as a `chat.completion`. Raises ProtocolBroken for what is none."""
    try:
        said = _answer_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ProtocolBroken(f"Bedrock's answer is none: {problem}") from None
    return completion(
        reply_id=names.reply_id,
        created=names.created,
        model=names.model,
        choices=[choice(0, _contents(said.output.message.content), _finish_reason(said.stop_reason))],
        usage=_usage_in(body),
    )


def _contents(blocks: list[_Block]) -> dict[str, Any]:
    """The message that the blocks are together."""
    texts: list[str] = []
    thoughts: list[str] = []
    kept: list[dict[str, str]] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        if block.text is not None:
            texts.append(block.text)
        elif block.tool_use is not None and block.tool_use.type is None:
            call = block.tool_use
            calls.append(tool_call(call.tool_use_id, call.name, raw_text(call.input)))
        elif block.reasoning_content is not None:
            _add_reasoning(block.reasoning_content, thoughts, kept)
        else:
            raise ProtocolBroken(_FOREIGN)
    return message(texts, calls, thoughts, kept)


def _add_reasoning(said: _Reasoning, thoughts: list[str], kept: list[dict[str, str]]) -> None:
    if said.redacted_content is not None:
        kept.append(_redacted(said.redacted_content))
    if said.reasoning_text is not None:
        thoughts.append(said.reasoning_text.text)
        if said.reasoning_text.signature is not None:
            kept.append(_kept(said.reasoning_text.text, said.reasoning_text.signature))


# --- streams


class BedrockStream(TranslatedEvents[Message]):
    """See core.provider.StreamTranslation."""

    provider = "Bedrock"

    def __init__(self, names: Names, *, wants_usage: bool) -> None:
        super().__init__(Messages())
        self._wants_usage = wants_usage
        self._chunks = Chunks(
            reply_id=names.reply_id, created=names.created, model=names.model, wants_usage=wants_usage
        )
        self._has_stopped = False
        self._calls = 0
        self._is_call = False  # of the block under way
        self._has_arguments = False
        self._thinking: list[str] = []
        self._thinking_size = 0
        self._signature: str | None = None

    def _add(self, out: list[bytes], event: Message) -> None:
        said = _event_decoder.decode(event.payload)
        if event.is_exception:
            self._problem = ProtocolBroken(f"Bedrock ended the stream with {event.event}: {said.message}")
            out.append(b"data: " + error_fields(said.message, event.event or "upstream_error") + b"\n\n")
            return
        match event.event:
            case "messageStart":
                out.append(self._chunks.opened())
            case "contentBlockStart":
                self._start(out, said.start or _Start())
            case "contentBlockDelta" if said.delta is not None:
                self._delta(out, said.delta)
            case "contentBlockStop":
                self._stop(out)
            case "messageStop":
                self._has_stopped = True
                out.append(self._chunks.finish(_finish_reason(said.stop_reason or "end_turn")))
            case "metadata" if self._has_stopped:
                self._done = True
                if self._wants_usage:
                    out.append(self._chunks.usage(_usage_in(event.payload)))
                out.append(DONE)
            case _:
                pass  # what may come to be beside these says nothing of the answer

    def _start(self, out: list[bytes], start: _Start) -> None:
        call = start.tool_use
        if call is None or call.type is not None:
            raise ProtocolBroken(_FOREIGN)
        self._is_call, self._has_arguments = True, False
        self._calls += 1
        out.append(self._chunks.call(self._calls - 1, tool_call(call.tool_use_id, call.name, "")))

    def _delta(self, out: list[bytes], delta: _Delta) -> None:
        if delta.text is not None:
            out.append(self._chunks.text(delta.text))
        elif delta.tool_use is not None and self._is_call:
            if delta.tool_use.input:
                self._has_arguments = True
                out.append(self._chunks.arguments(self._calls - 1, delta.tool_use.input))
        elif delta.reasoning_content is not None:
            self._reason(out, delta.reasoning_content)
        else:
            raise ProtocolBroken(_FOREIGN)

    def _reason(self, out: list[bytes], said: _ReasoningDelta) -> None:
        if said.redacted_content is not None:
            out.append(self._chunks.fields({"thinking_blocks": [_redacted(said.redacted_content)]}))
        if said.signature is not None:
            self._signature = (self._signature or "") + said.signature
        if said.text:
            self._thinking.append(said.text)
            self._thinking_size += len(said.text)
            if self._thinking_size > MAX_THINKING:
                raise ProtocolBroken(f"Bedrock's thinking is longer than {MAX_THINKING} characters")
            out.append(self._chunks.reasoning(said.text))

    def _stop(self, out: list[bytes]) -> None:
        if self._is_call and not self._has_arguments:
            out.append(self._chunks.arguments(self._calls - 1, "{}"))
        if self._signature is not None:
            kept = _kept("".join(self._thinking), self._signature)
            out.append(self._chunks.fields({"thinking_blocks": [kept]}))
        self._is_call, self._signature = False, None
        self._thinking, self._thinking_size = [], 0
