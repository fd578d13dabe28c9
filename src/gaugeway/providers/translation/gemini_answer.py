"""Gemini's answers and streams as chat completions (ai.google.dev/api/generate-content: GenerateContentResponse).

A stream has no last event of its own: it is over when the connection ends in order and each answer has named the
reason why it ended. Only then come OpenAI's last events.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.providers.formats.gemini import Gemini
from gaugeway.providers.translation.events import Events
from gaugeway.providers.translation.output import (
    DONE,
    Chunks,
    Names,
    choice,
    completion,
    error_body,
    message,
    raw_text,
    tool_call,
)
from gaugeway.providers.translation.streaming import TranslatedEvents

FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "LANGUAGE": "content_filter",
}
"""A reason that is not here is passed on by its own name, in lower case."""

MAX_CANDIDATES = 64

_figures = Gemini()
_ABSENT = Raw()


class _Camel(Struct, rename="camel"):
    """Google's spelling."""


class _Call(_Camel):
    name: str = ""
    id: str | None = None
    args: Raw = Raw(b"{}")


class _Part(_Camel):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: _Call | None = None
    inline_data: Raw = _ABSENT
    file_data: Raw = _ABSENT
    executable_code: Raw = _ABSENT
    code_execution_result: Raw = _ABSENT


class _Content(_Camel):
    parts: list[_Part] | None = None


class _Candidate(_Camel):
    content: _Content | None = None
    finish_reason: str | None = None
    index: int = 0


class _Feedback(_Camel):
    block_reason: str | None = None


class _Response(_Camel):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Raw = _ABSENT


_decoder = msgspec.json.Decoder(_Response)


def _usage_in(document: bytes) -> Usage | None:
    decoded = _figures.decode(document)
    return None if decoded is None else _figures.report((decoded,)).usage


def _finish_reason(said: str, calls: int) -> str:
    if said == "STOP" and calls:
        return "tool_calls"
    return FINISH_REASONS.get(said, said.lower())


def _is_foreign(part: _Part) -> bool:
    """Whether it holds something that a chat completion cannot."""
    return any(
        given is not _ABSENT
        for given in (part.inline_data, part.file_data, part.executable_code, part.code_execution_result)
    )


_FOREIGN = "Gemini's answer holds a part that is neither text nor a call; it cannot be translated"


def _call_fields(call: _Call, signature: str | None, call_id: str) -> dict[str, Any]:
    extra = None if signature is None else {"google": {"thought_signature": signature}}
    return tool_call(call.id or call_id, call.name, raw_text(call.args), extra)


# --- whole answers


def translate_answer(body: bytes, names: Names) -> bytes:
    """An answer as a `chat.completion`. Raises ProtocolBroken for what is none."""
    try:
        said = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ProtocolBroken(f"Gemini's answer is none: {problem}") from None
    candidates = said.candidates or []
    blocked = None if said.prompt_feedback is None else said.prompt_feedback.block_reason
    if candidates:
        choices = [_choice(candidate, names) for candidate in candidates]
    elif blocked is not None:
        refused = {"role": "assistant", "content": None, "refusal": _blocked(blocked)}
        choices = [choice(0, refused, "content_filter")]
    else:
        raise ProtocolBroken("Gemini's answer has neither candidates nor a reason why")
    return completion(
        reply_id=said.response_id or names.reply_id,
        created=names.created,
        model=said.model_version or names.model,
        choices=choices,
        usage=_usage_in(body),
    )


def _blocked(reason: str) -> str:
    return f"Gemini blocked the prompt: {reason}"


def _choice(candidate: _Candidate, names: Names) -> dict[str, Any]:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for part in (candidate.content and candidate.content.parts) or ():
        if _is_foreign(part):
            raise ProtocolBroken(_FOREIGN)
        if part.function_call is not None:
            number = candidate.index * MAX_CANDIDATES + len(calls)
            calls.append(_call_fields(part.function_call, part.thought_signature, names.call_id(number)))
        elif part.text is not None:
            (thoughts if part.thought else texts).append(part.text)
    said = message(texts, calls, thoughts)
    return choice(candidate.index, said, _finish_reason(candidate.finish_reason or "STOP", len(calls)))


# --- streams


class _Under(Struct):
    """One of the answers under way."""

    calls: int = 0
    finish_reason: str | None = None


class GeminiStream(TranslatedEvents[bytes]):
    """See core.provider.StreamTranslation."""

    provider = "Gemini"

    def __init__(self, names: Names, *, wants_usage: bool) -> None:
        super().__init__(Events())
        self._names = names
        self._wants_usage = wants_usage
        self._chunks: Chunks | None = None
        self._figures = b""  # the last event with figures
        self._answers: dict[int, _Under] = {}

    def _finish(self) -> bytes:
        unfinished = any(answer.finish_reason is None for answer in self._answers.values())
        if self._chunks is None or not self._answers or unfinished:
            raise ProtocolBroken("Gemini's stream ended without a reason to end.")
        self._done = True
        out: list[bytes] = []
        for index, answer in sorted(self._answers.items()):
            out.append(self._chunks.finish(_finish_reason(answer.finish_reason or "", answer.calls), index))
        if self._wants_usage:
            out.append(self._chunks.usage(_usage_in(self._figures)))
        return b"".join((*out, DONE))

    def _add(self, out: list[bytes], event: bytes) -> None:
        said = _decoder.decode(event)
        if said.error is not _ABSENT:
            body = error_body(event)
            self._problem = ProtocolBroken(f"Gemini ended the stream with an error: {body[:500].decode()}")
            out.append(b"data: " + body + b"\n\n")
            return
        if b'"usageMetadata"' in event:
            self._figures = event
        if self._chunks is None:
            self._chunks = Chunks(
                reply_id=said.response_id or self._names.reply_id,
                created=self._names.created,
                model=said.model_version or self._names.model,
                wants_usage=self._wants_usage,
            )
        for candidate in said.candidates or ():
            self._add_candidate(out, self._chunks, candidate)
        blocked = None if said.prompt_feedback is None else said.prompt_feedback.block_reason
        if blocked is not None and not self._answers:
            self._answers[0] = _Under(finish_reason="PROHIBITED_CONTENT")
            out += (self._chunks.opened(), self._chunks.fields({"refusal": _blocked(blocked)}))

    def _add_candidate(self, out: list[bytes], chunks: Chunks, candidate: _Candidate) -> None:
        index = candidate.index
        answer = self._answers.get(index)
        if answer is None:
            if len(self._answers) == MAX_CANDIDATES:
                raise ProtocolBroken(f"Gemini's stream holds more than {MAX_CANDIDATES} answers")
            answer = self._answers[index] = _Under()
            out.append(chunks.opened(index))
        for part in (candidate.content and candidate.content.parts) or ():
            if _is_foreign(part):
                raise ProtocolBroken(_FOREIGN)
            if part.function_call is not None:
                call_id = self._names.call_id(index * MAX_CANDIDATES + answer.calls)
                fields = _call_fields(part.function_call, part.thought_signature, call_id)
                out.append(chunks.call(answer.calls, fields, index))
                answer.calls += 1
            elif part.text:
                out.append((chunks.reasoning if part.thought else chunks.text)(part.text, index))
        answer.finish_reason = candidate.finish_reason or answer.finish_reason
