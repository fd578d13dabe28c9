"""OpenRouter: openrouter.ai/docs/api-reference. It reports what it charged."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="openrouter",
    name="OpenRouter",
    base_url="https://openrouter.ai/api/v1",
    price_id="openrouter",
    paths=PathRule(within_base=("api/v1", "v1")),
    formats=(Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(chat="chat/completions", embeddings="embeddings"),
)
