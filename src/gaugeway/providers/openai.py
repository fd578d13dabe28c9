"""OpenAI: platform.openai.com/docs/api-reference."""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core.provider import Compatible, Reported
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

_SEARCHES = ("-search-preview", "-search-api")


class OpenAI(Declared, frozen=True, kw_only=True):
    """Chat models that always search the web are billed for the search too, and do not report it."""

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider."""
        reported = super().read_response(rest, content_type, body)
        if reported.usage is None or not any(name in (reported.model or "") for name in _SEARCHES):
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
    compatible=Compatible(chat="chat/completions", embeddings="embeddings"),
)
