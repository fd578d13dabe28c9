"""OpenAI: platform.openai.com/docs/api-reference."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gaugeway.core.provider import Compatible, Reported
from gaugeway.providers.formats.realtime import OpenAIRealtime
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.sockets import Realtime

_searches = re.compile(r"-search-preview|-search-api").search


class OpenAI(Declared, frozen=True, kw_only=True):
    """Chat models that always search the web are billed for the search too, and do not report it."""

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider."""
        reported = super().read_response(rest, content_type, body)
        if reported.usage is None or not _searches(reported.model or ""):
            return reported
        others = {"web_searches": 1} | (reported.usage.other_units or {})
        return replace(reported, usage=replace(reported.usage, other_units=others))


PROVIDER = OpenAI(
    slug="openai",
    name="OpenAI",
    base_url="https://api.openai.com/v1",
    price_id="openai",
    credential_headers=frozenset({b"authorization", b"sec-websocket-protocol"}),
    paths=PathRule(within_base=("v1",)),
    compatible=Compatible(
        chat="chat/completions", embeddings="embeddings", responses="responses", limit="max_completion_tokens"
    ),
    sockets=Realtime(
        path="realtime",
        key_protocols=("openai-insecure-api-key.",),
        new_tally=OpenAIRealtime,
        counted_paths=frozenset({"realtime", "v1/realtime"}),
        media=(b'"input_audio_buffer.append"', b'audio.delta"'),
    ),
)
