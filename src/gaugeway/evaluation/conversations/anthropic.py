"""Anthropic's messages, after its published types (anthropic-sdk-python: Message, RawMessageStreamEvent).

Thinking is no part of the answer. A stream's blocks have an `index`; a tool's input comes as pieces of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable

from gaugeway.core.samples import Message, ToolCall
from gaugeway.evaluation.conversations.shapes import Object, as_json, child, joined, objects, text


def messages_of(request: Object) -> list[Message]:
    """The messages of a request, the system prompt first."""
    system = joined(request.get("system"), "text")
    messages = [Message("system", system)] if system else []
    for item in objects(request.get("messages")):
        content = item.get("content")
        role = text(item.get("role"))
        results = [part for part in objects(content) if part.get("type") == "tool_result"]
        messages += [Message("tool", joined(part.get("content"), "text")) for part in results]
        said, calls = joined(content, "text"), _calls(content)
        if said or calls or not results:
            messages.append(Message(role, said, calls))
    return messages


def answer_of(document: Object) -> Message | None:
    """A whole answer."""
    if not isinstance(document.get("content"), list):
        return None
    content = document["content"]
    return Message("assistant", joined(content, "text"), _calls(content), _refusal(document.get("stop_reason")))


def stream_of(events: Iterable[Object]) -> Message | None:
    """The answer, put together from its events."""
    blocks: dict[int, Object] = {}
    pieces: dict[int, list[str]] = {}
    stop_reason: object = None
    began = False
    for event in events:
        index = event.get("index")
        at = index if isinstance(index, int) else 0
        match event.get("type"):
            case "message_start":
                began = True
            case "content_block_start":
                block = child(event, "content_block")
                blocks[at] = block
                pieces[at] = [text(block.get("text"))]
            case "content_block_delta":
                delta = child(event, "delta")
                if delta.get("type") in ("text_delta", "input_json_delta"):
                    piece = text(delta.get("text")) or text(delta.get("partial_json"))
                    pieces.setdefault(at, []).append(piece)
                    blocks.setdefault(at, {"type": "text"})
            case "message_delta":
                stop_reason = child(event, "delta").get("stop_reason")
            case _:
                pass
    if not began:
        return None
    said = "".join("".join(pieces[at]) for at, block in blocks.items() if block.get("type") == "text")
    calls = tuple(
        ToolCall(text(block.get("name")), "".join(pieces[at]) or as_json(block.get("input", {})))
        for at, block in blocks.items()
        if block.get("type") == "tool_use"
    )
    return Message("assistant", said, calls, _refusal(stop_reason))


def _calls(content: object) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(text(part.get("name")), as_json(part.get("input", {})))
        for part in objects(content)
        if part.get("type") == "tool_use"
    )


def _refusal(stop_reason: object) -> str | None:
    return "stop_reason: refusal" if stop_reason == "refusal" else None
