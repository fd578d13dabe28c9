"""Chat completions as Gemini's generateContent, after Google's API reference (ai.google.dev/api/generate-content).

- Instructions at the beginning become `systemInstruction`; Gemini knows none later on.
- Results of tools name the function, which is looked up among the earlier calls by their ids.
- A call's `thoughtSignature`, which Gemini wants back, travels as Google's own OpenAI endpoint has it:
  `tool_calls[].extra_content.google.thought_signature`.
"""

from __future__ import annotations

import mimetypes
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.providers.translation import chat as openai
from gaugeway.providers.translation import reading
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.chat import COMMON_REFUSALS, ChatRequest, Content, Part, ToolChoice, is_given
from gaugeway.providers.translation.gemini_answer import GeminiStream, translate_answer
from gaugeway.providers.translation.output import Names

REFUSED = {
    **COMMON_REFUSALS,
    "parallel_tool_calls": "Gemini cannot be kept from several calls at once",
    "safety_identifier": "Gemini has no counterpart",
    "service_tier": "is not translated for Gemini",
    "user": "Gemini has no counterpart; for the gateway's log send the header cf-aig-metadata",
}

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""Tokens of thinking for Gemini 2.5, as Google's OpenAI endpoint has it (ai.google.dev/gemini-api/docs/openai)."""

LEVELS = ("minimal", "low", "medium", "high")
"""What later ones know in place of budgets (same page)."""

AUDIO = {"wav": "audio/wav", "mp3": "audio/mp3"}
MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

Json = dict[str, Any]


class GeminiContents:
    """See core.provider.Translation."""

    key_header = b"x-goog-api-key"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Call:
        """See Translation."""
        chat = openai.decode(body, REFUSED)
        instructions, contents = _messages(chat)
        built: Json = {"contents": contents}
        if instructions:
            built["systemInstruction"] = {"parts": instructions}
        _add_tools(built, chat)
        if settings := _settings(chat, model):
            built["generationConfig"] = settings
        is_stream = chat.stream is True
        folder, name = model.split("/", 1) if model.startswith(("models/", "tunedModels/")) else ("models", model)
        verb = "streamGenerateContent" if is_stream else "generateContent"
        names = Names(reply_id=reply_id, created=created, model=model)
        return Call(
            path=f"v1beta/{folder}/{quote(name, safe='')}:{verb}",
            query=b"alt=sse" if is_stream else b"",
            body=msgspec.json.encode(built),
            is_stream=is_stream,
            answered=partial(translate_answer, names=names),
            streamed=partial(GeminiStream, names, wants_usage=chat.wants_usage),
        )


# --- parameters


def _settings(chat: ChatRequest, model: str) -> Json:
    said: Json = {
        "temperature": chat.temperature,
        "topP": chat.top_p,
        "maxOutputTokens": chat.limit,
        "stopSequences": chat.stops or None,
        "candidateCount": chat.n,
        "seed": chat.seed,
        "presencePenalty": chat.presence_penalty,
        "frequencyPenalty": chat.frequency_penalty,
        "thinkingConfig": _thinking(chat.reasoning_effort, model),
    }
    settings = {name: value for name, value in said.items() if value is not None}
    wanted = chat.response_format
    if wanted is None or wanted.type == "text":
        return settings
    if wanted.type not in ("json_object", "json_schema"):
        raise BadInput("expected text, json_object or json_schema", ("response_format", "type"))
    settings["responseMimeType"] = "application/json"
    if wanted.type == "json_schema":
        settings["responseJsonSchema"] = reading.answer_schema(wanted)
    return settings


def _thinking(effort: str | None, model: str) -> Json | None:
    if effort is None:
        return None
    if model.removeprefix("models/").startswith("gemini-2.5"):
        if effort not in BUDGETS:
            raise BadInput(f"Gemini 2.5 knows {', '.join(BUDGETS)}", ("reasoning_effort",))
        return {"thinkingBudget": BUDGETS[effort]} | ({} if effort == "none" else {"includeThoughts": True})
    if effort not in LEVELS:
        raise BadInput(f"Gemini knows {', '.join(LEVELS)}", ("reasoning_effort",))
    return {"thinkingLevel": effort.upper(), "includeThoughts": True}


def _add_tools(built: Json, chat: ChatRequest) -> None:
    if not chat.tools:
        if chat.tool_choice not in (None, "none", "auto"):
            raise BadInput("needs tools", ("tool_choice",))
        return
    functions = reading.functions(chat.tools)
    for index, tool in enumerate(chat.tools):
        reading.refuse_cache_control(tool.cache_control, ("tools", index))
    built["tools"] = [{"functionDeclarations": [_declaration(function) for function in functions]}]
    is_strict = any(function.strict for function in functions)
    if chat.tool_choice is not None or is_strict:
        built["toolConfig"] = {"functionCallingConfig": _calling(chat.tool_choice, is_strict=is_strict)}


def _declaration(function: openai.Function) -> Json:
    built: Json = {"name": function.name}
    if function.description is not None:
        built["description"] = function.description
    if is_given(function.parameters):
        built["parametersJsonSchema"] = function.parameters
    return built


