"""Chat completions as OpenAI's Responses, whole and streamed (openai-python: Response, ResponseStreamEvent)."""

from __future__ import annotations

import base64
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct, field

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.core.provider import StreamTranslation
from gaugeway.providers.dialects.completions import (
    ABSENT,
    DONE,
    Call,
    Said,
    read_completion,
    read_event,
    usage_in,
)
from gaugeway.providers.translation.events import Events
from gaugeway.providers.translation.streaming import TranslatedEvents

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
MAX_KEPT = 16 * 1024 * 1024
"""Characters of an answer that are kept to be repeated when it is whole."""

SEALED = "gaugeway."
"""What our own encrypted_content begins with: thinking with its signatures, as the provider gave it."""

Json = dict[str, Any]
_encode = msgspec.json.encode


def seal(blocks: list[Raw]) -> str:
    """Thinking with its signatures as an `encrypted_content`."""
    return SEALED + base64.urlsafe_b64encode(_encode(blocks)).decode()


class ResponsesBack(Struct, frozen=True, kw_only=True):
    """See chaining.Back. `shown` is what an answer repeats of its request."""

    reply_id: str
    created: int
    model: str
    shown: Json

    @property
    def name(self) -> str:
        """What all ids of the answer share."""
        return self.reply_id.removeprefix("chatcmpl-").replace("-", "")

    def answer(self, body: bytes) -> bytes:
        """See Back."""
        completion, said, finish_reason = read_completion(body)
        items = Items(self.name)
        if said.thoughts or said.thinking_blocks:
            items.thought(said.thoughts, said.thinking_blocks or [])
        if said.text or said.refusal or not said.tool_calls:
            items.message(said.text, said.refusal or "")
        for call in said.tool_calls or ():
            items.call(call)
        return _encode(self.response(items.done, finish_reason, usage_in(body), completion.model))

    def error(self, body: bytes) -> bytes:
        """See Back: OpenAI's errors are the same here."""
        return body

    def stream(self) -> StreamTranslation:
        """See Back."""
        return ResponsesStream(self)

    def response(
        self, output: list[Json], finish_reason: str | None, usage: Usage | None, model: str, status: str = ""
    ) -> Json:
        """The whole answer, at its end or on the way."""
        reason = INCOMPLETE.get(finish_reason or "")
        return {
            "id": f"resp_{self.name}",
            "object": "response",
            "created_at": self.created,
            "status": status or ("incomplete" if reason else "completed"),
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": model or self.model,
            "output": output,
            "usage": None if usage is None else _usage(usage),
            **self.shown,
        }


def _usage(usage: Usage) -> Json:
    into, out = usage.tokens_in or 0, usage.tokens_out or 0
    return {
        "input_tokens": into,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens_in or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": into + out,
    }


class Items:
    """The output's items, numbered."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.done: list[Json] = []

    def new_id(self, prefix: str) -> str:
        """For the item that comes next."""
        return f"{prefix}_{self._name}{len(self.done):02}"

    def thought(self, text: str, blocks: list[Raw]) -> None:
        """Thinking; its signatures are in encrypted_content, to be sent back."""
        self.done.append(reasoning_item(self.new_id("rs"), text, blocks))

    def message(self, text: str, refusal: str) -> None:
        """What the model says."""
        content = [text_part(text)] if text or not refusal else []
        if refusal:
            content.append({"type": "refusal", "refusal": refusal})
        self.done.append(message_item(self.new_id("msg"), content, "completed"))

    def call(self, call: Call) -> None:
        """A whole call."""
        function = call.function
        name, arguments = (function.name, function.arguments) if function is not None else ("", "")
        item = call_item(self.new_id("fc"), call.id or "", name or "", arguments or "{}", "completed")
        self.done.append(item if call.extra_content is ABSENT else item | {"extra_content": call.extra_content})


def text_part(text: str) -> Json:
    """A part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(item_id: str, content: list[Json], status: str) -> Json:
    """A message."""
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def call_item(item_id: str, call_id: str, name: str, arguments: str, status: str) -> Json:
    """A call of a function."""
    item = {"id": item_id, "type": "function_call", "status": status}
    return item | {"call_id": call_id, "name": name, "arguments": arguments}


def reasoning_item(item_id: str, text: str, blocks: list[Raw]) -> Json:
    """Thinking."""
    item: Json = {"id": item_id, "type": "reasoning", "summary": []}
    if text:
        item["summary"] = [{"type": "summary_text", "text": text}]
    return item | {"encrypted_content": seal(blocks)} if blocks else item


# --- streams


class _Open(Struct):
    """The item under way."""

    kind: str  # thought | text | refusal | call
    id: str
    texts: list[str] = field(default_factory=list[str])
    index: int = 0  # of a call, as the provider counts
    call_id: str = ""
    name: str = ""
    extra_content: Raw = ABSENT
    blocks: list[Raw] = field(default_factory=list[Raw])

    @property
    def text(self) -> str:
        return "".join(self.texts)


