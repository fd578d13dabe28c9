"""xAI: docs.x.ai/docs/api-reference. Its Anthropic-style `v1/messages` is read too."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="grok",
    name="xAI Grok",
    base_url="https://api.x.ai",
    price_id="x-ai",
    credential_headers=frozenset({b"authorization", b"x-api-key"}),
    paths=PathRule(versions=("v1", "v2"), default="v1"),
    formats=(Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(chat="v1/chat/completions", responses="v1/responses", messages="v1/messages"),
)
