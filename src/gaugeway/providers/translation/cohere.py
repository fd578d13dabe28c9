"""Chat completions as Cohere's v2 chat, after its API reference (docs.cohere.com/reference/chat) and cohere-python.

Its plan before calls (`tool_plan`) and its thinking travel as `reasoning_content`, both ways.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from gaugeway.core.errors import BadInput, Path
from gaugeway.providers.translation import chat as openai
from gaugeway.providers.translation import reading
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.chat import COMMON_REFUSALS, ChatRequest, Content, Part, ToolChoice, is_given
from gaugeway.providers.translation.cohere_answer import CohereStream, translate_answer
from gaugeway.providers.translation.output import Names

REFUSED = {
    **COMMON_REFUSALS,
    "n": "Cohere gives one answer; ask several times",
    "parallel_tool_calls": "Cohere cannot be kept from several calls at once",
    "safety_identifier": "Cohere has no counterpart",
    "service_tier": "Cohere has no counterpart",
    "user": "Cohere has no counterpart; for the gateway's log send the header cf-aig-metadata",
}

CHOICES = {"required": "REQUIRED", "none": "NONE"}
EFFORTS = {"none": "disabled", "high": "enabled"}
"""Cohere's models think or do not (docs.cohere.com/docs/reasoning), as its OpenAI-compatible endpoint has it."""
BOUNDS = {
    "p": ("top_p", 0.01, 0.99),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
}
"""Parameters by Cohere's name: OpenAI's, and where Cohere's lies."""
DETAILS = ("auto", "low", "high")

_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')

Json = dict[str, Any]


class CohereChat:
    """See core.provider.Translation."""

    key_header = b"authorization"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Call:
        """See Translation."""
        chat = openai.decode(body, REFUSED)
        built: Json = {"model": model, "messages": _messages(chat)}
        _add_settings(built, chat)
        _add_tools(built, chat)
        _add_format(built, chat)
        if chat.stream:
            built["stream"] = True
        names = Names(reply_id=reply_id, created=created, model=model)
        return Call(
            path="v2/chat",
            body=msgspec.json.encode(built),
            is_stream=chat.stream is True,
            answered=partial(translate_answer, names=names),
            streamed=partial(CohereStream, names, wants_usage=chat.wants_usage),
        )


# --- parameters


def _add_settings(built: Json, chat: ChatRequest) -> None:
    said: Json = {
        "max_tokens": chat.limit,
        "temperature": chat.temperature,
        "p": chat.top_p,
        "stop_sequences": chat.stops or None,
        "seed": chat.seed,
        "frequency_penalty": chat.frequency_penalty,
        "presence_penalty": chat.presence_penalty,
    }
    for name, (ours, low, high) in BOUNDS.items():
        if said[name] is not None and not low <= said[name] <= high:
            raise BadInput(f"Cohere's lies between {low} and {high}", (ours,))
    built |= {name: value for name, value in said.items() if value is not None}
    if chat.reasoning_effort is not None:
        if chat.reasoning_effort not in EFFORTS:
            raise BadInput(f"Cohere knows {' and '.join(EFFORTS)}", ("reasoning_effort",))
        built["thinking"] = {"type": EFFORTS[chat.reasoning_effort]}


def _add_tools(built: Json, chat: ChatRequest) -> None:
    if not chat.tools:
        if chat.tool_choice not in (None, "none", "auto"):
            raise BadInput("needs tools", ("tool_choice",))
        return
    functions = reading.functions(chat.tools)
    for index, tool in enumerate(chat.tools):
        reading.refuse_cache_control(tool.cache_control, ("tools", index))
    built["tools"] = [{"type": "function", "function": _function(function)} for function in functions]
    strict = {function.strict is True for function in functions}
    if len(strict) > 1:
        raise BadInput("Cohere's strict holds for all tools or for none", ("tools",))
    if True in strict:
        built["strict_tools"] = True
    if chat.tool_choice not in (None, "auto"):
        built["tool_choice"] = _tool_choice(chat.tool_choice)


