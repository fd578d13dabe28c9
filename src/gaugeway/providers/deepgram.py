"""Deepgram: developers.deepgram.com/reference. Audio; it reports no usage. The model is in the query."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="deepgram",
    name="Deepgram",
    base_url="https://api.deepgram.com",
    price_id=None,
    credential_headers=frozenset({b"authorization"}),
    paths=PathRule(versions=("v1", "v2")),
    formats=(),
)
