"""JSON in answers."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

_FENCED = re.compile(r"\s*```[A-Za-z0-9_-]*[ \t]*\r?\n(.*?)\r?\n?\s*```\s*", re.DOTALL)

AllowFence = Annotated[bool, Meta(description="The JSON may stand in one Markdown code fence.")]


class NoJson(ValueError):
    """The text is not JSON; the message says where it stops being it."""


def read_json(text: str, *, allow_fence: bool) -> Any:
    """The value of a text that is JSON (RFC 8259) and nothing else; NoJson."""
    fenced = _FENCED.fullmatch(text) if allow_fence else None
    try:
        return msgspec.json.decode(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError) as problem:
        raise NoJson(str(problem) or "the text is nested too deeply") from problem
