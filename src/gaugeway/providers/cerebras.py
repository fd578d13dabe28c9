"""Cerebras: inference-docs.cerebras.ai/api-reference."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="cerebras",
    name="Cerebras",
    base_url="https://api.cerebras.ai/v1",
    price_id="cerebras",
    paths=PathRule(within_base=("v1",)),
    compatible=Compatible(chat="chat/completions"),
)
