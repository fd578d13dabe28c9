"""ElevenLabs: elevenlabs.io/docs/api-reference. Audio; its bodies report no usage."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="elevenlabs",
    name="ElevenLabs",
    base_url="https://api.elevenlabs.io",
    price_id=None,
    credential_headers=frozenset({b"xi-api-key", b"authorization", b"sec-websocket-protocol"}),
    paths=PathRule(versions=("v1", "v2")),
    formats=(),
)
