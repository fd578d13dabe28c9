"""OpenAI's chat completions, legacy completions and responses, after its published types (openai-python).

In a chat's stream the pieces of one tool call share its `index`. A responses stream ends with the whole response in
`response.completed` (or `.incomplete`, `.failed`); until then its deltas say what there is.
"""

from __future__ import annotations

from collections.abc import Iterable

from gaugeway.core.samples import Message, ToolCall
from gaugeway.evaluation.conversations.shapes import Object, as_json, child, first, is_object, joined, objects, text

TEXT_PARTS = ("text", "input_text", "output_text")


def chat_messages(request: Object) -> list[Message]:
    """The messages of a chat request (or the one prompt of a legacy completion)."""
    if "messages" not in request:
        return [Message("user", text(request.get("prompt")))]
    return [_message(item) for item in objects(request.get("messages"))]


def chat_answer(document: Object) -> Message | None:
    """The first choice of a whole answer."""
    choice = first(document.get("choices"))
    if is_object(choice.get("message")):
        return _message(choice["message"])
    return Message("assistant", choice["text"]) if isinstance(choice.get("text"), str) else None


def as_chat_calls(calls: Iterable[ToolCall]) -> list[Object]:
    """The other way round: tool calls as a chat's message has them, numbered, as their ids are not kept."""
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for number, call in enumerate(calls)
    ]


def chat_stream(events: Iterable[Object]) -> Message | None:
    """The first choice, put together from its chunks."""
    pieces: list[str] = []
    refusal: list[str] = []
    calls: dict[int, list[str]] = {}
    began = False
    for event in events:
        choice = first([item for item in objects(event.get("choices")) if item.get("index", 0) == 0])
        delta = child(choice, "delta")
        began = began or bool(choice)
        pieces.append(text(delta.get("content")) or text(choice.get("text")))
        refusal.append(text(delta.get("refusal")))
        for call in objects(delta.get("tool_calls")):
            index = call.get("index")
            known = calls.setdefault(index if isinstance(index, int) else len(calls), ["", ""])
            function = child(call, "function")
            known[0] = known[0] or text(function.get("name"))
            known[1] += text(function.get("arguments"))
    if not began:
        return None
    made = tuple(ToolCall(name, arguments) for name, arguments in calls.values())
    return Message("assistant", "".join(pieces), made, "".join(refusal) or None)


def _message(item: Object) -> Message:
    functions = [child(call, "function") for call in objects(item.get("tool_calls"))]
    if is_object(item.get("function_call")):  # the older spelling
        functions.append(item["function_call"])
    return Message(
        text(item.get("role")) or "assistant",
        joined(item.get("content"), *TEXT_PARTS),
        tuple(ToolCall(text(call.get("name")), as_json(call.get("arguments", ""))) for call in functions),
        text(item.get("refusal")) or None,
    )


def responses_messages(request: Object) -> list[Message]:
    """The input of a responses request, its instructions first."""
    messages = [Message("system", request["instructions"])] if text(request.get("instructions")) else []
    given = request.get("input")
    if isinstance(given, str):
        return [*messages, Message("user", given)]
    return messages + [_input(item) for item in objects(given)]


def _input(item: Object) -> Message:
    match item.get("type"):
        case "function_call":
            return Message("assistant", "", (_function_call(item),))
        case "function_call_output":
            return Message("tool", joined(item.get("output"), *TEXT_PARTS))
        case _:
            return Message(text(item.get("role")) or "user", joined(item.get("content"), *TEXT_PARTS))


def responses_answer(document: Object) -> Message | None:
    """The output of a whole response; reasoning is no part of the answer."""
    if not isinstance(document.get("output"), list):
        return None
    pieces: list[str] = []
    refusals: list[str] = []
    calls: list[ToolCall] = []
    for item in objects(document["output"]):
        if item.get("type") == "message":
            pieces.append(joined(item.get("content"), *TEXT_PARTS))
            refusals += [text(part.get("refusal")) for part in objects(item.get("content"))]
        elif item.get("type") == "function_call":
            calls.append(_function_call(item))
    return Message("assistant", "".join(pieces), tuple(calls), "".join(refusals) or None)


def responses_stream(events: Iterable[Object]) -> Message | None:
    """The response that the stream ends with, or what the deltas say where it broke off."""
    pieces: list[str] = []
    refusals: list[str] = []
    calls: list[ToolCall] = []
    began = False
    for event in events:
        kind = text(event.get("type"))
        began = began or kind.startswith("response.")
        whole = responses_answer(child(event, "response"))
        if kind in ("response.completed", "response.incomplete", "response.failed") and whole is not None:
            return whole
        if kind == "response.output_text.delta":
            pieces.append(text(event.get("delta")))
        elif kind == "response.refusal.delta":
            refusals.append(text(event.get("delta")))
        elif kind == "response.output_item.done" and child(event, "item").get("type") == "function_call":
            calls.append(_function_call(event["item"]))
    return Message("assistant", "".join(pieces), tuple(calls), "".join(refusals) or None) if began else None


def _function_call(item: Object) -> ToolCall:
    return ToolCall(text(item.get("name")), as_json(item.get("arguments", "")))
