"""Gemini's generateContent, after its API reference (ai.google.dev: Content, Part, Candidate, FinishReason).

A stream is a row of answers, each with the next parts. Parts marked `thought` are no part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from gaugeway.core.samples import Message, ToolCall
from gaugeway.evaluation.conversations.shapes import Object, as_json, child, first, objects, text

BLOCKED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")
"""Finish reasons that say that the model was kept from answering."""


def messages_of(request: Object) -> list[Message]:
    """The contents of a request, the system instruction first."""
    instruction = child(request, "systemInstruction") or child(request, "system_instruction")
    messages = [_content(instruction, "system")] if instruction else []
    return messages + [_content(item, "user") for item in objects(request.get("contents"))]


def answer_of(documents: Iterable[Object]) -> Message | None:
    """The first candidate of a whole answer (one document) or of a stream (several)."""
    pieces: list[str] = []
    calls: list[ToolCall] = []
    refusal: str | None = None
    began = False
    for document in documents:
        reason = text(child(document, "promptFeedback").get("blockReason"))
        candidate = first(document.get("candidates"))
        began = began or bool(candidate) or bool(reason)
        if candidate.get("finishReason") in BLOCKED:
            reason = text(candidate["finishReason"])
        refusal = refusal or (f"blocked: {reason}" if reason else None)
        said = _content(child(candidate, "content"), "assistant")
        pieces.append(said.text)
        calls += said.tool_calls
    return Message("assistant", "".join(pieces), tuple(calls), refusal) if began else None


def _content(content: Object, role: str) -> Message:
    parts = [part for part in objects(content.get("parts")) if not part.get("thought")]
    calls = [child(part, "functionCall") for part in parts if part.get("functionCall")]
    named = text(content.get("role"))
    return Message(
        role if role == "system" else {"model": "assistant", "function": "tool"}.get(named, named or role),
        "".join(text(part.get("text")) for part in parts),
        tuple(ToolCall(text(call.get("name")), as_json(call.get("args", {}))) for call in calls),
    )
