"""Chat completions as Bedrock's Converse, after its API reference (docs.aws.amazon.com/bedrock, APIReference).

One format for all of Bedrock's models. What only one family has, thinking, goes into `additionalModelRequestFields`
as the family's own page has it (user guide, "Inference request parameters": Claude, Amazon Nova).
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.providers.formats.event_stream import CONTENT_TYPE
from gaugeway.providers.parts.aws import ANY_REGION
from gaugeway.providers.translation import chat as openai
from gaugeway.providers.translation import reading
from gaugeway.providers.translation.bedrock_answer import BedrockStream, translate_answer
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.chat import COMMON_REFUSALS, ChatRequest, Content, Part, ToolChoice, is_given
from gaugeway.providers.translation.output import Names

REFUSED = {
    **COMMON_REFUSALS,
    "frequency_penalty": "Bedrock has no counterpart",
    "n": "Bedrock gives one answer; ask several times",
    "parallel_tool_calls": "Bedrock cannot be kept from several calls at once",
    "presence_penalty": "Bedrock has no counterpart",
    "safety_identifier": "Bedrock has no counterpart",
    "seed": "Bedrock has no counterpart",
    "user": "Bedrock has no counterpart; for the gateway's log send the header cf-aig-metadata",
}

EFFORTS = ("low", "medium", "high", "xhigh", "max")
NOVA_EFFORTS = ("low", "medium", "high")
TIERS = ("default", "flex", "priority")
IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
CHOICES: dict[str, Any] = {"auto": {"auto": {}}, "required": {"any": {}}}

_REGION_FIRST = re.compile(r"([a-z]{2}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2})/(.+)")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')

Json = dict[str, Any]


class BedrockConverse:
    """See core.provider.Translation. A model may be named behind its region: `eu-west-1/anthropic.claude-…`."""

    key_header = b"authorization"
    takes_thinking = True
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Call:
        """See Translation."""
        chat = openai.decode(body, REFUSED)
        region, name = split_region(model)
        instructions, turns = _messages(chat, name)
        built: Json = {"messages": turns}
        if instructions:
            built["system"] = instructions
        _add_settings(built, chat)
        _add_tools(built, chat)
        _add_output(built, chat, name)
        is_stream = chat.stream is True
        verb = "converse-stream" if is_stream else "converse"
        names = Names(reply_id=reply_id, created=created, model=name)
        return Call(
            path=f"bedrock-runtime/{region}/model/{quote(name, safe='')}/{verb}",
            body=msgspec.json.encode(built),
            is_stream=is_stream,
            stream_type=CONTENT_TYPE.encode(),
            answered=partial(translate_answer, names=names),
            streamed=partial(BedrockStream, names, wants_usage=chat.wants_usage),
        )


def split_region(model: str) -> tuple[str, str]:
    """Region and id of a model that may stand behind its region."""
    placed = _REGION_FIRST.fullmatch(model)
    return (placed.group(1), placed.group(2)) if placed else (ANY_REGION, model)


def _is_claude(model: str) -> bool:
    return "anthropic.claude" in model


# --- parameters


def _add_settings(built: Json, chat: ChatRequest) -> None:
    if chat.temperature is not None and not 0 <= chat.temperature <= 1:
        raise BadInput("Bedrock's lies between 0 and 1", ("temperature",))
    said: Json = {
        "maxTokens": chat.limit,
        "temperature": chat.temperature,
        "topP": chat.top_p,
        "stopSequences": chat.stops or None,
    }
    if settings := {name: value for name, value in said.items() if value is not None}:
        built["inferenceConfig"] = settings
    if chat.service_tier not in (None, "auto"):
        if chat.service_tier not in TIERS:
            raise BadInput(f"Bedrock knows {', '.join(TIERS)}", ("service_tier",))
        built["serviceTier"] = {"type": chat.service_tier}


def _add_tools(built: Json, chat: ChatRequest) -> None:
    tools = chat.tools or []
    if not tools:
        if chat.tool_choice not in (None, "none", "auto"):
            raise BadInput("needs tools", ("tool_choice",))
        return
    specs: list[Json] = []
    for tool, function in zip(tools, reading.functions(tools), strict=True):
        schema = function.parameters if is_given(function.parameters) else _NO_PARAMETERS
        spec: Json = {"name": function.name, "inputSchema": {"json": schema}}
        if function.description:
            spec["description"] = function.description
        if function.strict:
            spec["strict"] = True
        specs += _with_cache_point([{"toolSpec": spec}], tool.cache_control, ("tools",))
    choice = {} if chat.tool_choice is None else {"toolChoice": _tool_choice(chat.tool_choice)}
    built["toolConfig"] = {"tools": specs, **choice}


def _tool_choice(choice: str | ToolChoice) -> Json:
    if isinstance(choice, ToolChoice):
        return {"tool": {"name": reading.chosen_function(choice)}}
    if choice == "none":
        raise BadInput("Bedrock cannot be kept from calling; leave the tools out", ("tool_choice",))
    if choice not in CHOICES:
        raise BadInput(f"expected {', '.join(CHOICES)} or a function", ("tool_choice",))
    return CHOICES[choice]


def _add_output(built: Json, chat: ChatRequest, model: str) -> None:
    """What the answer must look like, and how hard it is to be thought about."""
    output: Json = {}
    wanted = chat.response_format
    if wanted is not None and wanted.type == "json_schema":
        schema = {"schema": bytes(reading.answer_schema(wanted)).decode()}
        if wanted.json_schema is not None:
            schema["name"] = wanted.json_schema.name
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    elif wanted is not None and wanted.type != "text":
        raise BadInput(f"Bedrock has no {wanted.type}: give the schema (json_schema)", ("response_format", "type"))
    if chat.reasoning_effort is not None:
        if "amazon.nova" in model:
            fields: Json | None = {"reasoningConfig": _nova_reasoning(chat.reasoning_effort)}
        else:
            fields = _thinking(chat.reasoning_effort, output, model)
        if fields is not None:
            built["additionalModelRequestFields"] = fields
    if output:
        built["outputConfig"] = output


def _nova_reasoning(effort: str) -> Json:
    if effort == "none":
        return {"type": "disabled"}
    if effort not in NOVA_EFFORTS:
        raise BadInput(f"Nova knows none, {', '.join(NOVA_EFFORTS)}", ("reasoning_effort",))
    return {"type": "enabled", "maxReasoningEffort": effort}


def _thinking(effort: str, output: Json, model: str) -> Json | None:
    """The model's own fields; the effort is part of the output's configuration."""
    if effort == "none" and _is_claude(model):
        return {"thinking": {"type": "disabled"}}
    if effort not in EFFORTS:
        known = (*(("none",) if _is_claude(model) else ()), *EFFORTS)
        raise BadInput(f"Bedrock knows {', '.join(known)} for this model", ("reasoning_effort",))
    output["effort"] = effort
    return {"thinking": {"type": "adaptive", "display": "summarized"}} if _is_claude(model) else None


# --- messages


def _messages(chat: ChatRequest, model: str) -> tuple[list[Json], list[Json]]:
    """Blocks of the instructions that come first, and the turns."""
    instructions: list[Json] = []
    turns: list[Json] = []
    for index, message in enumerate(chat.messages):
        path: Path = ("messages", index)
        match message:
            case openai.System() | openai.Developer():
                blocks = _instructions(message.content, (*path, "content"))
                if turns:
                    turns.append({"role": "system", "content": blocks})
                else:
                    instructions += blocks
            case openai.User():
                reading.add_turn(turns, "user", _blocks(message.content, (*path, "content")))
            case openai.Assistant():
                reading.add_turn(turns, "assistant", _assistant(message, path, model))
            case openai.ToolResult():
                reading.add_turn(turns, "user", [_result(message, path)])
    if not turns:
        raise BadInput("Bedrock needs a message of the user", ("messages",))
    return instructions, turns


def _instructions(content: Content, path: Path) -> list[Json]:
    if not isinstance(content, str) and not all(isinstance(part, openai.Text) for part in content):
        raise BadInput("instructions can only be text", path)
    return _blocks(content, path)


def _assistant(message: openai.Assistant, path: Path, model: str) -> list[Json]:
    reading.check_assistant(message, path)
    blocks: list[Json] = []
    for index, block in enumerate(message.thinking_blocks or ()):
        blocks.append({"reasoningContent": _reasoning(block, (*path, "thinking_blocks", index))})
    if message.reasoning_content and not blocks:
        if _is_claude(model):
            reason = "Claude takes thinking back only with its signature: send thinking_blocks too, or leave it out"
            raise BadInput(reason, (*path, "reasoning_content"))
        blocks.append({"reasoningContent": {"reasoningText": {"text": message.reasoning_content}}})
    if message.content:
        blocks += _blocks(message.content, (*path, "content"))
    if message.refusal:
        blocks.append({"text": message.refusal})
    for index, call in enumerate(message.tool_calls or ()):
        where: Path = (*path, "tool_calls", index)
        if call.extra_content is not None:
            raise BadInput("is Google's own; leave it out", (*where, "extra_content"))
        name, arguments = reading.called(call, where)
        blocks.append({"toolUse": {"toolUseId": call.id, "name": name, "input": arguments}})
    if not blocks:
        raise BadInput("says nothing: it needs content or tool_calls", path)
    return blocks


class _Thinking(Struct, tag_field="type", tag="thinking", forbid_unknown_fields=True):
    thinking: str
    signature: str


class _Redacted(Struct, tag_field="type", tag="redacted_thinking", forbid_unknown_fields=True):
    data: str


_thinking_decoder: msgspec.json.Decoder[_Thinking | _Redacted] = msgspec.json.Decoder(_Thinking | _Redacted)


def _reasoning(block: Raw, path: Path) -> Json:
    try:
        said = _thinking_decoder.decode(block)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadInput("expected a block of thinking, as it was answered", path) from None
    if isinstance(said, _Redacted):
        return {"redactedContent": said.data}
    return {"reasoningText": {"text": said.thinking, "signature": said.signature}}


def _result(message: openai.ToolResult, path: Path) -> Json:
    content = _blocks(message.content, (*path, "content"))
    return {"toolResult": {"toolUseId": message.tool_call_id, "content": content}}


def _blocks(content: Content, path: Path) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    blocks: list[Json] = []
    for index, part in enumerate(content):
        blocks += _block(part, (*path, index))
    return blocks


def _block(part: Part, path: Path) -> list[Json]:
    match part:
        case openai.Text():
            return _with_cache_point([{"text": part.text}], part.cache_control, path)
        case openai.Refusal():
            return [{"text": part.refusal}]
        case openai.Image():
            block = {"image": _image(part.image_url, (*path, "image_url"))}
            return _with_cache_point([block], part.cache_control, path)
        case openai.Audio():
            source = {"bytes": part.input_audio.data}
            return [{"audio": {"format": part.input_audio.format, "source": source}}]
        case openai.File():
            return _with_cache_point(
                [{"document": _document(part.file, (*path, "file"))}], part.cache_control, path
            )


def _image(image: openai.ImageUrl, path: Path) -> Json:
    if image.detail not in (None, "auto"):
        raise BadInput("Bedrock knows no levels of detail; leave it out", (*path, "detail"))
    data = reading.split_data_url(image.url)
    if data is None:
        raise BadInput("Bedrock fetches no URLs: send the image as a data URL in base64", (*path, "url"))
    if data[0] not in IMAGES:
        raise BadInput(f"Bedrock takes {', '.join(IMAGES)}", (*path, "url"))
    return {"format": IMAGES[data[0]], "source": {"bytes": data[1]}}


def _document(file: openai.FileData, path: Path) -> Json:
    if file.file_id is not None:
        raise BadInput("is a file at OpenAI; send file_data", (*path, "file_id"))
    data = reading.split_data_url(file.file_data or "")
    if data is None or data[0] not in DOCUMENTS:
        raise BadInput(f"expected a data URL in base64 of {', '.join(DOCUMENTS)}", (*path, "file_data"))
    name = _NOT_IN_NAMES.sub("-", file.filename or "document")[:200]
    return {"format": DOCUMENTS[data[0]], "name": name, "source": {"bytes": data[1]}}


class _CacheControl(Struct, forbid_unknown_fields=True):
    type: str = "ephemeral"
    ttl: str | None = None


def _with_cache_point(blocks: list[Json], given: Raw, path: Path) -> list[Json]:
    """Anthropic's mark on a block is a block of its own behind it there."""
    if not is_given(given):
        return blocks
    try:
        said = msgspec.json.decode(given, type=_CacheControl)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = _CacheControl(type="")
    if said.type != "ephemeral":
        raise BadInput('expected {"type": "ephemeral"}, with a ttl of 5m or 1h', (*path, "cache_control"))
    point: Json = {"type": "default"} | ({} if said.ttl is None else {"ttl": said.ttl})
    return [*blocks, {"cachePoint": point}]
