"""Anthropic's Messages as chat completions, after anthropic-sdk-python's types (MessageCreateParams).

Hints that change no answer stay behind: `cache_control`, `metadata.user_id`, and thinking of earlier turns where
the provider does not want it back. docs/compat.md lists them.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.provider import Compatible
from gaugeway.providers.dialects.chaining import Chained, chain, takes_thinking_back
from gaugeway.providers.dialects.messages_answer import MessagesBack
from gaugeway.providers.translation.chat import placed

ABSENT = Raw()
NAMES = {
    "response_format": "output_config.format",
    "reasoning_effort": "output_config.effort",
    "stop": "stop_sequences",
}
"""What chat parameters are called here, where they are called otherwise."""

_ANTHROPICS = "belongs to Anthropic's own service"
REFUSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "container": (_ANTHROPICS, ()),
    "context_management": (_ANTHROPICS, ()),
    "diagnostics": (_ANTHROPICS, ()),
    "inference_geo": (_ANTHROPICS, ()),
    "mcp_servers": (_ANTHROPICS, ([],)),
    "speed": (_ANTHROPICS, ("standard",)),
    "top_k": ("chat completions have no counterpart", ()),
}
"""Parameters without a counterpart: why, and the values that ask for nothing."""

EFFORT_OF_BUDGET = ((4096, "low"), (16_384, "medium"))
"""A budget of thinking below so many tokens is that effort; from the last one on it is high."""

_TIERS = {"auto": None, "standard_only": "default"}

Json = dict[str, Any]


class _Strict(Struct, forbid_unknown_fields=True):
    """Refuses what it does not know."""


class _Message(_Strict):
    role: str
    content: str | list[Json]


class _Tool(_Strict):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: Raw = ABSENT
    cache_control: Any = None
    strict: bool | None = None
    eager_input_streaming: bool | None = None


class _ToolChoice(_Strict):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(_Strict):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Format(_Strict):
    type: str
    schema: Raw = ABSENT


class _Output(_Strict):
    effort: str | None = None
    format: _Format | None = None


class _Metadata(_Strict):
    user_id: str | None = None


class _Request(_Strict):
    model: str
    max_tokens: int
    messages: list[_Message]
    cache_control: Any = None
    container: Any = None
    context_management: Any = None
    diagnostics: Any = None
    inference_geo: str | None = None
    mcp_servers: Any = None
    metadata: _Metadata | None = None
    output_config: _Output | None = None
    service_tier: str | None = None
    speed: str | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    system: str | list[Json] | None = None
    temperature: float | None = None
    thinking: _Thinking | None = None
    tool_choice: _ToolChoice | None = None
    tools: list[_Tool] | None = None
    top_k: int | None = None
    top_p: float | None = None


_decoder = msgspec.json.Decoder(_Request)


class Messages:
    """See core.provider.Dialect."""

    def request(self, model: str, body: bytes, upstream: Compatible, *, reply_id: str, created: int) -> Chained:
        """See Dialect."""
        try:
            asked = _decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise placed(str(problem)) from None
        for name, (reason, neutral) in REFUSED.items():
            value = getattr(asked, name)
            if value is not None and value not in neutral:
                raise BadInput(reason, (name,))
        if asked.service_tier is not None and asked.service_tier not in _TIERS:
            raise BadInput("expected auto or standard_only", ("service_tier",))
        choice, parallel = _tool_choice(asked.tool_choice)
        chat: Json = {
            "messages": _messages(asked, keeps_thinking=takes_thinking_back(upstream)),
            "limit": asked.max_tokens,
            "parallel_tool_calls": parallel,
            "reasoning_effort": _effort(asked),
            "response_format": _format(asked.output_config),
            "service_tier": _TIERS[asked.service_tier or "auto"],
            "stop": asked.stop_sequences or None,
            "stream": asked.stream or None,
            "temperature": asked.temperature,
            "tool_choice": choice,
            "tools": [_tool(tool, index) for index, tool in enumerate(asked.tools or ())] or None,
            "top_p": asked.top_p,
        }
        back = MessagesBack(reply_id=reply_id, model=asked.model)
        return chain(upstream, model, chat, back, NAMES, reply_id=reply_id, created=created)


# --- parameters


def _effort(asked: _Request) -> str | None:
    if asked.output_config is not None and asked.output_config.effort is not None:
        return asked.output_config.effort
    thinking = asked.thinking
    if thinking is None or thinking.type in ("disabled", "adaptive"):
        return None
    if thinking.type != "enabled" or thinking.budget_tokens is None:
        raise BadInput("expected disabled, adaptive, or enabled with its budget_tokens", ("thinking",))
    return next((effort for below, effort in EFFORT_OF_BUDGET if thinking.budget_tokens < below), "high")


def _format(output: _Output | None) -> Json | None:
    if output is None or output.format is None:
        return None
    if output.format.type != "json_schema" or bytes(output.format.schema)[:1] != b"{":
        raise BadInput("expected a json_schema with its schema", ("output_config", "format"))
    schema = {"name": "answer", "schema": output.format.schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _tool(tool: _Tool, index: int) -> Json:
    if tool.type not in (None, "custom"):
        raise BadInput(
            f"a tool of type {tool.type!r} is Anthropic's own; only tools of yours are translated", ("tools", index)
        )
    if bytes(tool.input_schema)[:1] != b"{":
        raise BadInput("expected a JSON schema object", ("tools", index, "input_schema"))
    function: Json = {"name": tool.name, "parameters": tool.input_schema}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: _ToolChoice | None) -> tuple[str | Json | None, bool | None]:
    """The choice, and whether several calls at once are allowed where that is said."""
    if choice is None:
        return None, None
    parallel = False if choice.disable_parallel_tool_use else None
    if choice.type == "tool" and choice.name is not None:
        return {"type": "function", "function": {"name": choice.name}}, parallel
    names = {"auto": "auto", "any": "required", "none": "none"}
    if choice.type not in names:
        raise BadInput(f"expected {', '.join(names)}, or tool with its name", ("tool_choice",))
    return names[choice.type], parallel


# --- messages


def _messages(asked: _Request, *, keeps_thinking: bool) -> list[Json]:
    messages: list[Json] = []
    if asked.system:
        messages.append({"role": "system", "content": _text_of(asked.system, ("system",))})
    for index, message in enumerate(asked.messages):
        path: Path = ("messages", index)
        match message.role:
            case "user":
                messages += _user(message.content, (*path, "content"))
            case "assistant":
                messages.append(_assistant(message.content, (*path, "content"), keeps_thinking=keeps_thinking))
            case "system":
                messages.append({"role": "system", "content": _text_of(message.content, (*path, "content"))})
            case _:
                raise BadInput("expected user, assistant or system", (*path, "role"))
    return messages


def _text_of(content: str | list[Json], path: Path) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(_text(block, (*path, index)) for index, block in enumerate(content))


def _text(block: Json, path: Path) -> str:
    text = block.get("text")
    if block.get("type") != "text" or not isinstance(text, str):
        raise BadInput("only text is possible here", path)
    _check(block, path, "text", "citations")
    return text


def _user(content: str | list[Json], path: Path) -> list[Json]:
    """Results of tools, each a message of its own, and then what else there is."""
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Json] = []
    parts: list[Json] = []
    for index, block in enumerate(content):
        if block.get("type") == "tool_result":
            results.append(_result(block, (*path, index)))
        else:
            parts.append(_part(block, (*path, index)))
    return [*results, {"role": "user", "content": parts}] if parts else results


def _result(block: Json, path: Path) -> Json:
    _check(block, path, "tool_use_id", "content", "is_error")
    inner = block.get("content") or ""
    if isinstance(inner, list):
        blocks = cast("list[Json]", inner)
        said: Any = [_part(each, (*path, "content", index)) for index, each in enumerate(blocks)]
        if all(part["type"] == "text" for part in said):
            said = "".join(part["text"] for part in said)
    else:
        said = str(inner)
    if block.get("is_error"):  # chat completions have no mark for it
        said = f"Error: {said}" if isinstance(said, str) else [{"type": "text", "text": "Error:"}, *said]
    return {"role": "tool", "tool_call_id": str(block.get("tool_use_id", "")), "content": said}


def _part(block: Json, path: Path) -> Json:
    match block.get("type"):
        case "text":
            return {"type": "text", "text": _text(block, path)}
        case "image":
            _check(block, path, "source")
            return {"type": "image_url", "image_url": {"url": _image(block.get("source"), (*path, "source"))}}
        case "document":
            return _document(block, path)
        case kind:
            raise BadInput(f"a block of type {kind!r} cannot be translated", path)


def _image(source: object, path: Path) -> str:
    match source:
        case {"type": "url", "url": str(url)}:
            return url
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return f"data:{kind};base64,{data}"
        case _:
            raise BadInput("expected a url, or base64 with its media_type", path)


def _document(block: Json, path: Path) -> Json:
    _check(block, path, "source", "title", "citations")
    match block.get("source"):
        case {"type": "text", "data": str(text)}:
            title = block.get("title")
            return {"type": "text", "text": f"{title}\n\n{text}" if isinstance(title, str) else text}
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            file = {
                "file_data": f"data:{kind};base64,{data}",
                "filename": str(block.get("title") or "document.pdf"),
            }
            return {"type": "file", "file": file}
        case _:
            raise BadInput("expected base64 with its media_type, or text", (*path, "source"))


def _assistant(content: str | list[Json], path: Path, *, keeps_thinking: bool) -> Json:
    turn: Json = {"role": "assistant"}
    if isinstance(content, str):
        return turn | {"content": content}
    texts: list[str] = []
    for index, block in enumerate(content):
        where: Path = (*path, index)
        match block.get("type"):
            case "text":
                texts.append(_text(block, where))
            case "tool_use":
                turn.setdefault("tool_calls", []).append(_call(block, where))
            case "thinking" | "redacted_thinking":
                if keeps_thinking and (block.get("signature") or block.get("data")):
                    turn.setdefault("thinking_blocks", []).append(block)
            case kind:
                raise BadInput(f"a block of type {kind!r} cannot be translated", where)
    if texts:
        turn["content"] = "".join(texts)
    elif "tool_calls" not in turn:
        turn["content"] = ""
    return turn


def _call(block: Json, path: Path) -> Json:
    _check(block, path, "id", "name", "input", "extra_content")
    arguments = msgspec.json.encode(block.get("input") or {}).decode()
    call: Json = {"id": str(block.get("id", "")), "type": "function"}
    call["function"] = {"name": str(block.get("name", "")), "arguments": arguments}
    if block.get("extra_content") is not None:
        call["extra_content"] = block["extra_content"]
    return call


def _check(block: Json, path: Path, *known: str) -> None:
    """Refuse a field that would be lost, unless it asks for nothing."""
    for name, value in block.items():
        if name not in (*known, "type", "cache_control") and value is not None:
            raise BadInput("cannot be translated; leave it out", (*path, name))
    citations = block.get("citations")
    if citations and citations != {"enabled": False}:
        raise BadInput("citations are not translated; leave them out", (*path, "citations"))
