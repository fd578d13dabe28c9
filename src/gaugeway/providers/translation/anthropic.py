"""Chat completions as Anthropic's messages, after its published types (anthropic-sdk-python: MessageCreateParams).

- Instructions at the beginning become `system`; later ones keep their place, as messages of that role.
- Results of tools are content of the user there, all those of one turn in one message.
- Anthropic demands `max_tokens`: without a limit it is DEFAULT_MAX_TOKENS.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.providers.translation import chat as openai
from gaugeway.providers.translation import reading
from gaugeway.providers.translation.anthropic_answer import AnthropicStream, translate_answer
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.chat import COMMON_REFUSALS, ChatRequest, Content, Part, ToolChoice, is_given

DEFAULT_MAX_TOKENS = 32_000
"""The most that every Claude model since 4 takes (docs.claude.com, models overview)."""

REFUSED = {
    **COMMON_REFUSALS,
    "frequency_penalty": "Anthropic has no counterpart",
    "presence_penalty": "Anthropic has no counterpart",
    "n": "Anthropic gives one answer; ask several times",
    "seed": "Anthropic has no counterpart",
}

EFFORTS = ("low", "medium", "high", "xhigh", "max")
TIERS = {"auto": "auto", "default": "standard_only"}
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')

Json = dict[str, Any]


class AnthropicMessages:
    """See core.provider.Translation."""

    key_header = b"x-api-key"
    takes_thinking = True
    headers = ((b"anthropic-version", b"2023-06-01"),)

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Call:  # noqa: ARG002
        """See Translation. Anthropic's answers always have an id."""
        return message_call(body, path="v1/messages", created=created, model=model)


def message_call(body: bytes, *, path: str, created: int, **fields: str) -> Call:
    """The request for a message at a path; `fields` stand in its body beside what the chat asks for."""
    chat = openai.decode(body, REFUSED)
    return Call(
        path=path,
        body=msgspec.json.encode({**fields, **message_request(chat)}),
        is_stream=chat.stream is True,
        answered=partial(translate_answer, created=created),
        streamed=partial(AnthropicStream, created=created, wants_usage=chat.wants_usage),
    )


def message_request(chat: ChatRequest) -> Json:
    """The body of a request for a message, but for the model. Raises BadInput."""
    instructions, turns = _messages(chat)
    built: Json = {"max_tokens": chat.limit or DEFAULT_MAX_TOKENS, "messages": turns}
    if instructions:
        built["system"] = instructions
    _add_settings(built, chat)
    _add_tools(built, chat)
    _add_output(built, chat)
    if chat.stream:
        built["stream"] = True
    return built


# --- parameters


def _add_settings(built: Json, chat: ChatRequest) -> None:
    if chat.temperature is not None:
        if not 0 <= chat.temperature <= 1:
            raise BadInput("Anthropic's lies between 0 and 1", ("temperature",))
        built["temperature"] = chat.temperature
    if chat.top_p is not None:
        built["top_p"] = chat.top_p
    if chat.stops:
        built["stop_sequences"] = chat.stops
    if chat.service_tier is not None:
        if chat.service_tier not in TIERS:
            raise BadInput("Anthropic knows auto, and default (its standard_only)", ("service_tier",))
        built["service_tier"] = TIERS[chat.service_tier]
    if chat.user is not None and chat.safety_identifier not in (None, chat.user):
        raise BadInput("differs from safety_identifier; Anthropic knows one user_id", ("user",))
    user = chat.user if chat.safety_identifier is None else chat.safety_identifier
    if user is not None:
        built["metadata"] = {"user_id": user}


def _add_tools(built: Json, chat: ChatRequest) -> None:
    tools = chat.tools or []
    if not tools:
        if chat.tool_choice not in (None, "none", "auto") or chat.parallel_tool_calls is False:
            raise BadInput("needs tools", ("tool_choice" if chat.tool_choice else "parallel_tool_calls",))
        return
    built["tools"] = [_tool(tool, function) for tool, function in zip(tools, reading.functions(tools), strict=True)]
    choice = _tool_choice(chat.tool_choice)
    if chat.parallel_tool_calls is False and choice != {"type": "none"}:
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    if choice is not None:
        built["tool_choice"] = choice


def _tool(tool: openai.Tool, function: openai.Function) -> Json:
    schema = function.parameters if is_given(function.parameters) else _NO_PARAMETERS
    built: Json = {"name": function.name, "input_schema": schema}
    if function.description is not None:
        built["description"] = function.description
    if function.strict:
        built["strict"] = True
    return _with_cache_control(built, tool.cache_control)


def _tool_choice(choice: str | ToolChoice | None) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, ToolChoice):
        return {"type": "tool", "name": reading.chosen_function(choice)}
    names = {"auto": "auto", "none": "none", "required": "any"}
    if choice not in names:
        raise BadInput(f"expected {', '.join(names)} or a function", ("tool_choice",))
    return {"type": names[choice]}


