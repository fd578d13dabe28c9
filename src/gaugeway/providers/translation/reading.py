"""What translations read out of a chat (see chat.py): functions, calls, texts, and what only OpenAI can take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from gaugeway.core.errors import BadInput
from gaugeway.providers.translation.chat import (
    Assistant,
    Content,
    Function,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    is_given,
)

_DATA_URL = re.compile(r"data:([a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+);base64,([A-Za-z0-9+/=_-]+)")


def functions(tools: Iterable[Tool]) -> list[Function]:
    """The tools, all of which must be functions."""
    found: list[Function] = []
    for index, tool in enumerate(tools):
        if tool.type != "function" or tool.function is None:
            raise BadInput(f"a tool of type {tool.type!r} cannot be translated; only functions", ("tools", index))
        if is_given(tool.function.parameters) and bytes(tool.function.parameters)[:1] != b"{":
            raise BadInput("expected a JSON schema object", ("tools", index, "function", "parameters"))
        found.append(tool.function)
    return found


def chosen_function(choice: ToolChoice) -> str:
    """The name of the one function that must be called."""
    if choice.type != "function" or choice.function is None:
        raise BadInput(f"the type {choice.type!r} cannot be translated; name a function", ("tool_choice",))
    return choice.function.name


def called(call: ToolCall, path: tuple[str | int, ...]) -> tuple[str, Raw]:
    """Name and arguments (a JSON object) of an earlier call."""
    if call.type != "function" or call.function is None:
        raise BadInput(f"a call of type {call.type!r} cannot be translated; only functions", path)
    arguments = call.function.arguments.encode() or b"{}"
    try:
        msgspec.json.decode(arguments, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        raise BadInput("expected a JSON object in a text", (*path, "function", "arguments")) from None
    return call.function.name, Raw(arguments)


def check_assistant(message: Assistant, path: tuple[str | int, ...]) -> None:
    """Refuse what an earlier answer may hold that only OpenAI can take back."""
    for name in ("audio", "function_call"):
        if getattr(message, name) is not None:
            raise BadInput("cannot be translated", (*path, name))
    if message.annotations:
        raise BadInput("cannot be translated; leave them out", (*path, "annotations"))


def answer_schema(wanted: ResponseFormat) -> Raw:
    """The schema an answer must have, with its description in it. Its name is a mere label, and stays here."""
    path = ("response_format", "json_schema", "schema")
    asked = wanted.json_schema
    if asked is None or bytes(asked.schema)[:1] != b"{":
        raise BadInput("expected a JSON schema object", path)
    if asked.description is None:
        return asked.schema
    try:
        fields = msgspec.json.decode(asked.schema, type=dict[str, Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(str(problem), path) from None
    return Raw(msgspec.json.encode({"description": asked.description, **fields}))


def plain_text(content: Content, path: tuple[str | int, ...]) -> str:
    """A content that may only be text."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for index, part in enumerate(content):
        if not isinstance(part, Text):
            raise BadInput("only text is possible here", (*path, index))
        refuse_cache_control(part.cache_control, (*path, index))
        texts.append(part.text)
    return "".join(texts)


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 of a data URL; None for any other URL."""
    match = _DATA_URL.fullmatch(url)
    return None if match is None else (match.group(1), match.group(2))


def add_turn(turns: list[dict[str, Any]], role: str, parts: list[Any], name: str = "content") -> None:
    """To the turn under way, where it is that one's: results of parallel calls belong into one."""
    if turns and turns[-1]["role"] == role:
        turns[-1][name] += parts
    else:
        turns.append({"role": role, name: parts})


def refuse_cache_control(given: Raw, path: tuple[str | int, ...]) -> None:
    """Where the provider has no counterpart."""
    if is_given(given):
        raise BadInput("is Anthropic's own", (*path, "cache_control"))
