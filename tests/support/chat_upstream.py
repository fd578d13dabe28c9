"""A ForeignUpstream that also speaks OpenAI's chat completions in all its ways, at `/groq/chat/completions`.

The model's name says what it does: `chat-text`, `chat-tools`, `chat-json`, `chat-think`, `chat-refuse`,
`chat-length`, `chat-cut`, `chat-late-error`, `chat-error`, `chat-no-usage`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.foreign_upstream import CALLS, KEY, PERSON, WORDS, ForeignUpstream
from support.upstream import USAGE, Seen, _chunk, _send_json, _stream_head


class ChatUpstream(ForeignUpstream):
    """The running upstream."""

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.target != "/groq/chat/completions":
            return await super()._answer(seen, writer)
        behaviour = seen.json["model"].removeprefix("chat-")
        if seen.header.get("authorization") != f"Bearer {KEY}":
            error = {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}
            return await _send_json(writer, {"error": error}, 401)
        if behaviour == "error":
            return await _send_json(writer, {"error": {"message": "Too many", "type": "rate_limit_error"}}, 429)
        if seen.json.get("stream"):
            return await _stream(writer, behaviour, seen)
        message, reason = _message(behaviour)
        whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": seen.json["model"] + "-1"}
        whole["choices"] = [{"index": 0, "message": message, "finish_reason": reason}]
        if behaviour != "no-usage":
            whole["usage"] = USAGE
        return await _send_json(writer, whole)


def _message(behaviour: str) -> tuple[dict[str, Any], str]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(WORDS)}
    if behaviour == "tools":
        calls = [
            {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for n, (name, arguments) in enumerate(CALLS)
        ]
        return message | {"content": None, "tool_calls": calls}, "tool_calls"
    if behaviour == "json":
        return message | {"content": PERSON}, "stop"
    if behaviour == "think":
        return message | {"reasoning": "Hm, so."}, "stop"
    if behaviour == "refuse":
        return message | {"content": None, "refusal": "I would rather not."}, "content_filter"
    return message, "length" if behaviour == "length" else "stop"


async def _stream(writer: asyncio.StreamWriter, behaviour: str, seen: Seen) -> bool:
    message, reason = _message(behaviour)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message.get("reasoning"):
        deltas += [{"reasoning": "Hm,"}, {"reasoning": " so."}]
    text = message["content"] or ""
    deltas += [{"content": text[at : at + 5]} for at in range(0, len(text), 5)]
    if message.get("refusal"):
        deltas.append({"refusal": message["refusal"]})
    for index, call in enumerate(message.get("tool_calls", ())):
        function = {"name": call["function"]["name"], "arguments": ""}
        deltas.append(
            {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": function}]}
        )
        arguments = call["function"]["arguments"]
        for piece in (arguments[:4], arguments[4:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    await _stream_head(writer)
    for delta in deltas:
        await _event(writer, seen, [{"index": 0, "delta": delta, "finish_reason": None}])
    if behaviour == "cut":
        return False
    if behaviour == "late-error":
        await _chunk(writer, b'data: {"error":{"message":"Overloaded","type":"overloaded_error"}}\n\n')
        return False
    await _event(writer, seen, [{"index": 0, "delta": {}, "finish_reason": reason}])
    if (seen.json.get("stream_options") or {}).get("include_usage") and behaviour != "no-usage":
        await _event(writer, seen, [], usage=USAGE)
    await _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _event(writer: asyncio.StreamWriter, seen: Seen, choices: list[Any], **more: Any) -> None:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": seen.json["model"] + "-1",
    }
    await _chunk(writer, b"data: " + json.dumps(chunk | {"choices": choices} | more).encode() + b"\n\n")