def _add_output(built: Json, chat: ChatRequest) -> None:
    """What the answer must look like, and how hard it is to be thought about."""
    output: Json = {}
    effort = chat.reasoning_effort
    if effort == "none":
        built["thinking"] = {"type": "disabled"}
    elif effort is not None:
        if effort not in EFFORTS:
            raise BadInput(f"Anthropic knows none, {', '.join(EFFORTS)}", ("reasoning_effort",))
        built["thinking"] = {"type": "adaptive", "display": "summarized"}
        output["effort"] = effort
    wanted = chat.response_format
    if wanted is not None and wanted.type == "json_schema":
        output["format"] = {"type": "json_schema", "schema": reading.answer_schema(wanted)}
    elif wanted is not None and wanted.type != "text":
        reason = f"Anthropic has no {wanted.type}: give the schema (json_schema)"
        raise BadInput(reason, ("response_format", "type"))
    if output:
        built["output_config"] = output


# --- messages


def _messages(chat: ChatRequest) -> tuple[list[Json], list[Json]]:
    """Blocks of the instructions that come first, and the turns."""
    instructions: list[Json] = []
    turns: list[Json] = []
    for index, message in enumerate(chat.messages):
        path: Path = ("messages", index)
        match message:
            case openai.System() | openai.Developer():
                blocks = _blocks(message.content, (*path, "content"), texts_only=True)
                if turns:
                    turns.append({"role": "system", "content": blocks})
                else:
                    instructions += blocks
            case openai.User():
                reading.add_turn(turns, "user", _blocks(message.content, (*path, "content")))
            case openai.Assistant():
                turns.append({"role": "assistant", "content": _assistant(message, path)})
            case openai.ToolResult():
                reading.add_turn(turns, "user", [_result(message, path)])
    if not turns:
        raise BadInput("Anthropic needs a message of the user", ("messages",))
    return instructions, turns


def _assistant(message: openai.Assistant, path: Path) -> list[Any]:
    reading.check_assistant(message, path)
    blocks: list[Any] = []
    for index, block in enumerate(message.thinking_blocks or ()):
        blocks.append(_thinking(block, (*path, "thinking_blocks", index)))
    if message.reasoning_content and not blocks:
        reason = "Anthropic takes thinking back only with its signature: send thinking_blocks too, or leave it out"
        raise BadInput(reason, (*path, "reasoning_content"))
    if message.content:
        blocks += _blocks(message.content, (*path, "content"))
    if message.refusal:
        blocks.append({"type": "text", "text": message.refusal})
    for index, call in enumerate(message.tool_calls or ()):
        where: Path = (*path, "tool_calls", index)
        if call.extra_content is not None:
            raise BadInput("is Google's own; leave it out", (*where, "extra_content"))
        name, arguments = reading.called(call, where)
        blocks.append({"type": "tool_use", "id": call.id, "name": name, "input": arguments})
    if not blocks:
        raise BadInput("says nothing: it needs content or tool_calls", path)
    return blocks


class _Type(Struct):
    type: str


_type = msgspec.json.Decoder(_Type)


def _thinking(block: Raw, path: Path) -> Raw:
    try:
        kind = _type.decode(block).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        kind = ""
    if kind not in ("thinking", "redacted_thinking"):
        raise BadInput("expected a block of thinking, as it was answered", path)
    return block


def _result(message: openai.ToolResult, path: Path) -> Json:
    result: Json = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    if isinstance(message.content, str):
        return result | {"content": message.content}
    return result | {"content": _blocks(message.content, (*path, "content"))}


def _blocks(content: Content, path: Path, *, texts_only: bool = False) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    blocks: list[Json] = []
    for index, part in enumerate(content):
        if texts_only and not isinstance(part, openai.Text):
            raise BadInput("instructions can only be text", (*path, index))
        blocks.append(_block(part, (*path, index)))
    return blocks


def _block(part: Part, path: Path) -> Json:
    match part:
        case openai.Text():
            return _with_cache_control({"type": "text", "text": part.text}, part.cache_control)
        case openai.Refusal():
            return {"type": "text", "text": part.refusal}
        case openai.Image():
            block = {"type": "image", "source": _image_source(part.image_url, (*path, "image_url"))}
            return _with_cache_control(block, part.cache_control)
        case openai.File():
            return _with_cache_control(_document(part.file, (*path, "file")), part.cache_control)
        case openai.Audio():
            raise BadInput("Anthropic takes no recordings", path)


def _image_source(image: openai.ImageUrl, path: Path) -> Json:
    if image.detail not in (None, "auto"):
        raise BadInput("Anthropic knows no levels of detail; leave it out", (*path, "detail"))
    if image.url.startswith(("https://", "http://")):
        return {"type": "url", "url": image.url}
    data = reading.split_data_url(image.url)
    if data is None:
        raise BadInput("expected an https URL, or a data URL in base64", (*path, "url"))
    if data[0] not in IMAGE_TYPES:
        raise BadInput(f"Anthropic takes {', '.join(IMAGE_TYPES)}", (*path, "url"))
    return {"type": "base64", "media_type": data[0], "data": data[1]}


def _document(file: openai.FileData, path: Path) -> Json:
    if file.file_id is not None:
        raise BadInput("is a file at OpenAI; send file_data", (*path, "file_id"))
    data = reading.split_data_url(file.file_data or "")
    if data is None or data[0] != "application/pdf":
        raise BadInput("expected a data URL of an application/pdf in base64", (*path, "file_data"))
    block: Json = {"type": "document", "source": {"type": "base64", "media_type": data[0], "data": data[1]}}
    return block if file.filename is None else block | {"title": file.filename}


def _with_cache_control(block: Json, cache_control: Raw) -> Json:
    return block | {"cache_control": cache_control} if is_given(cache_control) else block
