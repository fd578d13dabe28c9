"""Embeddings by Bedrock's InvokeModel: Amazon Titan's and Cohere's, after the pages of their parameters (Amazon
Bedrock's user guide, "Amazon Titan Embeddings text", "Titan Multimodal Embeddings G1", "Cohere Embed").

Titan takes one text a request. What Cohere's models used stands in a header of the answer only.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.providers.translation import embeddings as openai
from gaugeway.providers.translation.bedrock import split_region
from gaugeway.providers.translation.embeddings import COMMON_REFUSALS, EmbeddingsCall, EmbeddingsRequest, Vectors

INPUT_TYPES = ("search_document", "search_query", "classification", "clustering")
"""The first is what Cohere's own OpenAI-compatible endpoint takes for every text."""
REFUSED_BY_TITAN = {**COMMON_REFUSALS, "input_type": "is Cohere's own"}


class BedrockEmbeddings:
    """See core.provider.Translation. A model may be named behind its region, as for chats."""

    key_header = b"authorization"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> EmbeddingsCall:  # noqa: ARG002
        """See Translation."""
        region, name = split_region(model)
        path = f"bedrock-runtime/{region}/model/{quote(name, safe='')}/invoke"
        if "amazon.titan-embed-" in name:
            asked, texts = openai.decode(body, REFUSED_BY_TITAN)
            built = _titan(asked, openai.only_one(texts, "Titan"), name)
            return openai.call(asked, texts, model=name, path=path, body=built, read=_read_titan)
        if "cohere.embed-" in name:
            asked, texts = openai.decode(body, COMMON_REFUSALS)
            built = _cohere(asked, texts, name)
            return openai.call(asked, texts, model=name, path=path, body=built, read=_read_cohere)
        raise BadInput(
            "expected aws-bedrock/amazon.titan-embed-… or aws-bedrock/cohere.embed-…; for others use the provider's"
            " own path",
            ("model",),
        )


def _titan(asked: EmbeddingsRequest, text: str, model: str) -> dict[str, Any]:
    built: dict[str, Any] = {"inputText": text}
    if "titan-embed-text-v1" in model or "titan-embed-g1" in model:
        openai.refuse_dimensions(asked, "this model")
    elif asked.dimensions is not None and "titan-embed-image" in model:
        built["embeddingConfig"] = {"outputEmbeddingLength": asked.dimensions}
    elif asked.dimensions is not None:
        built["dimensions"] = asked.dimensions
    return built


def _cohere(asked: EmbeddingsRequest, texts: list[str], model: str) -> dict[str, Any]:
    kind = asked.input_type or INPUT_TYPES[0]
    if kind not in INPUT_TYPES:
        raise BadInput(f"expected {', '.join(INPUT_TYPES)}", ("input_type",))
    built: dict[str, Any] = {"texts": texts, "input_type": kind, "truncate": "NONE"}
    if "embed-english-v3" in model or "embed-multilingual-v3" in model:
        openai.refuse_dimensions(asked, "this model")
    elif asked.dimensions is not None:
        built["output_dimension"] = asked.dimensions
    return built


class _Titan(Struct):
    embedding: list[float]
    input_text_token_count: int | None = msgspec.field(default=None, name="inputTextTokenCount")


class _ByType(Struct):
    floats: list[list[float]] = msgspec.field(name="float")


class _Cohere(Struct):
    embeddings: _ByType | list[list[float]]


_titan_decoder = msgspec.json.Decoder(_Titan)
_cohere_decoder = msgspec.json.Decoder(_Cohere)


def _read_titan(body: bytes) -> Vectors:
    try:
        answer = _titan_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise openai.broken(problem) from None
    return Vectors([answer.embedding], answer.input_text_token_count)


def _read_cohere(body: bytes) -> Vectors:
    try:
        found = _cohere_decoder.decode(body).embeddings
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise openai.broken(problem) from None
    return Vectors(found if isinstance(found, list) else found.floats, None)
