"""Cartesia: docs.cartesia.ai/api-reference. Audio; it reports no usage."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared

PROVIDER = Declared(
    slug="cartesia",
    name="Cartesia",
    base_url="https://api.cartesia.ai",
    price_id=None,
    credential_headers=frozenset({b"x-api-key", b"authorization"}),
    formats=(),
)
