"""Embeddings on Vertex AI, after Google's references ("Text embeddings API"; PredictionService.EmbedContent).

Gemini Embedding 2 takes one text by `embedContent`; the models before it take `instances` by `predict`. Left to
itself Google cuts a text that is too long, and says so nowhere that OpenAI's clients look: that is switched off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.providers.translation import embeddings as openai
from gaugeway.providers.translation.embeddings import COMMON_REFUSALS, EmbeddingsCall, Vectors

REFUSED = {**COMMON_REFUSALS, "input_type": "is Cohere's own"}
BY_CONTENT = "gemini-embedding-2"
"""How the names of models begin that `embedContent` is for."""


class VertexEmbeddings:
    """See core.provider.Translation. Models are named `google/…`, as their publisher's are."""

    key_header = b"authorization"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> EmbeddingsCall:  # noqa: ARG002
        """See Translation."""
        publisher, _, name = model.partition("/")
        if publisher != "google" or "embedding" not in name:
            raise BadInput("expected google-vertex-ai/google/{model}, an embedding model of Google's", ("model",))
        asked, texts = openai.decode(body, REFUSED)
        path = f"v1/publishers/google/models/{quote(name, safe='@')}:"
        size = {} if asked.dimensions is None else {"outputDimensionality": asked.dimensions}
        built: dict[str, Any]
        if name.startswith(BY_CONTENT):
            parts = [{"text": openai.only_one(texts, "Gemini Embedding 2")}]
            built = {"content": {"parts": parts}, "autoTruncate": False, **size}
            return openai.call(asked, texts, model=name, path=path + "embedContent", body=built, read=_read_content)
        instances = [{"content": text} for text in texts]
        built = {"instances": instances, "parameters": {"autoTruncate": False, **size}}
        return openai.call(asked, texts, model=name, path=path + "predict", body=built, read=_read_predictions)


class _Statistics(Struct):
    token_count: int | None = None


class _Values(Struct):
    values: list[float]
    statistics: _Statistics | None = None


class _Prediction(Struct):
    embeddings: _Values


class _Predictions(Struct):
    predictions: list[_Prediction]


class _Metadata(Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Content(Struct, rename="camel"):
    embedding: _Values
    usage_metadata: _Metadata | None = None


_predictions = msgspec.json.Decoder(_Predictions, strict=False)  # token counts come as 4 and as 4.0
_content = msgspec.json.Decoder(_Content)


def _read_predictions(body: bytes) -> Vectors:
    try:
        found = [one.embeddings for one in _predictions.decode(body).predictions]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise openai.broken(problem) from None
    counts = [None if one.statistics is None else one.statistics.token_count for one in found]
    said = [count for count in counts if count is not None]
    return Vectors([one.values for one in found], sum(said) if len(said) == len(counts) else None)


def _read_content(body: bytes) -> Vectors:
    try:
        answer = _content.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise openai.broken(problem) from None
    used = answer.usage_metadata
    return Vectors([answer.embedding.values], None if used is None else used.prompt_token_count)
