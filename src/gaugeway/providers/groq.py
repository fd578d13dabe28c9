"""Groq: console.groq.com/docs/api-reference. Its own client says `openai/v1/…`, OpenAI's says `…`."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="groq",
    name="Groq",
    base_url="https://api.groq.com/openai/v1",
    price_id="groq",
    paths=PathRule(within_base=("openai/v1", "v1")),
    compatible=Compatible(chat="chat/completions"),
)
