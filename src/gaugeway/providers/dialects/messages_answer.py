"""Chat completions as Anthropic's Messages, whole and streamed (anthropic-sdk-python: Message, its events)."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.core.provider import StreamTranslation
from gaugeway.providers.dialects.completions import (
    ABSENT,
    DONE,
    Call,
    Said,
    arguments_of,
    read_completion,
    read_event,
    usage_in,
)
from gaugeway.providers.translation.events import Events
from gaugeway.providers.translation.streaming import TranslatedEvents

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
"""A reason that is not here is passed on by its own name."""

ERROR_TYPES = frozenset(
    (
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
        "rate_limit_error",
        "overloaded_error",
    )
)
"""Anthropic's own kinds of errors; all others are an api_error there."""

Json = dict[str, Any]
_encode = msgspec.json.encode


class MessagesBack(Struct, frozen=True, kw_only=True):
    """See chaining.Back."""

    reply_id: str
    model: str

    def answer(self, body: bytes) -> bytes:
        """See Back."""
        completion, said, finish_reason = read_completion(body)
        content: list[Json | Raw] = [*(said.thinking_blocks or ())]
        if said.thoughts and not content:
            content.append({"type": "thinking", "thinking": said.thoughts, "signature": ""})
        if text := said.text or said.refusal or "":
            content.append({"type": "text", "text": text})
        content += [_tool_use(call) for call in said.tool_calls or ()]
        message = self.message(completion.model) | {
            "content": content,
            "stop_reason": _stop_reason(finish_reason),
            "usage": _usage(usage_in(body)),
        }
        return _encode(message)

    def message(self, model: str) -> Json:
        """An empty message."""
        return {
            "id": "msg_" + self.reply_id.removeprefix("chatcmpl-").replace("-", ""),
            "type": "message",
            "role": "assistant",
            "model": model or self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def error(self, body: bytes) -> bytes:
        """See Back."""
        try:
            said = msgspec.json.decode(body, type=dict[str, Any]).get("error")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = body.decode("utf-8", "replace")[:2000]
        return _encode(_error(said))

    def stream(self) -> StreamTranslation:
        """See Back."""
        return MessagesStream(self)


def _error(said: Any) -> Json:
    """Anthropic's error for what stands under `error`."""
    kind, message = None, said
    if isinstance(said, dict):
        fields = cast("Json", said)
        kind, message = fields.get("type"), fields.get("message")
    kind = kind if kind in ERROR_TYPES else "api_error"
    return {"type": "error", "error": {"type": kind, "message": str(message or "the provider gave no reason")}}


def _stop_reason(finish_reason: str | None) -> str | None:
    return None if finish_reason is None else STOP_REASONS.get(finish_reason, finish_reason)


def _usage(usage: Usage | None) -> Json:
    """Anthropic counts what the cache had apart. What is not known is null."""
    if usage is None:
        return {"input_tokens": None, "output_tokens": None}
    read, written = usage.cached_tokens_in, usage.cache_write_tokens
    fresh = None if usage.tokens_in is None else usage.tokens_in - (read or 0) - (written or 0)
    return {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": usage.tokens_out,
    }


def _tool_use(call: Call) -> Json:
    name = (call.function and call.function.name) or ""
    block: Json = {"type": "tool_use", "id": call.id or "", "name": name, "input": arguments_of(call)}
    return block if call.extra_content is ABSENT else block | {"extra_content": call.extra_content}


class MessagesStream(TranslatedEvents[bytes]):
    """See core.provider.StreamTranslation. One block is open at a time."""

    provider = "The model"

    def __init__(self, back: MessagesBack) -> None:
        super().__init__(Events())
        self._back = back
        self._begun = False
        self._block = -1  # the number of the one that came last
        self._open = ""  # the kind of the one under way: text | thinking | call
        self._call = -1  # the provider's number of the call under way
        self._has_arguments = False
        self._finish_reason: str | None = None
        self._usage = b""

    def _add(self, out: list[bytes], event: bytes) -> None:
        if event == DONE:
            self._complete(out)
            return
        said = read_event(event)
        if said.error is not ABSENT:
            failed = _error(msgspec.json.decode(said.error))
            self._problem = ProtocolBroken(f"The stream ended with an error: {failed['error']['message'][:500]}")
            out.append(_event("error", failed))
            return
        if not self._begun:
            self._begun = True
            # what came in is known at the end only: message_delta says it
            message = self._back.message(said.model) | {"usage": {"input_tokens": 0, "output_tokens": 0}}
            out.append(_event("message_start", {"type": "message_start", "message": message}))
        if b'"usage"' in event and usage_in(event) is not None:
            self._usage = event
        for choice in said.choices:
            if choice.index == 0 and choice.delta is not None:
                self._delta(out, choice.delta)
            if choice.index == 0 and choice.finish_reason is not None:
                self._finish_reason = choice.finish_reason
                self._close(out)

    def _finish(self) -> bytes:
        if self._finish_reason is None:
            raise ProtocolBroken("The stream ended without a reason to end.")
        out: list[bytes] = []
        self._complete(out)
        return b"".join(out)

    def _complete(self, out: list[bytes]) -> None:
        self._close(out)
        delta = {"stop_reason": _stop_reason(self._finish_reason), "stop_sequence": None}
        usage = _usage(usage_in(self._usage) if self._usage else None)
        out.append(_event("message_delta", {"type": "message_delta", "delta": delta, "usage": usage}))
        out.append(_event("message_stop", {"type": "message_stop"}))
        self._done = True

    def _delta(self, out: list[bytes], delta: Said) -> None:
        if thoughts := delta.thoughts:
            self._ready(out, "thinking", {"type": "thinking", "thinking": "", "signature": ""})
            self._piece(out, {"type": "thinking_delta", "thinking": thoughts})
        for block in delta.thinking_blocks or ():
            self._sign(out, msgspec.json.decode(block))
        if text := delta.text or delta.refusal or "":
            self._ready(out, "text", {"type": "text", "text": ""})
            self._piece(out, {"type": "text_delta", "text": text})
        for call in delta.tool_calls or ():
            self._add_call(out, call)

    def _sign(self, out: list[bytes], block: Json) -> None:
        """Thinking comes once more, whole, with its signature."""
        if block.get("type") == "redacted_thinking":
            self._close(out)
            self._start(out, "redacted", block)
            self._close(out)
            return
        self._ready(out, "thinking", {"type": "thinking", "thinking": "", "signature": ""})
        self._piece(out, {"type": "signature_delta", "signature": str(block.get("signature", ""))})
        self._close(out)

    def _add_call(self, out: list[bytes], call: Call) -> None:
        if self._open != "call" or self._call != call.index:
            name = call.function and call.function.name
            if not name:
                raise ProtocolBroken("The stream goes back to a call that was over")
            self._close(out)
            self._call, self._has_arguments = call.index, False
            block: Json = {"type": "tool_use", "id": call.id or "", "name": name, "input": {}}
            if call.extra_content is not ABSENT:
                block["extra_content"] = call.extra_content
            self._start(out, "call", block)
        if call.function is not None and call.function.arguments:
            self._has_arguments = True
            self._piece(out, {"type": "input_json_delta", "partial_json": call.function.arguments})

    def _ready(self, out: list[bytes], kind: str, block: Json) -> None:
        if self._open != kind:
            self._close(out)
            self._start(out, kind, block)

    def _start(self, out: list[bytes], kind: str, block: Json) -> None:
        self._open = kind
        self._block += 1
        fields = {"type": "content_block_start", "index": self._block, "content_block": block}
        out.append(_event("content_block_start", fields))

    def _piece(self, out: list[bytes], delta: Json) -> None:
        fields = {"type": "content_block_delta", "index": self._block, "delta": delta}
        out.append(_event("content_block_delta", fields))

    def _close(self, out: list[bytes]) -> None:
        if not self._open:
            return
        if self._open == "call" and not self._has_arguments:
            self._piece(out, {"type": "input_json_delta", "partial_json": "{}"})
        self._open = ""
        out.append(_event("content_block_stop", {"type": "content_block_stop", "index": self._block}))


def _event(name: str, data: Json) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _encode(data) + b"\n\n"
