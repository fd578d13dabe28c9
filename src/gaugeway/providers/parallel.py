"""Parallel: docs.parallel.ai/api-reference."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="parallel",
    name="Parallel",
    base_url="https://api.parallel.ai",
    price_id=None,
    credential_headers=frozenset({b"x-api-key", b"authorization"}),
    paths=PathRule(versions=("v1", "v1beta")),
    compatible=Compatible(chat="chat/completions"),
    key_use=HeaderKey(b"x-api-key", b""),
)