def _calling(choice: str | ToolChoice | None, *, is_strict: bool) -> Json:
    """Where calls must keep to their schema, and may be left out, Gemini calls that VALIDATED; ANY always keeps."""
    if isinstance(choice, ToolChoice):
        return {"mode": "ANY", "allowedFunctionNames": [reading.chosen_function(choice)]}
    mode = MODES.get(choice or "auto")
    if mode is None:
        raise BadInput(f"expected {', '.join(MODES)} or a function", ("tool_choice",))
    return {"mode": "VALIDATED" if mode == "AUTO" and is_strict else mode}


# --- messages


def _messages(chat: ChatRequest) -> tuple[list[Json], list[Json]]:
    """Parts of the instructions, and the turns."""
    instructions: list[Json] = []
    turns: list[Json] = []
    called: dict[str, str] = {}
    for index, message in enumerate(chat.messages):
        path: Path = ("messages", index)
        match message:
            case openai.System() | openai.Developer():
                if turns:
                    raise BadInput("Gemini takes instructions at the beginning only", path)
                instructions.append({"text": reading.plain_text(message.content, (*path, "content"))})
            case openai.User():
                reading.add_turn(turns, "user", _parts(message.content, (*path, "content")), "parts")
            case openai.Assistant():
                reading.add_turn(turns, "model", _assistant(message, path, called), "parts")
            case openai.ToolResult():
                reading.add_turn(turns, "user", [_result(message, path, called)], "parts")
    if not turns:
        raise BadInput("Gemini needs a message of the user", ("messages",))
    return instructions, turns


def _assistant(message: openai.Assistant, path: Path, called: dict[str, str]) -> list[Json]:
    reading.check_assistant(message, path)
    if message.thinking_blocks:
        raise BadInput("are Anthropic's own; leave them out", (*path, "thinking_blocks"))
    parts: list[Json] = []
    if message.reasoning_content:
        parts.append({"text": message.reasoning_content, "thought": True})
    if message.content:
        parts += _parts(message.content, (*path, "content"))
    if message.refusal:
        parts.append({"text": message.refusal})
    for index, call in enumerate(message.tool_calls or ()):
        where: Path = (*path, "tool_calls", index)
        name, arguments = reading.called(call, where)
        called[call.id] = name
        part: Json = {"functionCall": {"id": call.id, "name": name, "args": arguments}}
        if call.extra_content is not None:
            part["thoughtSignature"] = _signature(call.extra_content, (*where, "extra_content"))
        parts.append(part)
    if not parts:
        raise BadInput("says nothing: it needs content or tool_calls", path)
    return parts


class _Google(Struct, forbid_unknown_fields=True):
    thought_signature: str


class _Extra(Struct, forbid_unknown_fields=True):
    google: _Google


def _signature(extra: object, path: Path) -> str:
    try:
        return msgspec.convert(extra, _Extra).google.thought_signature
    except msgspec.ValidationError:
        raise BadInput('expected {"google": {"thought_signature": …}}, as it was answered', path) from None


def _result(message: openai.ToolResult, path: Path, called: dict[str, str]) -> Json:
    name = called.get(message.tool_call_id)
    if name is None:
        raise BadInput("no earlier message calls a tool with this id", (*path, "tool_call_id"))
    text = reading.plain_text(message.content, (*path, "content"))
    return {"functionResponse": {"id": message.tool_call_id, "name": name, "response": _as_object(text)}}


def _as_object(text: str) -> Any:
    """Gemini wants an object: the text itself if it is one in JSON, else under `output` (as its reference says)."""
    if text.lstrip()[:1] == "{":
        try:
            msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            pass
        else:
            return Raw(text.encode())
    return {"output": text}


def _parts(content: Content, path: Path) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    return [_part(part, (*path, index)) for index, part in enumerate(content)]


def _part(part: Part, path: Path) -> Json:
    match part:
        case openai.Text():
            reading.refuse_cache_control(part.cache_control, path)
            return {"text": part.text}
        case openai.Refusal():
            return {"text": part.refusal}
        case openai.Image():
            reading.refuse_cache_control(part.cache_control, path)
            return _image(part.image_url, (*path, "image_url"))
        case openai.Audio():
            kind = AUDIO.get(part.input_audio.format)
            if kind is None:
                raise BadInput(f"expected {' or '.join(AUDIO)}", (*path, "input_audio", "format"))
            return {"inlineData": {"mimeType": kind, "data": part.input_audio.data}}
        case openai.File():
            reading.refuse_cache_control(part.cache_control, path)
            return _file(part.file, (*path, "file"))


def _image(image: openai.ImageUrl, path: Path) -> Json:
    if image.detail not in (None, "auto"):
        raise BadInput("is not translated for Gemini; leave it out", (*path, "detail"))
    if image.url.startswith("https://"):
        kind, _ = mimetypes.guess_type(urlsplit(image.url).path)
        return {"fileData": ({} if kind is None else {"mimeType": kind}) | {"fileUri": image.url}}
    data = reading.split_data_url(image.url)
    if data is None:
        raise BadInput("expected an https URL, or a data URL in base64", (*path, "url"))
    return {"inlineData": {"mimeType": data[0], "data": data[1]}}


def _file(file: openai.FileData, path: Path) -> Json:
    if file.file_id is not None:
        raise BadInput("is a file at OpenAI; send file_data", (*path, "file_id"))
    data = reading.split_data_url(file.file_data or "")
    if data is None:
        raise BadInput("expected a data URL in base64", (*path, "file_data"))
    return {"inlineData": {"mimeType": data[0], "data": data[1]}}
