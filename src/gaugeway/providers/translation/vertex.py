"""Chat completions on Vertex AI: Gemini's and Claude's own formats, below their publishers.

Claude's differs from Anthropic's own by two fields: the model is in the path, and `anthropic_version` in the body
(docs.claude.com/en/api/claude-on-vertex-ai).
"""

from __future__ import annotations

from urllib.parse import quote

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Translated
from gaugeway.providers.translation import anthropic
from gaugeway.providers.translation.gemini import GeminiContents

VERSION = "vertex-2023-10-16"


class VertexModels:
    """See core.provider.Translation. Models are named `google/…` and `anthropic/…`, as their publishers' are."""

    key_header = b"authorization"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self) -> None:
        self._gemini = GeminiContents()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Translated:
        """See Translation."""
        publisher, _, name = model.partition("/")
        if publisher == "google" and name:
            call = self._gemini.request(name, body, reply_id=reply_id, created=created)
            verb = "streamGenerateContent" if call.is_stream else "generateContent"
            return replace(call, path=_path(publisher, name, verb))
        if publisher == "anthropic" and name:
            call = anthropic.message_call(body, path="", created=created, anthropic_version=VERSION)
            return replace(
                call, path=_path(publisher, name, "streamRawPredict" if call.is_stream else "rawPredict")
            )
        raise BadInput("expected google-vertex-ai/google/{model} or google-vertex-ai/anthropic/{model}", ("model",))


def _path(publisher: str, model: str, verb: str) -> str:
    return f"v1/publishers/{publisher}/models/{quote(model, safe='@')}:{verb}"
