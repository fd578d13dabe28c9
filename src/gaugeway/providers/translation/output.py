"""What OpenAI's clients expect: `chat.completion`, `chat.completion.chunk`, errors (openai-python's types)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Usage

DONE = b"data: [DONE]\n\n"
SSE = b"text/event-stream"
MAX_ERROR_TEXT = 2000
"""Characters of an error's text that is no JSON."""

_encode = msgspec.json.encode


class Names(Struct, frozen=True, kw_only=True):
    """What an answer is called where it does not say."""

    reply_id: str
    created: int  # Unix seconds
    model: str

    def call_id(self, number: int) -> str:
        """For calls without an id."""
        return f"call_{self.reply_id.removeprefix('chatcmpl-')}_{number}"


def usage_fields(usage: Usage | None) -> dict[str, Any] | None:
    """The figures under OpenAI's names; None where the provider gave none."""
    if usage is None:
        return None
    into, out = usage.tokens_in or 0, usage.tokens_out or 0
    fields: dict[str, Any] = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
    prompt = {
        "cached_tokens": usage.cached_tokens_in,
        "cache_write_tokens": usage.cache_write_tokens,
        "audio_tokens": usage.audio_tokens_in,
    }
    completion = {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": usage.audio_tokens_out}
    for name, details in (("prompt_tokens_details", prompt), ("completion_tokens_details", completion)):
        if said := {key: value for key, value in details.items() if value is not None}:
            fields[name] = said
    return fields


def completion(
    *, reply_id: str, created: int, model: str, choices: list[dict[str, Any]], usage: Usage | None
) -> bytes:
    """A whole answer."""
    return _encode(
        {
            "id": reply_id,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": choices,
            "usage": usage_fields(usage),
        }
    )


def choice(index: int, message: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    """One of the answers."""
    return {"index": index, "message": message, "logprobs": None, "finish_reason": finish_reason}


def message(
    texts: list[str],
    calls: list[dict[str, Any]],
    thoughts: list[str],
    kept: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """An answer's message, of its pieces; `kept` is thinking with its signatures, in Anthropic's form."""
    said: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if texts or not calls:
        said["content"] = "".join(texts)
    if thoughts:
        said["reasoning_content"] = "".join(thoughts)
    if kept:
        said["thinking_blocks"] = kept
    if calls:
        said["tool_calls"] = calls
    return said


def tool_call(call_id: str, name: str, arguments: str, extra: Any = None) -> dict[str, Any]:
    """One call of a function."""
    call: dict[str, Any] = {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    if extra is not None:
        call["extra_content"] = extra
    return call


class Chunks:
    """Writes the events of one stream. The parts that repeat are encoded once."""

    def __init__(self, *, reply_id: str, created: int, model: str, wants_usage: bool) -> None:
        opening = {"id": reply_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._opening = b"data: " + _encode(opening)[:-1] + b","
        self._closing = b',"usage":null}\n\n' if wants_usage else b"}\n\n"
        self._first = self._opening + b'"choices":[{"index":0,"delta":'
        self._next = b',"finish_reason":null}]' + self._closing

    def delta(self, fields: bytes, index: int = 0) -> bytes:
        """An event with a delta, which is given as JSON."""
        first = self._first if index == 0 else self._opening + b'"choices":[{"index":%d,"delta":' % index
        return first + fields + self._next

    def opened(self, index: int = 0) -> bytes:
        """The first event: who speaks."""
        return self.delta(b'{"role":"assistant","content":""}', index)

    def text(self, text: str, index: int = 0) -> bytes:
        """A piece of the answer."""
        return self.delta(b'{"content":' + _encode(text) + b"}", index)

    def reasoning(self, text: str, index: int = 0) -> bytes:
        """A piece of the thinking."""
        return self.delta(b'{"reasoning_content":' + _encode(text) + b"}", index)

    def fields(self, fields: dict[str, Any], index: int = 0) -> bytes:
        """Anything else."""
        return self.delta(_encode(fields), index)

    def call(self, number: int, call: dict[str, Any], index: int = 0) -> bytes:
        """The beginning of a tool call, or all of it."""
        return self.delta(_encode({"tool_calls": [{"index": number, **call}]}), index)

    def arguments(self, number: int, piece: str, index: int = 0) -> bytes:
        """A piece of a tool call's arguments."""
        encoded = _encode(piece)
        return self.delta(b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}' % (number, encoded), index)

    def finish(self, reason: str, index: int = 0) -> bytes:
        """The last event of an answer."""
        end = b'"choices":[{"index":%d,"delta":{},"finish_reason":%b}]' % (index, _encode(reason))
        return self._opening + end + self._closing

    def usage(self, usage: Usage | None) -> bytes:
        """The event with the figures; null where the provider gave none."""
        return self._opening + b'"choices":[],"usage":' + _encode(usage_fields(usage)) + b"}\n\n"


class _Error(Struct):
    message: Any = None
    type: Any = None  # Anthropic
    status: Any = None  # Google


class _Errors(Struct):
    error: _Error | None = None
    message: Any = None  # Cohere, Bedrock


_errors = msgspec.json.Decoder(_Errors)
_listed_errors = msgspec.json.Decoder(list[_Errors])  # Google's, of streams


def error_body(body: bytes) -> bytes:
    """OpenAI's error for another provider's: its message, and its name for the kind as `type` and `code`."""
    kind: Any = None
    try:
        said = _listed_errors.decode(body)[0] if body.lstrip()[:1] == b"[" else _errors.decode(body)
        error = said.error or _Error(message=said.message)
        message, kind = error.message, error.type or error.status
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
        message = None
    if not isinstance(message, str) or not message:
        message = body.decode("utf-8", "replace")[:MAX_ERROR_TEXT] or "the provider gave no reason"
    return error_fields(message, kind if isinstance(kind, str) else "upstream_error")


def error_fields(message: str, kind: str) -> bytes:
    """OpenAI's error."""
    return _encode({"error": {"message": message, "type": kind, "param": None, "code": kind}})


def raw_text(raw: Raw) -> str:
    """Raw JSON as the text that tool calls hold their arguments in."""
    return bytes(raw).decode() or "{}"
