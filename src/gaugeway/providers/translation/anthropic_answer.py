"""Anthropic's messages and their streams as chat completions (anthropic-sdk-python: Message, its events).

Thinking becomes `reasoning_content`; with its signatures it stands in `thinking_blocks` too (our extension),
because Anthropic wants it back so when tools were called.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.translation.events import Events
from gaugeway.providers.translation.output import (
    DONE,
    Chunks,
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
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""A reason that is not here is passed on by its own name."""

MAX_THINKING = 16 * 1024 * 1024
"""Bytes of thinking that are kept until its signature comes."""

_figures = Anthropic()


class _Block(Struct):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")
    thinking: str = ""
    signature: str = ""
    data: str = ""


class _StopDetails(Struct):
    explanation: str | None = None


class _Message(Struct):
    id: str
    type: str
    model: str
    content: list[_Block]
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class _Delta(Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class _Error(Struct):
    type: str = "error"
    message: str = ""


class _Event(Struct):
    type: str
    message: _Message | None = None
    index: int = 0
    content_block: _Block | None = None
    delta: _Delta | None = None
    error: _Error | None = None


_message_decoder = msgspec.json.Decoder(_Message)
_event_decoder = msgspec.json.Decoder(_Event)


def _finish_reason(said: str | None) -> str:
    return "stop" if said is None else FINISH_REASONS.get(said, said)


def _figures_of(*documents: bytes) -> Reported:
    read = [document for text in documents if (document := _figures.decode(text)) is not None]
    return _figures.report(read)


def translate_answer(body: bytes, created: int) -> bytes:
    """A message as a `chat.completion`. Raises ProtocolBroken for what is none."""
    try:
        said = _message_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ProtocolBroken(f"Anthropic's answer is no message: {problem}") from None
    if said.type != "message":
        raise ProtocolBroken(f"Anthropic's answer is of the type {said.type!r}, not a message")
    answer = _contents(said.content)
    if said.stop_details is not None:
        answer["refusal"] = said.stop_details.explanation
    return completion(
        reply_id=said.id,
        created=created,
        model=said.model,
        choices=[choice(0, answer, _finish_reason(said.stop_reason))],
        usage=_figures_of(body).usage,
    )


def _contents(blocks: list[_Block]) -> dict[str, Any]:
    """The message that the blocks are together."""
    texts: list[str] = []
    thoughts: list[str] = []
    kept: list[dict[str, str]] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        if block.type == "text":
            texts.append(block.text)
        elif block.type == "tool_use":
            calls.append(tool_call(block.id, block.name, raw_text(block.input)))
        elif block.type == "thinking":
            thoughts.append(block.thinking)
            kept.append(_kept_thinking(block.thinking, block.signature))
        elif block.type == "redacted_thinking":
            kept.append({"type": "redacted_thinking", "data": block.data})
        else:
            raise ProtocolBroken(f"Anthropic's content of the type {block.type!r} cannot be translated")
    return message(texts, calls, thoughts, kept)


def _kept_thinking(thinking: str, signature: str) -> dict[str, str]:
    return {"type": "thinking", "thinking": thinking, "signature": signature}


class AnthropicStream(TranslatedEvents[bytes]):
    """See core.provider.StreamTranslation."""

    provider = "Anthropic"

    def __init__(self, *, created: int, wants_usage: bool) -> None:
        super().__init__(Events())
        self._created = created
        self._wants_usage = wants_usage
        self._chunks: Chunks | None = None
        self._begun = b""  # the event that opened it, for its figures
        self._ended_with = b""  # the event with the last figures
        self._calls = 0
        self._block: _Block | None = None  # the one under way
        self._has_arguments = False
        self._thinking: list[str] = []
        self._thinking_size = 0

    def _add(self, out: list[bytes], event: bytes) -> None:
        out.append(self._event(event))

    def _event(self, data: bytes) -> bytes:
        event = _event_decoder.decode(data)
        chunks = self._chunks
        if chunks is None:
            return self._opening(event, data)
        match event.type:
            case "content_block_delta" if event.delta is not None:
                return self._delta(chunks, event.delta)
            case "content_block_start" if event.content_block is not None:
                return self._start(chunks, event.content_block)
            case "content_block_stop":
                return self._stop(chunks)
            case "message_delta" if event.delta is not None:
                self._ended_with = data
                return self._last(chunks, event.delta)
            case "message_stop":
                self._done = True
                usage = chunks.usage(_figures_of(self._begun, self._ended_with).usage) if self._wants_usage else b""
                return usage + DONE
            case "error":
                return self._failed(event.error or _Error())
            case _:
                return b""  # ping, and what may come to be: Anthropic asks to pass over unknown events

    def _opening(self, event: _Event, data: bytes) -> bytes:
        if event.type == "error":
            return self._failed(event.error or _Error())
        if event.type != "message_start" or event.message is None:
            return b""
        self._begun = data
        self._chunks = Chunks(
            reply_id=event.message.id,
            created=self._created,
            model=event.message.model,
            wants_usage=self._wants_usage,
        )
        return self._chunks.opened()

    def _failed(self, error: _Error) -> bytes:
        """An error in mid-stream, in the form in which OpenAI's clients raise it; nothing comes after it."""
        self._problem = ProtocolBroken(f"Anthropic ended the stream with {error.type}: {error.message}")
        return b"data: " + error_fields(error.message, error.type) + b"\n\n"

    def _start(self, chunks: Chunks, block: _Block) -> bytes:
        self._block = block
        self._thinking = [block.thinking] if block.thinking else []
        self._thinking_size = len(block.thinking)
        match block.type:
            case "text":
                return chunks.text(block.text) if block.text else b""
            case "tool_use":
                self._calls += 1
                first = raw_text(block.input)
                self._has_arguments = first != "{}"
                arguments = first if self._has_arguments else ""
                return chunks.call(self._calls - 1, tool_call(block.id, block.name, arguments))
            case "thinking":
                return chunks.reasoning(block.thinking) if block.thinking else b""
            case "redacted_thinking":
                return chunks.fields({"thinking_blocks": [{"type": "redacted_thinking", "data": block.data}]})
            case _:
                raise ProtocolBroken(f"Anthropic's content of the type {block.type!r} cannot be translated")

    def _delta(self, chunks: Chunks, delta: _Delta) -> bytes:
        match delta.type:
            case "text_delta":
                return chunks.text(delta.text)
            case "input_json_delta":
                if not delta.partial_json:
                    return b""
                self._has_arguments = True
                return chunks.arguments(self._calls - 1, delta.partial_json)
            case "thinking_delta":
                self._thinking.append(delta.thinking)
                self._thinking_size += len(delta.thinking)
                if self._thinking_size > MAX_THINKING:
                    raise ProtocolBroken(f"Anthropic's thinking is longer than {MAX_THINKING} characters")
                return chunks.reasoning(delta.thinking) if delta.thinking else b""
            case "signature_delta":
                if self._block is not None:
                    self._block.signature += delta.signature
                return b""
            case _:
                raise ProtocolBroken(f"Anthropic's delta of the type {delta.type!r} cannot be translated")

    def _stop(self, chunks: Chunks) -> bytes:
        block, self._block = self._block, None
        if block is None:
            return b""
        if block.type == "tool_use" and not self._has_arguments:
            return chunks.arguments(self._calls - 1, "{}")
        if block.type == "thinking":
            return chunks.fields({"thinking_blocks": [_kept_thinking("".join(self._thinking), block.signature)]})
        return b""

    def _last(self, chunks: Chunks, delta: _Delta) -> bytes:
        refusal = b""
        if delta.stop_details is not None and delta.stop_details.explanation:
            refusal = chunks.fields({"refusal": delta.stop_details.explanation})
        return refusal + chunks.finish(_finish_reason(delta.stop_reason))
