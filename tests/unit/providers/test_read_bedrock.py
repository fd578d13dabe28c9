"""Usage of Bedrock's answers and streams, whole and in part; its framing, and Vertex AI's prices by endpoint."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.model import Usage
from gaugeway.core.provider import Asked
from gaugeway.providers import load
from gaugeway.providers.aws_bedrock import PROVIDER
from gaugeway.providers.formats.event_stream import CONTENT_TYPE, Messages, payloads
from support.event_stream import event, failure, framed, wrapped

PROVIDERS = load()
BEDROCK, VERTEX = PROVIDER, PROVIDERS["google-vertex-ai"]
TEXT = {"role": "assistant", "content": [{"text": '"usage": {"inputTokens": 999}'}]}

CONVERSE = {
    "output": {"message": TEXT},
    "stopReason": "end_turn",
    "usage": {
        "inputTokens": 20,
        "outputTokens": 10,
        "totalTokens": 40,
        "cacheReadInputTokens": 6,
        "cacheWriteInputTokens": 4,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m", "inputTokens": 1}],
    },
    "metrics": {"latencyMs": 500},
}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "text", "text": "x"}],
    "usage": {"input_tokens": 20, "cache_read_input_tokens": 6, "output_tokens": 10},
}


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        (
            CONVERSE,
            Usage(tokens_in=30, tokens_out=10, cached_tokens_in=6, cache_write_tokens=4, cache_write_1h_tokens=3),
        ),
        (
            CONVERSE | {"usage": {"inputTokens": 2, "outputTokens": 3}, "serviceTier": {"type": "flex"}},
            Usage(tokens_in=2, tokens_out=3, price_context={"service_tier": "flex"}),
        ),
        (
            CONVERSE
            | {"usage": {"inputTokens": 2, "outputTokens": 3}, "performanceConfig": {"latency": "optimized"}},
            Usage(tokens_in=2, tokens_out=3, price_context={"latency": "optimized"}),
        ),
        (
            {
                "output": {"message": TEXT},
                "stopReason": "end_turn",
                "usage": {
                    "inputTokens": 9,
                    "outputTokens": 4,
                    "totalTokens": 13,
                    "cacheReadInputTokenCount": 2,
                    "cacheWriteInputTokenCount": 0,
                },
            },
            Usage(tokens_in=11, tokens_out=4, cached_tokens_in=2, cache_write_tokens=0),
        ),
        (CLAUDE, Usage(tokens_in=26, tokens_out=10, cached_tokens_in=6)),
        (
            {"inputTextTokenCount": 5, "results": [{"tokenCount": 55, "outputText": "x"}]},
            Usage(tokens_in=5, tokens_out=55),
        ),
        ({"embedding": [0.1], "inputTextTokenCount": 8}, Usage(tokens_in=8)),
        (
            {"generation": "x", "prompt_token_count": 7, "generation_token_count": 3, "stop_reason": "stop"},
            Usage(tokens_in=7, tokens_out=3),
        ),
        (
            {
                "id": "c",
                "choices": [],
                "model": "openai.gpt",
                "usage": {"prompt_tokens": 1, "completion_tokens": 2},
            },
            Usage(tokens_in=1, tokens_out=2),
        ),
        ({"outputs": [{"text": "x", "stop_reason": "stop"}]}, None),
        ({"message": "The security token included in the request is invalid."}, None),
    ],
)
def test_figures_of_an_answer(document: dict[str, Any], usage: Usage | None) -> None:
    for indent in (None, 2):
        reported = BEDROCK.read_response("x", "application/json", json.dumps(document, indent=indent).encode())
        assert (reported.usage, reported.model) == (usage, None)


METADATA = event("metadata", {"usage": CONVERSE["usage"], "metrics": {"latencyMs": 5}})
CONVERSED = (
    event("messageStart", {"role": "assistant"})
    + b"".join(
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x" * 50}}) for _ in range(300)
    )
    + event("contentBlockStop", {"contentBlockIndex": 0})
    + event("messageStop", {"stopReason": "end_turn"})
    + METADATA
)
METRICS = {"inputTokenCount": 20, "outputTokenCount": 10, "invocationLatency": 5, "firstByteLatency": 1}
INVOKED = (
    wrapped(
        {"type": "message_start", "message": CLAUDE | {"usage": {"input_tokens": 20, "cache_read_input_tokens": 6}}}
    )
    + wrapped({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "y"}}) * 300
    + wrapped({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}})
    + wrapped({"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS})
)
TITAN = wrapped({"outputText": "x", "index": 0, "inputTextTokenCount": 3}) + wrapped(
    {"outputText": "y", "index": 0, "totalOutputTextTokenCount": 9, "amazon-bedrock-invocationMetrics": METRICS}
)
LLAMA = wrapped({"generation": "x", "prompt_token_count": 7, "generation_token_count": 1}) + wrapped(
    {
        "generation": "",
        "prompt_token_count": None,
        "generation_token_count": 5,
        "stop_reason": "stop",
        "amazon-bedrock-invocationMetrics": METRICS,
    }
)
NOVA = wrapped({"messageStart": {"role": "assistant"}}) + wrapped(
    {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}, "amazon-bedrock-invocationMetrics": METRICS}
)
CONVERSE_USAGE = Usage(
    tokens_in=30, tokens_out=10, cached_tokens_in=6, cache_write_tokens=4, cache_write_1h_tokens=3
)
CLAUDE_USAGE = Usage(tokens_in=26, tokens_out=10, cached_tokens_in=6)
PLAIN = Usage(tokens_in=20, tokens_out=10)
STREAMS = {
    "converse": (CONVERSED, CONVERSE_USAGE),
    "claude": (INVOKED, CLAUDE_USAGE),
    "titan": (TITAN, PLAIN),
    "llama": (LLAMA, PLAIN),
    "nova": (NOVA, PLAIN),
}


@pytest.mark.parametrize("name", STREAMS)
def test_figures_of_a_stream(name: str) -> None:
    body, usage = STREAMS[name]
    assert BEDROCK.read_response("x", CONTENT_TYPE, body).usage == usage


@pytest.mark.parametrize(("whole", "usage"), [(CONVERSED, CONVERSE_USAGE), (INVOKED, CLAUDE_USAGE)])
@pytest.mark.parametrize(("head", "tail"), [(1000, 1500), (3333, 2222), (4096, 1111)])
def test_a_stream_without_its_middle_keeps_its_figures(whole: bytes, usage: Usage, head: int, tail: int) -> None:
    shortened = whole[:head] + b"\n" + whole[-tail:]
    assert BEDROCK.read_response("x", CONTENT_TYPE, shortened).usage == usage


def test_a_cut_stream_says_what_had_been_reported() -> None:
    assert BEDROCK.read_response("x", CONTENT_TYPE, CONVERSED[:-5]).usage is None
    cut = BEDROCK.read_response("x", CONTENT_TYPE, INVOKED[:2000]).usage
    assert cut == Usage(tokens_in=26, cached_tokens_in=6)


def test_a_changed_message_says_nothing() -> None:
    changed = bytearray(METADATA)
    changed[-40] ^= 1
    assert BEDROCK.read_response("x", CONTENT_TYPE, bytes(changed)).usage is None


@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from([CONVERSED[:900], INVOKED[:900], b""]))
def test_no_stream_makes_it_raise(noise: bytes, at: int, whole: bytes) -> None:
    body = whole[:at] + noise + whole[at:]
    BEDROCK.read_response("x", CONTENT_TYPE, body)
    assert isinstance(payloads(body), list)
    assert isinstance(BEDROCK.unframed(CONTENT_TYPE, body), bytes)


def test_what_is_said_in_a_stream_is_found_within_its_frames() -> None:
    said = BEDROCK.unframed(CONTENT_TYPE, INVOKED)
    assert said.count(b'"text_delta"') == 300
    assert BEDROCK.unframed(CONTENT_TYPE, CONVERSED).count(b'"text":"x') == 300
    middle_missing = CONVERSED[:1000] + b"\n" + CONVERSED[-1500:]
    assert b'"outputTokens":10' in BEDROCK.unframed(CONTENT_TYPE, middle_missing)
    assert BEDROCK.unframed(CONTENT_TYPE, middle_missing).endswith(b"}")
    assert BEDROCK.unframed("application/json", b"{}") == b"{}"


# --- the framing


MIXED = (
    event("a", {"x": 1}) + framed({}, b"") + failure("throttlingException", "Slow down") + framed({"é": "ü"}, b"z")
)


def received(chunks: list[bytes]) -> list[tuple[str, bool, bytes]]:
    messages = Messages()
    found = [message for chunk in chunks for message in messages.feed(chunk)]
    assert not messages.end()
    return [(message.event, message.is_exception, message.payload) for message in found]


def test_messages() -> None:
    assert received([MIXED]) == [
        ("a", False, b'{"x":1,"p":"abcdefgh"}'),
        ("", False, b""),
        ("throttlingException", True, b'{"message": "Slow down"}'),
        ("", False, b"z"),
    ]


@given(st.sets(st.integers(0, len(MIXED)), max_size=20))
def test_it_does_not_matter_where_the_network_cuts(places: set[int]) -> None:
    edges = [0, *sorted(places), len(MIXED)]
    chunks = [MIXED[a:b] for a, b in pairwise(edges)]
    assert received(chunks) == received([MIXED])


@pytest.mark.parametrize("end", [1, 11, 12, 40, len(METADATA) - 1])
def test_a_stream_that_ends_within_a_message_is_broken(end: int) -> None:
    with pytest.raises(ProtocolBroken, match="within a message"):
        received([METADATA, METADATA[:end]])


def kind_of_header(kind: int, value: bytes) -> bytes:
    head = b"\x01h" + bytes((kind,)) + value
    return rewritten(head, b"p")


def rewritten(head: bytes, payload: bytes) -> bytes:
    from zlib import crc32

    prelude = (16 + len(head) + len(payload)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    message = prelude + crc32(prelude).to_bytes(4, "big") + head + payload
    return message + crc32(message).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (0, b""),
        (1, b""),
        (2, b"1"),
        (3, b"12"),
        (4, b"1234"),
        (5, b"12345678"),
        (8, b"12345678"),
        (9, b"1" * 16),
        (6, b"\x00\x02ab"),
        (7, b"\x00\x02ab"),
    ],
)
def test_headers_of_every_type(kind: int, value: bytes) -> None:
    assert received([kind_of_header(kind, value)]) == [("", False, b"p")]


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        METADATA[:8] + b"\0\0\0\0" + METADATA[12:],
        METADATA[:-1] + bytes((METADATA[-1] ^ 1,)),
        rewritten(b"\x05ab", b""),
        rewritten(b"\x01h\x0a", b""),
        rewritten(b"\x01h\x07\x00\x09ab", b""),
        rewritten(b"\x01h\x07\x00\x01\xff", b""),
        rewritten(b"\x01h", b""),
    ],
)
def test_what_is_no_message_is_broken_after_what_was(broken: bytes) -> None:
    messages = Messages()
    given = messages.feed(METADATA + broken)
    assert next(given).event == "metadata"
    with pytest.raises(ProtocolBroken):
        next(given)


# --- Vertex AI


def vertex(location: str, model: str, document: dict[str, Any]) -> Usage | None:
    rest = f"v1/projects/p/locations/{location}/publishers/x/models/{model}:generateContent"
    return VERTEX.read_response(rest, "application/json", json.dumps(document).encode()).usage


GEMINI = {"candidates": [], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2}}


def test_the_endpoint_is_part_of_vertex_prices() -> None:
    plain, claude = Usage(tokens_in=5, tokens_out=2), Usage(tokens_in=26, tokens_out=10, cached_tokens_in=6)
    assert vertex("global", "gemini-3-pro", GEMINI) == plain
    assert vertex("us-central1", "gemini-2.5-flash", GEMINI) == plain
    assert vertex("global", "claude-haiku-4-5@20251001", CLAUDE) == claude
    regional = vertex("us-east5", "claude-haiku-4-5@20251001", CLAUDE)
    assert regional is not None
    assert regional.price_context == {"endpoint": "us-east5"}
    bought = GEMINI | {"usageMetadata": {"promptTokenCount": 5, "trafficType": "PROVISIONED_THROUGHPUT"}}
    reserved = vertex("global", "gemini-2.5-flash", bought)
    assert reserved is not None
    assert reserved.price_context == {"traffic_type": "provisioned_throughput"}


# --- requests


@pytest.mark.parametrize(
    ("slug", "rest", "body", "expected"),
    [
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/us.anthropic.claude-x-v1%3A0/invoke",
            {},
            Asked(model="us.anthropic.claude-x-v1:0", model_type="chat"),
        ),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/m/invoke-with-response-stream",
            {},
            Asked(model="m", model_type="chat", stream=True),
        ),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/m/converse-stream",
            {},
            Asked(model="m", model_type="chat", stream=True),
        ),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/amazon.titan-embed-text-v2:0/invoke",
            {},
            Asked(model="amazon.titan-embed-text-v2:0", model_type="embeddings"),
        ),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy/converse",
            {},
            Asked(model="arn:aws:bedrock:us-east-1:1:x/y", model_type="chat"),
        ),
        (
            "aws-bedrock",
            "bedrock-mantle/us-east-1/anthropic/v1/messages",
            {"model": "anthropic.c", "stream": True},
            Asked(model="anthropic.c", model_type="chat", stream=True),
        ),
        (
            "azure-openai",
            "res/gpt-4o/chat/completions",
            {"stream": True},
            Asked(model="gpt-4o", model_type="chat", stream=True),
        ),
        ("azure-openai", "res/openai/v1/responses", {"model": "gpt-5"}, Asked(model="gpt-5", model_type="chat")),
        ("azure-openai", "res", {}, Asked()),
        (
            "baseten",
            "v1/chat/completions",
            {"model": "openai/gpt-oss-120b"},
            Asked(model="openai/gpt-oss-120b", model_type="chat"),
        ),
        (
            "baseten",
            "model/abc1/sync/v1/chat/completions",
            {"model": "openai/gpt-oss-120b"},
            Asked(model="abc1", model_type="chat"),
        ),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/l/publishers/anthropic/models/claude-3@1:streamRawPredict",
            {},
            Asked(model="claude-3@1", model_type="chat", stream=True),
        ),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/l/publishers/anthropic/models/claude-3@1:rawPredict",
            {"stream": True},
            Asked(model="claude-3@1", model_type="chat", stream=True),
        ),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent",
            {},
            Asked(model="gemini-2.5-pro", model_type="chat"),
        ),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/us-east5/publishers/google/models/gemini-3.5-flash:generateContent",
            {},
            Asked(model="gemini-3.5-flash", model_type="chat", unlisted="endpoint 'us-east5'"),
        ),
        (
            "aws-bedrock",
            "bedrock-runtime/us-east-1/model/amazon.nova-canvas-v1:0/invoke",
            {},
            Asked(model="amazon.nova-canvas-v1:0"),
        ),
        (
            "google-vertex-ai",
            "v1/projects/p/locations/l/endpoints/openapi/chat/completions",
            {"model": "google/g"},
            Asked(model="google/g", model_type="chat"),
        ),
    ],
)
def test_what_a_request_says(slug: str, rest: str, body: dict[str, Any], expected: Asked) -> None:
    assert PROVIDERS[slug].read_request(rest, "application/json", json.dumps(body).encode()) == expected


def test_a_deployed_model_of_baseten_is_never_priced_as_a_shared_one() -> None:
    body = json.dumps(
        {"model": "openai/gpt-oss-120b", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    ).encode()
    baseten = PROVIDERS["baseten"]
    assert baseten.read_response("model/abc1/sync/v1/chat/completions", "application/json", body).model is None
    assert baseten.read_response("v1/chat/completions", "application/json", body).model == "openai/gpt-oss-120b"
