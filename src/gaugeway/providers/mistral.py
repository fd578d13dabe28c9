"""Mistral AI: docs.mistral.ai/api."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.openai import OpenAI
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="mistral",
    name="Mistral AI",
    base_url="https://api.mistral.ai",
    price_id="mistral",
    formats=(OpenAI(markers=(b'"usage"', b'"usage_info"')),),
    paths=PathRule(versions=("v1",), default="v1"),
    compatible=Compatible(chat="v1/chat/completions", embeddings="v1/embeddings", streams_usage_on_demand=False),
)
