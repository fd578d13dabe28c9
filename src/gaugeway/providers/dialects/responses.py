"""OpenAI's Responses as chat completions, after openai-python's types (ResponseCreateParams).

Nothing is stored here: what refers to something stored is refused, and an answer says `store: false`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct, field

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.provider import Compatible
from gaugeway.providers.dialects.chaining import Chained, chain, takes_thinking_back
from gaugeway.providers.dialects.responses_answer import SEALED, ResponsesBack
from gaugeway.providers.translation.chat import placed

ABSENT = Raw()
INCLUDED = "reasoning.encrypted_content"

NAMES = {
    "messages": "input",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "max_tokens": "max_output_tokens",
}
"""What chat parameters are called here."""

_STORED = "nothing is stored here: send the whole conversation as input"
_OPENAIS = "belongs to OpenAI's own service"
REFUSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "background": (_STORED, (False,)),
    "conversation": (_STORED, ()),
    "previous_response_id": (_STORED, ()),
    "prompt": (_STORED, ()),
    "store": ("nothing is stored here: send false, or leave it out", (False,)),
    "context_management": (_OPENAIS, ([],)),
    "max_tool_calls": ("is for OpenAI's own tools", ()),
    "moderation": (_OPENAIS, ()),
    "truncation": ("inputs are not cut: send disabled, or leave it out", ("disabled",)),
    "top_logprobs": ("log probabilities are not translated", (0,)),
}
"""Parameters without a counterpart: why, and the values that ask for nothing."""

Json = dict[str, Any]


class _Strict(Struct, forbid_unknown_fields=True):
    """Refuses what it does not know."""


class _Part(_Strict):
    type: str
    text: str = ""
    refusal: str = ""
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    annotations: Any = None
    logprobs: Any = None


class _Summary(_Strict):
    type: str
    text: str


class _Item(_Strict):
    type: str = "message"
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    role: str = ""
    content: Any = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: Any = None
    summary: list[_Summary] | None = None
    encrypted_content: str | None = None
    extra_content: Any = None  # ours: Google's thought signature
    caller: Any = None
    namespace: Any = None
    async_: bool | None = field(default=None, name="async")


class _Format(_Strict):
    type: str
    name: str = "answer"
    schema: Raw = ABSENT
    strict: bool | None = None
    description: str | None = None


class _Text(_Strict):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(_Strict):
    effort: str | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class _StreamOptions(_Strict):
    include_obfuscation: bool | None = None


class _Request(_Strict):
    model: str
    input: str | list[_Item]
    background: bool | None = None
    context_management: Any = None
    conversation: Any = None
    include: list[str] | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] | None = None
    moderation: Any = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Any = None
    prompt_cache_key: str | None = None
    reasoning: _Reasoning | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = None
    text: _Text | None = None
    tool_choice: str | Json | None = None
    tools: list[Json] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str | None = None
    user: str | None = None


_decoder = msgspec.json.Decoder(_Request)


class Responses:
    """See core.provider.Dialect."""

    def request(self, model: str, body: bytes, upstream: Compatible, *, reply_id: str, created: int) -> Chained:
        """See Dialect."""
        try:
            asked = _decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise placed(str(problem)) from None
        _refuse(asked)
        text = asked.text or _Text()
        chat: Json = {
            "messages": _messages(asked, keeps_thinking=takes_thinking_back(upstream)),
            "limit": asked.max_output_tokens,
            "parallel_tool_calls": asked.parallel_tool_calls if asked.tools else None,
            "prompt_cache_key": asked.prompt_cache_key,
            "reasoning_effort": asked.reasoning and asked.reasoning.effort,
            "response_format": _format(text.format),
            "safety_identifier": asked.safety_identifier,
            "service_tier": None if asked.service_tier == "auto" else asked.service_tier,
            "stream": asked.stream or None,
            "temperature": asked.temperature,
            "tool_choice": _tool_choice(asked.tool_choice),
            "tools": [_tool(tool, index) for index, tool in enumerate(asked.tools or ())] or None,
            "top_p": asked.top_p,
            "user": asked.user,
            "verbosity": text.verbosity,
        }
        back = ResponsesBack(reply_id=reply_id, created=created, model=asked.model, shown=_shown(asked))
        return chain(upstream, model, chat, back, NAMES, reply_id=reply_id, created=created)


def _refuse(asked: _Request) -> None:
    for name, (reason, neutral) in REFUSED.items():
        value = getattr(asked, name)
        if value is not None and value not in neutral:
            raise BadInput(reason, (name,))
    for index, wanted in enumerate(asked.include or ()):
        if wanted != INCLUDED:
            raise BadInput(f"only {INCLUDED} can be included", ("include", index))
    if asked.stream_options is not None and asked.stream_options.include_obfuscation:
        raise BadInput(_OPENAIS, ("stream_options", "include_obfuscation"))
    if asked.max_output_tokens is not None and asked.max_output_tokens < 1:
        raise BadInput("must be at least 1", ("max_output_tokens",))


def _shown(asked: _Request) -> Json:
    """What an answer repeats of its request."""
    text: Json = {"format": {"type": "text"}}
    if asked.text is not None and asked.text.format is not None:
        wanted = asked.text.format
        given = {"type": wanted.type, "name": wanted.name, "schema": wanted.schema, "strict": wanted.strict}
        text = {"format": given if wanted.type == "json_schema" else {"type": wanted.type}}
    reasoning = asked.reasoning or _Reasoning()
    return {
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata or {},
        "parallel_tool_calls": asked.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": {"effort": reasoning.effort, "summary": reasoning.summary},
        "store": False,
        "temperature": asked.temperature,
        "text": text,
        "tool_choice": "auto" if asked.tool_choice is None else asked.tool_choice,
        "tools": asked.tools or [],
        "top_p": asked.top_p,
        "truncation": "disabled",
        "background": False,
    }


# --- parameters


def _format(wanted: _Format | None) -> Json | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type != "json_schema":
        return {"type": wanted.type}
    if bytes(wanted.schema)[:1] != b"{":
        raise BadInput("expected a JSON schema object", ("text", "format", "schema"))
    schema = {"name": wanted.name, "schema": wanted.schema}
    more = {"strict": wanted.strict, "description": wanted.description}
    return {
        "type": "json_schema",
        "json_schema": schema | {key: value for key, value in more.items() if value is not None},
    }


_TOOL_FIELDS = ("name", "description", "parameters", "strict")


def _tool(tool: Json, index: int) -> Json:
    kind = tool.get("type")
    if kind != "function":
        raise BadInput(f"a tool of type {kind!r} is OpenAI's own; only functions are translated", ("tools", index))
    for name, value in tool.items():
        if name not in (*_TOOL_FIELDS, "type") and value not in (None, False):
            raise BadInput("cannot be translated; leave it out", ("tools", index, name))
    return {
        "type": "function",
        "function": {name: tool[name] for name in _TOOL_FIELDS if tool.get(name) is not None},
    }


def _tool_choice(choice: str | Json | None) -> str | Json | None:
    if choice is None or isinstance(choice, str):
        return choice
    if choice.get("type") != "function":
        raise BadInput(f"the type {choice.get('type')!r} cannot be translated; name a function", ("tool_choice",))
    return {"type": "function", "function": {"name": choice.get("name")}}


# --- input


def _messages(asked: _Request, *, keeps_thinking: bool) -> list[Json]:
    messages: list[Json] = []
    if asked.instructions:
        messages.append({"role": "system", "content": asked.instructions})
    if isinstance(asked.input, str):
        return [*messages, {"role": "user", "content": asked.input}]
    for index, item in enumerate(asked.input):
        _add_item(messages, item, ("input", index), keeps_thinking=keeps_thinking)
    return [message for message in messages if message != {"role": "assistant"}]


def _add_item(messages: list[Json], item: _Item, path: Path, *, keeps_thinking: bool) -> None:
    for name in ("caller", "namespace", "async_"):
        if getattr(item, name) not in (None, False):
            raise BadInput("cannot be translated; leave it out", (*path, name.rstrip("_")))
    match item.type:
        case "message" if item.role == "assistant":
            _add_said(_turn(messages), item, path)
        case "message" if item.role in ("user", "system", "developer"):
            role = "system" if item.role == "developer" else item.role
            messages.append({"role": role, "content": _content(item.content, (*path, "content"))})
        case "message":
            raise BadInput("expected user, assistant, system or developer", (*path, "role"))
        case "function_call":
            call: Json = {"id": item.call_id, "type": "function"}
            call["function"] = {"name": item.name, "arguments": item.arguments}
            if item.extra_content is not None:
                call["extra_content"] = item.extra_content
            _turn(messages).setdefault("tool_calls", []).append(call)
        case "function_call_output":
            content = _content(item.output, (*path, "output"))
            messages.append({"role": "tool", "tool_call_id": item.call_id, "content": content})
        case "reasoning":
            blocks = _unseal(item.encrypted_content, (*path, "encrypted_content"))
            if blocks and keeps_thinking:
                _turn(messages).setdefault("thinking_blocks", []).extend(blocks)
        case "item_reference":
            raise BadInput(_STORED, path)
        case _:
            raise BadInput(f"an item of type {item.type!r} cannot be translated", path)


def _turn(messages: list[Json]) -> Json:
    """The model's turn under way: its thinking, text and calls are one message."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant"})
    return messages[-1]


