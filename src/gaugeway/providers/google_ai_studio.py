"""Google AI Studio (Gemini API): ai.google.dev/api. Its OpenAI-compatible `v1beta/openai/…` is read too."""

from __future__ import annotations

import re
from urllib.parse import unquote

from gaugeway.core.provider import Asked, Compatible
from gaugeway.providers.formats.gemini import Gemini
from gaugeway.providers.formats.openai import OpenAI
from gaugeway.providers.formats.realtime import GeminiLive
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.requests import model_name, read_request
from gaugeway.providers.parts.sockets import Realtime
from gaugeway.providers.translation.gemini import GeminiContents

_MODEL = re.compile(r"(?:^|/)(?:models|tunedModels)/([^/:]+)(?::([A-Za-z]+))?")
_KINDS = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "predict": "image",
}


class GoogleAIStudio(Declared, frozen=True, kw_only=True):
    """Gemini requests name the model, and whether a stream is asked for, in their path."""

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        found = _MODEL.search(rest)
        if found is None:
            return read_request(rest, content_type, body)
        verb = found.group(2) or ""
        return Asked(
            model=model_name(unquote(found.group(1))),
            model_type=_KINDS.get(verb),
            stream=verb == "streamGenerateContent",
        )


PROVIDER = GoogleAIStudio(
    slug="google-ai-studio",
    name="Google AI Studio",
    base_url="https://generativelanguage.googleapis.com",
    price_id="google",
    credential_headers=frozenset({b"x-goog-api-key", b"authorization"}),
    paths=PathRule(
        versions=("v1", "v1beta", "v1alpha", "v1beta2", "v1beta3"),
        default="v1beta",
        beside=frozenset({"upload", "download", "resumable", "ws", "$discovery"}),
    ),
    formats=(Gemini(), OpenAI(rest_is_thought=True)),
    compatible=Compatible(embeddings="v1beta/openai/embeddings", translation=GeminiContents()),
    key_use=HeaderKey(b"x-goog-api-key", b""),
    sockets=Realtime(
        path="ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
        key_header=(b"x-goog-api-key", b""),
        key_parameters=frozenset({"api_key", "key"}),
        new_tally=GeminiLive,
        media=(b'"inlineData"', b'"mediaChunks"', b'"audio":'),
    ),
)
