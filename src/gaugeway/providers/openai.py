"""OpenAI: platform.openai.com/docs/api-reference."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="openai",
    name="OpenAI",
    base_url="https://api.openai.com/v1",
    price_id="openai",
    credential_headers=frozenset({b"authorization", b"sec-websocket-protocol"}),
    paths=PathRule(within_base=("v1",)),
)
