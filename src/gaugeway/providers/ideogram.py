"""Ideogram: developer.ideogram.ai. Images; it reports no usage."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="ideogram",
    name="Ideogram",
    base_url="https://api.ideogram.ai",
    price_id=None,
    credential_headers=frozenset({b"api-key"}),
    paths=PathRule(versions=("v1",)),
    formats=(),
    key_use=HeaderKey(b"api-key", b""),
)