def _add_said(turn: Json, item: _Item, path: Path) -> None:
    if isinstance(item.content, str):
        turn["content"] = turn.get("content", "") + item.content
        return
    for index, part in enumerate(_parts(item.content, (*path, "content"))):
        if part.type == "output_text":
            turn["content"] = turn.get("content", "") + part.text
        elif part.type == "refusal":
            turn["refusal"] = turn.get("refusal", "") + part.refusal
        else:
            raise BadInput("the model's messages hold output_text and refusal", (*path, "content", index))


def _parts(content: object, path: Path) -> list[_Part]:
    try:
        return msgspec.convert(content, list[_Part])
    except msgspec.ValidationError as problem:
        raise BadInput(placed(str(problem).replace(" - at `$[", " - at `$.[")).message, path) from None


def _content(content: object, path: Path) -> str | list[Json]:
    if isinstance(content, str):
        return content
    return [_part(part, (*path, index)) for index, part in enumerate(_parts(content, path))]


def _part(part: _Part, path: Path) -> Json:
    match part.type:
        case "input_text" | "output_text":
            return {"type": "text", "text": part.text}
        case "input_image" if part.image_url is not None:
            image = {"url": part.image_url}
            if part.detail not in (None, "auto"):
                image["detail"] = str(part.detail)
            return {"type": "image_url", "image_url": image}
        case "input_file" if part.file_data is not None:
            data = {"file_data": part.file_data} | ({"filename": part.filename} if part.filename else {})
            return {"type": "file", "file": data}
        case "input_image" | "input_file":
            raise BadInput("is not in the request itself: send image_url, or file_data", path)
        case _:
            raise BadInput(f"a part of type {part.type!r} cannot be translated", path)


def _unseal(text: str | None, path: Path) -> list[Raw]:
    if text is None:
        return []
    try:
        if text.startswith(SEALED):
            return msgspec.json.decode(base64.urlsafe_b64decode(text.removeprefix(SEALED)), type=list[Raw])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        pass
    raise BadInput("was encrypted elsewhere, and no other provider can read it: leave it out", path)
