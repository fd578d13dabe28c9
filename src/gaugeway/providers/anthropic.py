"""Anthropic: docs.claude.com/en/api. Its OpenAI-compatible `v1/chat/completions` is read too."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.translation.anthropic import AnthropicMessages

PROVIDER = Declared(
    slug="anthropic",
    name="Anthropic",
    base_url="https://api.anthropic.com",
    price_id="anthropic",
    credential_headers=frozenset({b"x-api-key", b"authorization"}),
    paths=PathRule(versions=("v1",), default="v1"),
    formats=(Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(translation=AnthropicMessages(), messages="v1/messages"),
    key_use=HeaderKey(b"x-api-key", b""),
)
