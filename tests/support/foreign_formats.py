"""Bedrock's Converse and Cohere's v2 chat, spoken by a ForeignUpstream: the same conversations in their formats."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support import event_stream
from support.upstream import Seen, _send_json

USAGE = {
    "inputTokens": 20,
    "outputTokens": 10,
    "totalTokens": 40,
    "cacheReadInputTokens": 6,
    "cacheWriteInputTokens": 4,
}
COHERE_USAGE = {"billed_units": {"input_tokens": 20, "output_tokens": 10}}


class Script:
    """What a model says: its words, calls and thinking, whatever the format."""

    def __init__(
        self, behaviour: str, words: list[str], calls: list[tuple[str, dict[str, Any]]], person: str
    ) -> None:
        self.calls = calls if behaviour == "tools" else []
        self.words = [] if self.calls else [person[:9], person[9:]] if behaviour == "json" else words
        self.thinking = "Hm, so." if behaviour == "think" else ""


async def refuse(seen: Seen, writer: asyncio.StreamWriter, behaviour: str, key: str) -> bool | None:
    """The answer where there is no conversation; None: go on."""
    if seen.header.get("authorization") != f"Bearer {key}":
        return await _send_json(writer, {"message": "invalid key"}, 401)
    if behaviour == "error":
        return await _send_json(writer, {"message": "Overloaded"}, 503)
    if behaviour == "hang":
        await asyncio.sleep(3600)
    return None


# --- Bedrock


def converse_answer(script: Script) -> dict[str, Any]:
    """A whole answer of Converse."""
    blocks: list[dict[str, Any]] = []
    if script.thinking:
        text = {"text": script.thinking, "signature": "sig"}
        blocks.append({"reasoningContent": {"reasoningText": text}})
    if script.words:
        blocks.append({"text": "".join(script.words)})
    for number, (name, arguments) in enumerate(script.calls):
        blocks.append({"toolUse": {"toolUseId": f"tooluse_{number}", "name": name, "input": arguments}})
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": "tool_use" if script.calls else "end_turn",
        "usage": USAGE,
        "metrics": {"latencyMs": 5},
    }


def converse_events(script: Script, behaviour: str) -> list[bytes]:
    """A stream of Converse, message by message."""
    events = [event_stream.event("messageStart", {"role": "assistant"})]
    index = 0

    def block(*deltas: dict[str, Any], tool: dict[str, Any] | None = None) -> None:
        nonlocal index
        place = {"contentBlockIndex": index}
        if tool is not None:
            events.append(event_stream.event("contentBlockStart", {"start": {"toolUse": tool}, **place}))
        events.extend(event_stream.event("contentBlockDelta", {"delta": delta, **place}) for delta in deltas)
        events.append(event_stream.event("contentBlockStop", place))
        index += 1

    if script.thinking:
        block({"reasoningContent": {"text": script.thinking}}, {"reasoningContent": {"signature": "sig"}})
    if script.words:
        block(*[{"text": word} for word in script.words])
    for number, (name, arguments) in enumerate(script.calls):
        written = json.dumps(arguments)
        pieces = [{"toolUse": {"input": written[:5]}}, {"toolUse": {"input": written[5:]}}]
        block(*pieces, tool={"toolUseId": f"tooluse_{number}", "name": name})
    if behaviour == "late-error":
        return [*events, event_stream.failure("modelStreamErrorException", "Overloaded")]
    stopped = event_stream.event("messageStop", {"stopReason": "tool_use" if script.calls else "end_turn"})
    return [*events, stopped, event_stream.event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 5}})]


# --- Cohere


def cohere_answer(script: Script) -> dict[str, Any]:
    """A whole answer of v2 chat."""
    content: list[dict[str, Any]] = []
    if script.thinking:
        content.append({"type": "thinking", "thinking": script.thinking})
    if script.words:
        content.append({"type": "text", "text": "".join(script.words)})
    message: dict[str, Any] = {"role": "assistant"} | ({"content": content} if content else {})
    if script.calls:
        message["tool_plan"] = "I look."
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for number, (name, arguments) in enumerate(script.calls)
        ]
    reason = "TOOL_CALL" if script.calls else "COMPLETE"
    return {"id": "c1", "finish_reason": reason, "message": message, "usage": COHERE_USAGE}


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def cohere_events(script: Script, behaviour: str) -> list[bytes]:
    """A stream of v2 chat, event by event."""
    events = [_event("message-start", id="c1", delta={"message": {"role": "assistant"}})]
    pieces: list[dict[str, Any]] = [{"thinking": script.thinking}] if script.thinking else []
    pieces += [{"text": word} for word in script.words]
    for piece in pieces:
        events.append(_event("content-delta", index=0, delta={"message": {"content": piece}}))
    if script.calls:
        events.append(_event("tool-plan-delta", delta={"message": {"tool_plan": "I look."}}))
    for number, (name, arguments) in enumerate(script.calls):
        call = {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": ""}}
        events.append(_event("tool-call-start", index=number, delta={"message": {"tool_calls": call}}))
        piece = {"function": {"arguments": json.dumps(arguments)}}
        events.append(_event("tool-call-delta", index=number, delta={"message": {"tool_calls": piece}}))
        events.append(_event("tool-call-end", index=number))
    if behaviour == "late-error":
        return [*events, _event("message-end", delta={"finish_reason": "ERROR", "error": "Overloaded"})]
    reason = "TOOL_CALL" if script.calls else "COMPLETE"
    ended = _event("message-end", id="c1", delta={"finish_reason": reason, "usage": COHERE_USAGE})
    return [*events, ended, b"data: [DONE]\n\n"]
