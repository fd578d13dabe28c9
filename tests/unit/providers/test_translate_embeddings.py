"""Embeddings for Bedrock and Vertex AI: what cannot be mapped is refused by name, what is no answer is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.providers.translation.bedrock_embeddings import BedrockEmbeddings
from gaugeway.providers.translation.vertex_embeddings import VertexEmbeddings

TITAN, TITAN_1, IMAGES = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1", "amazon.titan-embed-image-v1"
COHERE, GEMINI, GEMINI_2 = "cohere.embed-english-v3", "google/gemini-embedding-001", "google/gemini-embedding-2"


def call(model: str, **fields: Any) -> Any:
    body = json.dumps({"model": "x", "input": "Hello", **fields}).encode()
    translation = VertexEmbeddings() if model.startswith("google/") else BedrockEmbeddings()
    return translation.request(model, body, reply_id="", created=0)


@pytest.mark.parametrize(
    ("model", "fields", "where"),
    [
        (TITAN, {"input": ["a", "b"]}, "input"),
        (TITAN, {"input": [1, 2]}, "input"),
        (TITAN, {"input": []}, "input"),
        (TITAN, {"input": {"text": "a"}}, "input"),
        (TITAN, {"user": "u"}, "user"),
        (TITAN, {"input_type": "search_query"}, "input_type"),
        (TITAN, {"truncate": True}, "truncate"),
        (TITAN, {"encoding_format": "int8"}, "encoding_format"),
        (TITAN, {"dimensions": 0}, "dimensions"),
        (TITAN, {"dimensions": "256"}, "dimensions"),
        (TITAN_1, {"dimensions": 256}, "dimensions"),
        (COHERE, {"dimensions": 256}, "dimensions"),
        (COHERE, {"input_type": "query"}, "input_type"),
        ("amazon.nova-pro-v1:0", {}, "model"),
        (GEMINI, {"input_type": "search_query"}, "input_type"),
        (GEMINI_2, {"input": ["a", "b"]}, "input"),
        ("google/gemini-2.5-pro", {}, "model"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_its_place(model: str, fields: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        call(model, **fields)
    assert refused.value.path == (where,)
    assert refused.value.message


def test_null_is_not_said() -> None:
    asked = call(TITAN, dimensions=None, user=None, encoding_format=None)
    assert json.loads(asked.body) == {"inputText": "Hello"}


def test_a_model_may_stand_behind_its_region() -> None:
    assert call("eu-west-1/" + TITAN).path.startswith("bedrock-runtime/eu-west-1/model/amazon.titan-embed")


def test_titans_of_pictures_have_their_own_name_for_the_length() -> None:
    sent = json.loads(call(IMAGES, dimensions=384).body)
    assert sent == {"inputText": "Hello", "embeddingConfig": {"outputEmbeddingLength": 384}}


@pytest.mark.parametrize("model", [TITAN, COHERE, GEMINI, GEMINI_2])
@pytest.mark.parametrize(
    "answer", [b"{}", b"[]", b"no JSON", b'{"embedding": "x"}', b'{"predictions": [{}]}', b"\xff"]
)
def test_an_answer_that_is_none_is_told(model: str, answer: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        call(model).answer(answer)


def test_as_many_vectors_as_texts_must_come() -> None:
    asked = call(GEMINI, input=["a", "b"])
    with pytest.raises(ProtocolBroken, match="2 embeddings were asked for, and 1 came"):
        asked.answer(b'{"predictions": [{"embeddings": {"values": [1.0]}}]}')


def test_tokens_are_not_told_where_one_embedding_lacks_them() -> None:
    counted, uncounted = {"values": [1.0], "statistics": {"token_count": 3}}, {"values": [1.0]}
    answer = {"predictions": [{"embeddings": counted}, {"embeddings": uncounted}]}
    told = json.loads(call(GEMINI, input=["a", "b"]).answer(json.dumps(answer).encode()))
    assert told["usage"] is None
