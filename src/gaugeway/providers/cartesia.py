"""Cartesia: docs.cartesia.ai/api-reference. Audio; it reports no usage."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.sockets import Realtime

PROVIDER = Declared(
    slug="cartesia",
    name="Cartesia",
    base_url="https://api.cartesia.ai",
    price_id=None,
    credential_headers=frozenset({b"x-api-key", b"authorization"}),
    formats=(),
    key_use=HeaderKey(b"x-api-key", b""),
    sockets=Realtime(
        path="tts/websocket",
        key_header=(b"x-api-key", b""),
        key_parameters=frozenset({"api_key"}),
        media=(b'"type":"chunk"', b'"type": "chunk"'),
    ),
)
