"""ElevenLabs: elevenlabs.io/docs/api-reference. Audio; its bodies report no usage."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.sockets import Realtime

PROVIDER = Declared(
    slug="elevenlabs",
    name="ElevenLabs",
    base_url="https://api.elevenlabs.io",
    price_id=None,
    credential_headers=frozenset({b"xi-api-key", b"authorization", b"sec-websocket-protocol"}),
    paths=PathRule(versions=("v1", "v2")),
    formats=(),
    key_use=HeaderKey(b"xi-api-key", b""),
    sockets=Realtime(
        path="v1/convai/conversation",
        key_header=(b"xi-api-key", b""),
        key_parameters=frozenset({"xi-api-key"}),
        key_protocols=("xi-api-key.",),
        model_parameter="model_id",
        media=(b'"user_audio_chunk"', b'"audio_base_64"', b'"audio":'),
    ),
)