def _function(function: openai.Function) -> Json:
    parameters = function.parameters if is_given(function.parameters) else _NO_PARAMETERS
    built: Json = {"name": function.name, "parameters": parameters}
    return built if function.description is None else built | {"description": function.description}


def _tool_choice(choice: str | ToolChoice | None) -> str:
    if not isinstance(choice, str) or choice not in CHOICES:
        raise BadInput(f"Cohere knows auto, {', '.join(CHOICES)}; no certain function", ("tool_choice",))
    return CHOICES[choice]


def _add_format(built: Json, chat: ChatRequest) -> None:
    wanted = chat.response_format
    if wanted is None or wanted.type == "text":
        return
    if wanted.type not in ("json_object", "json_schema"):
        raise BadInput("expected text, json_object or json_schema", ("response_format", "type"))
    built["response_format"] = {"type": "json_object"}
    if wanted.type == "json_schema":
        built["response_format"] |= {"json_schema": reading.answer_schema(wanted)}


# --- messages


def _messages(chat: ChatRequest) -> list[Json]:
    built: list[Json] = []
    for index, message in enumerate(chat.messages):
        path: Path = ("messages", index)
        match message:
            case openai.System() | openai.Developer():
                built.append({"role": "system", "content": reading.plain_text(message.content, (*path, "content"))})
            case openai.User():
                built.append({"role": "user", "content": _content(message.content, (*path, "content"))})
            case openai.Assistant():
                built.append(_assistant(message, path))
            case openai.ToolResult():
                text = reading.plain_text(message.content, (*path, "content"))
                built.append({"role": "tool", "tool_call_id": message.tool_call_id, "content": text})
    return built


def _assistant(message: openai.Assistant, path: Path) -> Json:
    reading.check_assistant(message, path)
    if message.thinking_blocks:
        raise BadInput("are Anthropic's own; leave them out", (*path, "thinking_blocks"))
    built: Json = {"role": "assistant"}
    parts: list[Json] = []
    if message.reasoning_content and message.tool_calls:
        built["tool_plan"] = message.reasoning_content
    elif message.reasoning_content:
        parts.append({"type": "thinking", "thinking": message.reasoning_content})
    texts = (message.content and reading.plain_text(message.content, (*path, "content")), message.refusal)
    parts += [{"type": "text", "text": text} for text in texts if text]
    if parts:
        built["content"] = parts
    calls: list[Json] = []
    for index, call in enumerate(message.tool_calls or ()):
        where: Path = (*path, "tool_calls", index)
        if call.extra_content is not None:
            raise BadInput("is Google's own; leave it out", (*where, "extra_content"))
        name, arguments = reading.called(call, where)
        function = {"name": name, "arguments": bytes(arguments).decode()}
        calls.append({"id": call.id, "type": "function", "function": function})
    if calls:
        built["tool_calls"] = calls
    if not parts and not calls:
        raise BadInput("says nothing: it needs content or tool_calls", path)
    return built


def _content(content: Content, path: Path) -> str | list[Json]:
    if isinstance(content, str):
        return content
    return [_part(part, (*path, index)) for index, part in enumerate(content)]


def _part(part: Part, path: Path) -> Json:
    match part:
        case openai.Text():
            reading.refuse_cache_control(part.cache_control, path)
            return {"type": "text", "text": part.text}
        case openai.Refusal():
            return {"type": "text", "text": part.refusal}
        case openai.Image():
            reading.refuse_cache_control(part.cache_control, path)
            return {"type": "image_url", "image_url": _image(part.image_url, (*path, "image_url"))}
        case openai.Audio():
            raise BadInput("Cohere takes no recordings", path)
        case openai.File():
            raise BadInput("Cohere takes no files; send their text", path)


def _image(image: openai.ImageUrl, path: Path) -> Json:
    if image.detail not in (None, *DETAILS):
        raise BadInput(f"Cohere knows {', '.join(DETAILS)}", (*path, "detail"))
    return {"url": image.url} | ({} if image.detail is None else {"detail": image.detail})
