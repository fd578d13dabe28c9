"""Groq: console.groq.com/docs/api-reference. Its own client says `openai/v1/…`, OpenAI's says `…`."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gaugeway.core.provider import Compatible, Reported
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

_ran_tools = re.compile(rb'(?<!\\)"executed_tools"\s*:\s*\[\s*\{').search
"""In a text of the model's the quotes would be escaped."""


class Groq(Declared, frozen=True, kw_only=True):
    """Its built-in tools (console.groq.com/docs/tool-use/built-in-tools) are billed, and are not in the usage."""

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider."""
        reported = super().read_response(rest, content_type, body)
        if reported.usage is None or b"executed_tools" not in body or not _ran_tools(body):
            return reported
        others = (reported.usage.other_units or {}) | {"built_in_tools": 1}
        return replace(reported, usage=replace(reported.usage, other_units=others))


PROVIDER = Groq(
    slug="groq",
    name="Groq",
    base_url="https://api.groq.com/openai/v1",
    price_id="groq",
    paths=PathRule(within_base=("openai/v1", "v1")),
    compatible=Compatible(chat="chat/completions"),
)
