"""Providers on loopback that speak Anthropic's, Gemini's, Bedrock's and Cohere's own formats, as documented.

The model's name says what they do: `…-text`, `…-tools`, `…-json`, `…-think`, `…-cut`, `…-broken`, `…-garbage`,
`…-error`, `…-late-error`, `…-drip`, `…-hang`, `…-stall`, `…-gzip`. They refuse, as the
real ones do, a request that lacks its key, its version, or a field that they demand.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from typing import Any

from support import foreign_formats
from support.upstream import Seen, Upstream, _chunk, _send, _send_json, _stream_head, named_event

WORDS = ["Grüezi", " mitenand", " 🌧"]
CALLS = [("weather", {"city": "Bern"}), ("weather", {"city": "Chur"})]
PERSON = '{"name":"Ada","age":36}'
KEY = "the-providers-own-key"
SSE = b"text/event-stream"


class ForeignUpstream(Upstream):
    """Answers by path: `/anthropic/…`, `/google/…`, `/aws/…` and `/cohere/…`."""

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.target == "/anthropic/v1/messages":
            return await _anthropic(seen, writer)
        match = re.fullmatch(
            r"/google/v1(?:beta)?/models/([^:]+):(generateContent|streamGenerateContent\?alt=sse)", seen.target
        )
        if match:
            return await _gemini(seen, writer, match.group(1), is_stream=match.group(2).startswith("stream"))
        match = re.fullmatch(r"/aws/model/([^/]+)/(converse|converse-stream)", seen.target)
        if match:
            return await _bedrock(seen, writer, match.group(1).removeprefix("converse-"), match.group(2))
        if seen.target == "/cohere/v2/chat":
            return await _cohere(seen, writer, seen.json["model"].removeprefix("command-"))
        return await super()._answer(seen, writer)


# --- Anthropic


def _complaint(seen: Seen) -> str | None:
    if seen.header.get("x-api-key") != KEY:
        return "x-api-key"
    if seen.header.get("anthropic-version") != "2023-06-01":
        return "anthropic-version"
    asked = seen.json
    return next((name for name in ("model", "max_tokens", "messages") if not asked.get(name)), None)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


async def _anthropic(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    if lacking := _complaint(seen):
        return await _send_json(writer, _error("invalid_request_error", f"{lacking} is missing"), 400)
    asked = seen.json
    behaviour = asked["model"].removeprefix("claude-")
    if behaviour == "error":
        return await _send_json(writer, _error("overloaded_error", "Overloaded"), 529)
    if behaviour == "hang":
        await asyncio.sleep(3600)
    content, reason = _anthropic_content(behaviour)
    usage = {
        "input_tokens": 20,
        "cache_read_input_tokens": 6,
        "cache_creation_input_tokens": 4,
        "output_tokens": 10,
    }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"] + "-1"}
    message |= {"content": content, "stop_reason": reason, "stop_sequence": None, "usage": usage}
    if not asked.get("stream"):
        return await _whole(writer, message, behaviour)
    return await _anthropic_stream(writer, message, behaviour)


def _anthropic_content(behaviour: str) -> tuple[list[dict[str, Any]], str]:
    if behaviour == "tools":
        calls = [
            {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
            for number, (name, arguments) in enumerate(CALLS)
        ]
        return calls, "tool_use"
    text = PERSON if behaviour == "json" else "".join(WORDS)
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    if behaviour == "think":
        content.insert(0, {"type": "thinking", "thinking": "Hm, so.", "signature": "sig"})
    return content, "end_turn"


async def _whole(writer: asyncio.StreamWriter, answer: dict[str, Any], behaviour: str) -> bool:
    body = json.dumps(answer, ensure_ascii=False).encode()
    if behaviour == "garbage":
        body = b'{"it": "is something else"}'
    if behaviour == "gzip":
        return await _send(writer, 200, "application/json", gzip.compress(body), "content-encoding: gzip\r\n")
    if behaviour == "broken":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        writer.write(body[:40])
        await writer.drain()
        return False
    if behaviour == "drip":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 50):
            await _chunk(writer, body[at : at + 50])
            await asyncio.sleep(0.005)
        writer.write(b"0\r\n\r\n")
        return True
    return await _send(writer, 200, "application/json", body, "request-id: req_1\r\netag: x\r\n")


def _anthropic_events(message: dict[str, Any], behaviour: str) -> list[bytes]:
    opening = message | {"content": [], "stop_reason": None, "usage": message["usage"] | {"output_tokens": 1}}
    events = [named_event("message_start", {"message": opening}), named_event("ping", {})]
    for index, block in enumerate(message["content"]):
        first = {"type": block["type"]} | {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}.get(
            block["type"], {"id": block.get("id"), "name": block.get("name"), "input": {}}
        )
        events.append(named_event("content_block_start", {"index": index, "content_block": first}))
        events += [named_event("content_block_delta", {"index": index, "delta": delta}) for delta in _deltas(block)]
        events.append(named_event("content_block_stop", {"index": index}))
    if behaviour == "late-error":
        return [
            *events,
            b"event: error\ndata: " + json.dumps(_error("overloaded_error", "Overloaded")).encode() + b"\n\n",
        ]
    ended = {"delta": {"stop_reason": message["stop_reason"]}, "usage": {"output_tokens": 10}}
    return [*events, named_event("message_delta", ended), named_event("message_stop", {})]


def _deltas(block: dict[str, Any]) -> list[dict[str, Any]]:
    if block["type"] == "text":
        text = block["text"]
        return [{"type": "text_delta", "text": text[at : at + 4]} for at in range(0, len(text), 4)]
    if block["type"] == "thinking":
        thinking = {"type": "thinking_delta", "thinking": block["thinking"]}
        return [thinking, {"type": "signature_delta", "signature": block["signature"]}]
    written = json.dumps(block["input"])
    return [{"type": "input_json_delta", "partial_json": piece} for piece in ("", written[:5], written[5:])]


async def _anthropic_stream(writer: asyncio.StreamWriter, message: dict[str, Any], behaviour: str) -> bool:
    return await _stream(writer, _anthropic_events(message, behaviour), behaviour)


async def _stream(
    writer: asyncio.StreamWriter, events: list[bytes], behaviour: str, *, kind: bytes = SSE, begun: int = 5
) -> bool:
    """`begun`: the events of a stream that breaks off; the last of them holds a piece of the answer."""
    if behaviour == "garbage":
        return await _send(writer, 200, "application/json", b"{}")
    await _stream_head(writer, kind)
    if behaviour in ("cut", "stall"):
        for event in events[:begun]:
            await _chunk(writer, event)
        await asyncio.sleep(3600 if behaviour == "stall" else 0)
        return False
    if behaviour == "broken":
        events = events[:begun]  # a clean end, but too early
    if behaviour == "drip":
        whole = b"".join(events)
        for at in range(0, len(whole), 23):
            await _chunk(writer, whole[at : at + 23])
            await asyncio.sleep(0.001)
    else:
        for event in events:
            await _chunk(writer, event)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


# --- Gemini


async def _gemini(seen: Seen, writer: asyncio.StreamWriter, model: str, *, is_stream: bool) -> bool:
    if seen.header.get("x-goog-api-key") != KEY or "contents" not in seen.json:
        error = {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}
        return await _send_json(writer, error, 400)
    behaviour = model.removeprefix("gemini-")
    if behaviour == "error":
        error = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
        return await _send_json(writer, error, 503)
    if behaviour == "hang":
        await asyncio.sleep(3600)
    parts = _gemini_parts(behaviour)
    if not is_stream:
        return await _whole(writer, _response(model, parts, "STOP"), behaviour)
    events = [_response(model, [part], None) for part in parts]
    last = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
    events.append(last if behaviour == "late-error" else _response(model, [{"text": ""}], "STOP"))
    if behaviour in ("cut", "broken"):
        events = events[:2]
    return await _stream(
        writer, [b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events], behaviour
    )


def _gemini_parts(behaviour: str) -> list[dict[str, Any]]:
    if behaviour == "tools":
        parts: list[dict[str, Any]] = [{"functionCall": {"name": name, "args": args}} for name, args in CALLS]
        parts[0]["thoughtSignature"] = "c2ln"
        return parts
    if behaviour == "json":
        return [{"text": PERSON[:9]}, {"text": PERSON[9:]}]
    thinking = [{"text": "Hm, so.", "thought": True}] if behaviour == "think" else []
    return [*thinking, *[{"text": word} for word in WORDS]]


def _response(model: str, parts: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    usage = {
        "promptTokenCount": 20,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 3,
        "cachedContentTokenCount": 4,
    }
    candidate |= {} if reason is None else {"finishReason": reason}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model + "-1", "responseId": "r1"}


# --- Bedrock and Cohere


async def _bedrock(seen: Seen, writer: asyncio.StreamWriter, behaviour: str, verb: str) -> bool:
    refused = await foreign_formats.refuse(seen, writer, behaviour, KEY)
    if refused is not None:
        return refused
    script = foreign_formats.Script(behaviour, WORDS, CALLS, PERSON)
    if verb == "converse":
        return await _whole(writer, foreign_formats.converse_answer(script), behaviour)
    events = foreign_formats.converse_events(script, behaviour)
    return await _stream(writer, events, behaviour, kind=b"application/vnd.amazon.eventstream", begun=2)


async def _cohere(seen: Seen, writer: asyncio.StreamWriter, behaviour: str) -> bool:
    refused = await foreign_formats.refuse(seen, writer, behaviour, KEY)
    if refused is not None:
        return refused
    script = foreign_formats.Script(behaviour, WORDS, CALLS, PERSON)
    if not seen.json.get("stream"):
        return await _whole(writer, foreign_formats.cohere_answer(script), behaviour)
    return await _stream(writer, foreign_formats.cohere_events(script, behaviour), behaviour, begun=2)