class ResponsesStream(TranslatedEvents[bytes]):
    """See core.provider.StreamTranslation. One item is open at a time, as models give them one after another."""

    provider = "The model"

    def __init__(self, back: ResponsesBack) -> None:
        super().__init__(Events())
        self._back = back
        self._items = Items(back.name)
        self._open: _Open | None = None
        self._number = 0
        self._model = ""
        self._finish_reason: str | None = None
        self._usage = b""
        self._begun = False
        self._kept = 0

    def _add(self, out: list[bytes], event: bytes) -> None:
        if event == DONE:
            self._complete(out)
            return
        said = read_event(event)
        if said.error is not ABSENT:
            self._fail(out, said.error)
            return
        self._model = self._model or said.model
        if not self._begun:
            self._begun = True
            for kind in ("response.created", "response.in_progress"):
                self._emit(out, kind, response=self._response("in_progress"))
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
        if not self._items.done:
            self._items.message("", "")
        response = self._response("")
        self._emit(out, f"response.{response['status']}", response=response)
        self._done = True

    def _fail(self, out: list[bytes], error: Raw) -> None:
        said: Any = msgspec.json.decode(error)
        message = str(cast("Json", said).get("message", "") if isinstance(said, dict) else said)
        self._problem = ProtocolBroken(f"The stream ended with an error: {message[:500]}")
        failed = self._response("failed") | {"error": {"code": "server_error", "message": message}}
        self._emit(out, "response.failed", response=failed)

    def _response(self, status: str) -> Json:
        usage = usage_in(self._usage) if self._usage else None
        return self._back.response(self._items.done, self._finish_reason, usage, self._model, status)

    def _delta(self, out: list[bytes], delta: Said) -> None:
        if thoughts := delta.thoughts:
            self._piece(out, self._ready(out, "thought"), thoughts)
        for block in delta.thinking_blocks or ():
            self._ready(out, "thought").blocks.append(block)
        if text := delta.text:
            self._piece(out, self._ready(out, "text"), text)
        if delta.refusal:
            self._piece(out, self._ready(out, "refusal"), delta.refusal)
        for call in delta.tool_calls or ():
            self._call(out, call)

    def _call(self, out: list[bytes], call: Call) -> None:
        under = self._open
        if under is None or under.kind != "call" or under.index != call.index:
            name = call.function and call.function.name
            if not name:
                raise ProtocolBroken("The stream goes back to a call that was over")
            self._close(out)
            under = _Open("call", self._items.new_id("fc"), index=call.index, call_id=call.id or "", name=name)
            under.extra_content = call.extra_content
            self._open = under
            self._start(out, call_item(under.id, under.call_id, under.name, "", "in_progress"))
        if call.function is not None and call.function.arguments:
            self._piece(out, under, call.function.arguments)

    def _ready(self, out: list[bytes], kind: str) -> _Open:
        """The item of a kind, begun where another one was under way."""
        under = self._open
        if under is not None and under.kind == kind:
            return under
        self._close(out)
        if kind == "thought":
            under = self._open = _Open(kind, self._items.new_id("rs"))
            self._start(out, reasoning_item(under.id, "", []))
            part = {"type": "summary_text", "text": ""}
            self._emit_at(out, "response.reasoning_summary_part.added", under, summary_index=0, part=part)
            return under
        under = self._open = _Open(kind, self._items.new_id("msg"))
        self._start(out, message_item(under.id, [], "in_progress"))
        self._emit_at(out, "response.content_part.added", under, content_index=0, part=_said_part(kind, ""))
        return under

    def _piece(self, out: list[bytes], under: _Open, text: str) -> None:
        self._kept += len(text)
        if self._kept > MAX_KEPT:
            raise ProtocolBroken(f"An answer longer than {MAX_KEPT} characters cannot be translated")
        under.texts.append(text)
        name, more = _DELTAS[under.kind]
        self._emit_at(out, f"{name}.delta", under, **more, delta=text)

    def _close(self, out: list[bytes]) -> None:
        """End the item under way: all of it, once more."""
        under, self._open = self._open, None
        if under is None:
            return
        text = under.text
        name, more = _DELTAS[under.kind]
        if under.kind == "call":
            text = text or "{}"
            item = call_item(under.id, under.call_id, under.name, text, "completed")
            if under.extra_content is not ABSENT:
                item["extra_content"] = under.extra_content
            self._emit_at(out, f"{name}.done", under, name=under.name, arguments=text)
        elif under.kind == "thought":
            item = reasoning_item(under.id, text, under.blocks)
            self._emit_at(out, f"{name}.done", under, **more, text=text)
            part = {"type": "summary_text", "text": text}
            self._emit_at(out, "response.reasoning_summary_part.done", under, summary_index=0, part=part)
        else:
            part = _said_part(under.kind, text)
            item = message_item(under.id, [part], "completed")
            field_name = "refusal" if under.kind == "refusal" else "text"
            self._emit_at(out, f"{name}.done", under, **more, **{field_name: text})
            self._emit_at(out, "response.content_part.done", under, content_index=0, part=part)
        index = len(self._items.done)
        self._items.done.append(item)
        self._emit(out, "response.output_item.done", output_index=index, item=item)

    def _start(self, out: list[bytes], item: Json) -> None:
        self._emit(out, "response.output_item.added", output_index=len(self._items.done), item=item)

    def _emit_at(self, out: list[bytes], kind: str, under: _Open, **fields: Any) -> None:
        self._emit(out, kind, item_id=under.id, output_index=len(self._items.done), **fields)

    def _emit(self, out: list[bytes], kind: str, **fields: Any) -> None:
        data = _encode({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1
        out.append(b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n")


_DELTAS: dict[str, tuple[str, Json]] = {
    "thought": ("response.reasoning_summary_text", {"summary_index": 0}),
    "text": ("response.output_text", {"content_index": 0, "logprobs": []}),
    "refusal": ("response.refusal", {"content_index": 0}),
    "call": ("response.function_call_arguments", {}),
}
"""By an item's kind: how its events begin, and what they hold beside."""


def _said_part(kind: str, text: str) -> Json:
    return {"type": "refusal", "refusal": text} if kind == "refusal" else text_part(text)
