"""Chat completions as a dialect reads them: whole ones, and the events of streams."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.providers.formats.openai import OpenAI

ABSENT = Raw()
DONE = b"[DONE]"

_figures = OpenAI()


class Function(Struct):
    """A function that is called; in a stream, a piece of it."""

    name: str | None = None
    arguments: str | None = None


class Call(Struct):
    """One call."""

    index: int = 0
    id: str | None = None
    function: Function | None = None
    extra_content: Raw = ABSENT  # Google's: the signature of its thought


class Said(Struct):
    """A message, or what an event adds to it."""

    content: Any = None  # a text; some give parts
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: Any = None  # another name for it, where it is a text
    tool_calls: list[Call] | None = None
    thinking_blocks: list[Raw] | None = None  # Anthropic's, with their signatures

    @property
    def text(self) -> str:
        """The answer's text."""
        return self.content if isinstance(self.content, str) else "".join(self._parts("text"))

    @property
    def thoughts(self) -> str:
        """The thinking's text."""
        if self.reasoning_content:
            return self.reasoning_content
        return self.reasoning if isinstance(self.reasoning, str) else "".join(self._parts("thinking"))

    def _parts(self, kind: str) -> list[str]:
        """The texts of the content's parts of a kind; thinking (Mistral's) has parts again."""
        found: list[str] = []
        for part in _objects_in(self.content):
            inner = part.get(kind)
            if isinstance(inner, str):
                found.append(inner)
            else:
                found += [str(each.get("text", "")) for each in _objects_in(inner)]
        return found


def _objects_in(value: object) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


class Choice(Struct):
    """One of the answers; only the first is asked for."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None


class Completion(Struct):
    """A whole answer, or an event of a stream."""

    model: str = ""
    choices: list[Choice] = []
    service_tier: str | None = None
    error: Raw = ABSENT


_decoder = msgspec.json.Decoder(Completion)


def read_completion(body: bytes) -> tuple[Completion, Said, str | None]:
    """A whole answer, its message, and why it ended. Raises ProtocolBroken for what is none."""
    try:
        completion = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ProtocolBroken(f"the answer is no chat completion: {problem}") from None
    if not completion.choices or completion.choices[0].message is None:
        raise ProtocolBroken("the answer is no chat completion: it has no message")
    return completion, completion.choices[0].message, completion.choices[0].finish_reason


def read_event(data: bytes) -> Completion:
    """An event of a stream; raises what msgspec raises."""
    return _decoder.decode(data)


def usage_in(document: bytes) -> Usage | None:
    """The figures of an answer or an event; None where it has none."""
    decoded = _figures.decode(document)
    return None if decoded is None else _figures.report((decoded,)).usage


def arguments_of(call: Call) -> Raw:
    """A whole call's arguments as the JSON object they must be. Raises ProtocolBroken."""
    text = ((call.function and call.function.arguments) or "{}").encode()
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProtocolBroken("the arguments of a call are no JSON object") from None
    return Raw(text)
