"""DeepSeek: api-docs.deepseek.com. `v1/` is optional there; `beta/…` and `anthropic/…` stand beside it."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="deepseek",
    name="DeepSeek",
    base_url="https://api.deepseek.com",
    price_id="deepseek",
    credential_headers=frozenset({b"authorization", b"x-api-key"}),
    paths=PathRule(versions=("v1",)),
    formats=(Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(chat="chat/completions"),
)
