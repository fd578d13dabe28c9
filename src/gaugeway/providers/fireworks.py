"""Fireworks AI: docs.fireworks.ai/api-reference."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="fireworks",
    name="Fireworks AI",
    base_url="https://api.fireworks.ai/inference/v1",
    price_id="fireworks",
    credential_headers=frozenset({b"authorization", b"x-api-key"}),
    paths=PathRule(within_base=("inference/v1", "v1")),
    formats=(Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(chat="chat/completions", embeddings="embeddings"),
)
