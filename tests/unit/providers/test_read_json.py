"""Usage and model from whole JSON answers. Shapes after each provider's public documentation; figures by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gaugeway.core.model import Usage
from gaugeway.core.provider import Provider, Reported
from gaugeway.providers import load
from gaugeway.providers.custom import custom

PROVIDERS = load()
OWN = custom("mine", "https://llm.example/v1")


def provider(slug: str) -> Provider:
    return OWN if slug == "custom" else PROVIDERS[slug]


def chat(usage: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": 'The "usage": {"prompt_tokens": 999} is no usage', "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1728933352,
        "model": "m-1",
        "choices": [choice],
        "usage": usage,
        **more,
    }


def message(usage: Any, **more: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "text", "text": "usage"},
            {"type": "tool_use", "id": "t", "name": "n", "input": {"usage": {"input_tokens": 999}}},
        ],
        "stop_reason": "end_turn",
        "usage": usage,
        **more,
    }


def gemini(usage: Any, **more: Any) -> dict[str, Any]:
    part = {"functionCall": {"name": "f", "args": {"usageMetadata": {"promptTokenCount": 999}}}}
    return {
        "candidates": [{"content": {"parts": [part], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r",
        **more,
    }


OPENAI_DETAILS = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 6},
    "completion_tokens_details": {
        "reasoning_tokens": 192,
        "audio_tokens": 4,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}

CASES: list[tuple[str, str, dict[str, Any], Usage, str | None]] = [
    (
        "chat without details",
        "openai",
        chat({"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29}),
        Usage(tokens_in=19, tokens_out=10),
        "m-1",
    ),
    (
        "chat with details",
        "openai",
        chat(OPENAI_DETAILS),
        Usage(
            tokens_in=2006,
            tokens_out=300,
            cached_tokens_in=1920,
            reasoning_tokens=192,
            audio_tokens_in=6,
            audio_tokens_out=4,
        ),
        "m-1",
    ),
    (
        "chat of a service tier",
        "openai",
        chat({"prompt_tokens": 1, "completion_tokens": 2}, service_tier="flex"),
        Usage(tokens_in=1, tokens_out=2, price_context={"service_tier": "flex"}),
        "m-1",
    ),
    (
        "chat that wrote to the cache",
        "openai",
        chat(
            {
                "prompt_tokens": 500,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 300, "image_tokens": 20},
            }
        ),
        Usage(
            tokens_in=500,
            tokens_out=5,
            cached_tokens_in=100,
            cache_write_tokens=300,
            other_units={"input_image_tokens": 20},
        ),
        "m-1",
    ),
    (
        "chat with null details",
        "openai",
        chat({"prompt_tokens": 7, "completion_tokens": 8, "prompt_tokens_details": None}),
        Usage(tokens_in=7, tokens_out=8),
        "m-1",
    ),
    (
        "chat of a model that always searches",
        "openai",
        chat({"prompt_tokens": 7, "completion_tokens": 8}, model="gpt-4o-search-preview-2025-03-11"),
        Usage(tokens_in=7, tokens_out=8, other_units={"web_searches": 1}),
        "gpt-4o-search-preview-2025-03-11",
    ),
    (
        "legacy completions",
        "openai",
        {
            "object": "text_completion",
            "model": "gpt-3.5-turbo-instruct",
            "choices": [{"text": "\n\nHi"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        },
        Usage(tokens_in=5, tokens_out=7),
        "gpt-3.5-turbo-instruct",
    ),
    (
        "responses",
        "openai",
        {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "model": "gpt-4.1-2025-04-14",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
            "usage": {
                "input_tokens": 328,
                "input_tokens_details": {"cached_tokens": 128, "cache_write_tokens": 0},
                "output_tokens": 52,
                "output_tokens_details": {"reasoning_tokens": 12},
                "total_tokens": 380,
            },
        },
        Usage(tokens_in=328, tokens_out=52, cached_tokens_in=128, cache_write_tokens=0, reasoning_tokens=12),
        "gpt-4.1-2025-04-14",
    ),
    (
        "responses with tools of OpenAI's own",
        "openai",
        {
            "object": "response",
            "model": "gpt-5",
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "web_search_call", "action": {"type": "search", "query": "x"}},
                {"type": "web_search_call", "action": {"type": "open_page", "url": "https://a"}},
                {"type": "web_search_call", "action": {"type": "search", "query": "y"}},
                {"type": "code_interpreter_call", "code": "1"},
                {"type": "function_call", "arguments": "{}"},
            ],
            "usage": {"input_tokens": 9, "output_tokens": 8},
        },
        Usage(tokens_in=9, tokens_out=8, other_units={"web_searches": 2, "code_executions": 1}),
        "gpt-5",
    ),
    (
        "embeddings",
        "openai",
        {
            "object": "list",
            "data": [{"object": "embedding", "embedding": [0.1, -0.2], "index": 0}],
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        },
        Usage(tokens_in=8),
        "text-embedding-3-small",
    ),
    (
        "images",
        "openai",
        {
            "created": 1,
            "data": [{"b64_json": "AAAA"}],
            "usage": {
                "total_tokens": 100,
                "input_tokens": 50,
                "output_tokens": 50,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            },
        },
        Usage(tokens_in=50, tokens_out=50, other_units={"input_image_tokens": 40}),
        None,
    ),
    (
        "a transcription billed by tokens",
        "openai",
        {
            "text": "hi",
            "usage": {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                "output_tokens": 45,
                "total_tokens": 59,
            },
        },
        Usage(tokens_in=14, tokens_out=45, audio_tokens_in=10),
        None,
    ),
    (
        "a transcription billed by the second",
        "openai",
        {"text": "hi", "usage": {"type": "duration", "seconds": 9.5}},
        Usage(other_units={"audio_seconds": 9.5, "input_audio_seconds": 9.5}),
        None,
    ),
    (
        "a message",
        "anthropic",
        message({"input_tokens": 2095, "output_tokens": 503}),
        Usage(tokens_in=2095, tokens_out=503),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "a message with a prompt cache: input_tokens leaves it out",
        "anthropic",
        message(
            {
                "input_tokens": 21,
                "cache_creation_input_tokens": 188086,
                "cache_read_input_tokens": 1000,
                "cache_creation": {"ephemeral_5m_input_tokens": 148086, "ephemeral_1h_input_tokens": 40000},
                "output_tokens": 393,
                "service_tier": "standard",
                "inference_geo": "global",
            }
        ),
        Usage(
            tokens_in=21 + 188086 + 1000,
            tokens_out=393,
            cached_tokens_in=1000,
            cache_write_tokens=188086,
            cache_write_1h_tokens=40000,
        ),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "a message with web searches and thinking",
        "anthropic",
        message(
            {
                "input_tokens": 105,
                "output_tokens": 6039,
                "output_tokens_details": {"thinking_tokens": 4000},
                "cache_read_input_tokens": 7123,
                "cache_creation_input_tokens": 7345,
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            }
        ),
        Usage(
            tokens_in=105 + 7123 + 7345,
            tokens_out=6039,
            cached_tokens_in=7123,
            cache_write_tokens=7345,
            reasoning_tokens=4000,
            other_units={"web_searches": 2},
        ),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "a message at another price",
        "anthropic",
        message({"input_tokens": 1, "output_tokens": 2, "speed": "fast", "inference_geo": "us"}),
        Usage(tokens_in=1, tokens_out=2, price_context={"speed": "fast", "inference_geo": "us"}),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "a message with a compaction, which the totals leave out",
        "anthropic",
        message(
            {"input_tokens": 1, "output_tokens": 2, "iterations": [{"type": "compaction"}, {"type": "message"}]}
        ),
        Usage(tokens_in=1, tokens_out=2, other_units={"compaction_iterations": 1}),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "Anthropic's OpenAI-compatible path",
        "anthropic",
        chat({"prompt_tokens": 3, "completion_tokens": 4}, model="claude-haiku-4-5"),
        Usage(tokens_in=3, tokens_out=4),
        "claude-haiku-4-5",
    ),
    (
        "generateContent",
        "google-ai-studio",
        gemini({"promptTokenCount": 4, "candidatesTokenCount": 5, "totalTokenCount": 9}),
        Usage(tokens_in=4, tokens_out=5),
        "gemini-2.5-flash",
    ),
    (
        "generateContent with thoughts, a cache and tools: candidates and prompt leave them out",
        "google-ai-studio",
        gemini(
            {
                "promptTokenCount": 12,
                "cachedContentTokenCount": 4,
                "candidatesTokenCount": 71,
                "toolUsePromptTokenCount": 65,
                "thoughtsTokenCount": 89,
                "totalTokenCount": 237,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
                "serviceTier": "STANDARD",
            }
        ),
        Usage(
            tokens_in=77,
            tokens_out=160,
            cached_tokens_in=4,
            reasoning_tokens=89,
            price_context={"service_tier": "standard"},
        ),
        "gemini-2.5-flash",
    ),
    (
        "generateContent with several modalities",
        "google-ai-studio",
        gemini(
            {
                "promptTokenCount": 300,
                "candidatesTokenCount": 1290,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 10},
                    {"modality": "AUDIO", "tokenCount": 40},
                    {"modality": "IMAGE", "tokenCount": 200},
                    {"modality": "DOCUMENT", "tokenCount": 50},
                ],
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
            }
        ),
        Usage(
            tokens_in=300,
            tokens_out=1290,
            audio_tokens_in=40,
            other_units={"input_image_tokens": 250, "output_image_tokens": 1290},
        ),
        "gemini-2.5-flash",
    ),
    (
        "generateContent grounded by Gemini 2: one search, however many queries",
        "google-ai-studio",
        gemini(
            {"promptTokenCount": 4, "candidatesTokenCount": 5},
            candidates=[{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}],
        ),
        Usage(tokens_in=4, tokens_out=5, other_units={"web_searches": 1}),
        "gemini-2.5-flash",
    ),
    (
        "generateContent grounded by Gemini 3: by the query",
        "google-ai-studio",
        gemini(
            {"promptTokenCount": 4, "candidatesTokenCount": 5},
            candidates=[{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}],
            modelVersion="gemini-3-pro-preview",
        ),
        Usage(tokens_in=4, tokens_out=5, other_units={"web_searches": 2}),
        "gemini-3-pro-preview",
    ),
    (
        "generateContent that was blocked: no candidates",
        "google-ai-studio",
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 6}},
        Usage(tokens_in=6),
        None,
    ),
    (
        "Google's OpenAI-compatible path",
        "google-ai-studio",
        chat({"prompt_tokens": 3, "completion_tokens": 4}, model="gemini-2.5-pro"),
        Usage(tokens_in=3, tokens_out=4),
        "gemini-2.5-pro",
    ),
    (
        "Groq",
        "groq",
        chat(
            {
                "queue_time": 0.27,
                "prompt_tokens": 41,
                "prompt_time": 0.0128,
                "completion_tokens": 27,
                "completion_time": 0.055,
                "total_tokens": 68,
                "total_time": 0.068,
                "prompt_tokens_details": {"cached_tokens": 32},
            },
            usage_breakdown=None,
            x_groq={"id": "req_1", "seed": 1},
            service_tier="on_demand",
        ),
        Usage(
            tokens_in=41, tokens_out=27, cached_tokens_in=32, price_context={"service_tier": "on_demand"}
        ),
        "m-1",
    ),
    (
        "DeepSeek",
        "deepseek",
        chat(
            {
                "prompt_tokens": 1661,
                "completion_tokens": 862,
                "total_tokens": 2523,
                "completion_tokens_details": {"reasoning_tokens": 451},
                "prompt_cache_hit_tokens": 256,
                "prompt_cache_miss_tokens": 1405,
            }
        ),
        Usage(tokens_in=1661, tokens_out=862, cached_tokens_in=256, reasoning_tokens=451),
        "m-1",
    ),
    (
        "xAI leaves reasoning out of completion_tokens, and says what it charged",
        "grok",
        chat(
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "prompt_tokens_details": {"text_tokens": 32, "audio_tokens": 0, "cached_tokens": 6},
                "completion_tokens_details": {"reasoning_tokens": 94, "audio_tokens": 0},
                "num_sources_used": 0,
                "cost_in_usd_ticks": 318319000,
            }
        ),
        Usage(
            tokens_in=32,
            tokens_out=103,
            cached_tokens_in=6,
            reasoning_tokens=94,
            audio_tokens_in=0,
            audio_tokens_out=0,
            reported_cost=Decimal("0.0318319"),
        ),
        "m-1",
    ),
    (
        "OpenRouter",
        "openrouter",
        chat(
            {
                "prompt_tokens": 194,
                "completion_tokens": 2,
                "total_tokens": 196,
                "completion_tokens_details": {"reasoning_tokens": 0},
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "cost": 0.00014,
                "is_byok": False,
                "cost_details": {"upstream_inference_cost": None},
            },
            provider="OpenAI",
        ),
        Usage(
            tokens_in=194,
            tokens_out=2,
            cached_tokens_in=0,
            reasoning_tokens=0,
            audio_tokens_in=0,
            reported_cost=Decimal("0.00014"),
        ),
        "m-1",
    ),
    (
        "OpenRouter with one's own key: its fee, and what the provider charges",
        "openrouter",
        chat(
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "cost": 0.95e-5,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 19e-5},
            }
        ),
        Usage(
            tokens_in=1,
            tokens_out=2,
            reported_cost=Decimal("0.0001995"),
            price_context={"billing": "own key"},
        ),
        "m-1",
    ),
    (
        "Perplexity",
        "perplexity-ai",
        chat(
            {
                "prompt_tokens": 33,
                "completion_tokens": 7163,
                "total_tokens": 7196,
                "citation_tokens": 100,
                "num_search_queries": 18,
                "reasoning_tokens": 2000,
                "cost": {"input_tokens_cost": 0.001, "output_tokens_cost": 0.1, "total_cost": 0.42},
            }
        ),
        Usage(
            tokens_in=33,
            tokens_out=7163 + 2000 + 100,
            reasoning_tokens=2000,
            reported_cost=Decimal("0.42"),
            other_units={"web_searches": 18, "output_citation_tokens": 100},
        ),
        "m-1",
    ),
    (
        "Perplexity's responses",
        "perplexity-ai",
        {
            "object": "response",
            "model": "perplexity/sonar",
            "usage": {
                "input_tokens": 50,
                "input_tokens_details": {"cache_read_input_tokens": 20},
                "output_tokens": 6,
                "cost": {"currency": "USD", "total_cost": 0.0001},
            },
        },
        Usage(tokens_in=50, tokens_out=6, cached_tokens_in=20, reported_cost=Decimal("0.0001")),
        "perplexity/sonar",
    ),
    (
        "Mistral's audio",
        "mistral",
        chat({"prompt_audio_seconds": 5, "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}),
        Usage(tokens_in=10, tokens_out=3, other_units={"audio_seconds": 5, "input_audio_seconds": 5}),
        "m-1",
    ),
    (
        "cached tokens beside the prompt's",
        "fireworks",
        chat({"prompt_tokens": 10, "completion_tokens": 3, "cached_tokens": 8}),
        Usage(tokens_in=10, tokens_out=3, cached_tokens_in=8),
        "m-1",
    ),
    (
        "Cerebras",
        "cerebras",
        chat({"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}}),
        Usage(tokens_in=10, tokens_out=3, cached_tokens_in=0),
        "m-1",
    ),
    (
        "Cohere's chat, v2: what is billed, not what was processed",
        "cohere",
        {
            "id": "20ae",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
            "usage": {
                "billed_units": {"input_tokens": 11, "output_tokens": 3},
                "tokens": {"input_tokens": 506, "output_tokens": 4},
                "cached_tokens": 448,
            },
        },
        Usage(tokens_in=11, tokens_out=3),
        None,
    ),
    (
        "Cohere's chat, v1",
        "cohere",
        {
            "text": "hi",
            "finish_reason": "COMPLETE",
            "meta": {
                "api_version": {"version": "1"},
                "billed_units": {"input_tokens": 10, "output_tokens": 26},
                "tokens": {"input_tokens": 82, "output_tokens": 26},
            },
        },
        Usage(tokens_in=10, tokens_out=26),
        None,
    ),
    (
        "Cohere without billed units",
        "cohere",
        {"usage": {"tokens": {"input_tokens": 82, "output_tokens": 26}, "cached_tokens": 16}},
        Usage(tokens_in=82, tokens_out=26, cached_tokens_in=16),
        None,
    ),
    (
        "Cohere's rerank",
        "cohere",
        {"results": [], "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}},
        Usage(other_units={"rerank_searches": 1}),
        None,
    ),
    (
        "Cohere's embed",
        "cohere",
        {"embeddings": {"float": [[0.1]]}, "meta": {"billed_units": {"input_tokens": 12}}},
        Usage(tokens_in=12),
        None,
    ),
    (
        "Cohere's OpenAI-compatible path",
        "cohere",
        chat({"prompt_tokens": 3, "completion_tokens": 4}),
        Usage(tokens_in=3, tokens_out=4),
        "m-1",
    ),
    (
        "Workers AI's envelope",
        "workers-ai",
        {
            "result": {
                "response": "hi",
                "usage": {"prompt_tokens": 20, "completion_tokens": 24, "total_tokens": 44},
            },
            "success": True,
            "errors": [],
            "messages": [],
        },
        Usage(tokens_in=20, tokens_out=24),
        None,
    ),
    (
        "Workers AI's envelope around a JSON answer",
        "workers-ai",
        {"result": {"response": {"usage": "x"}, "usage": {"prompt_tokens": 2, "completion_tokens": 3}}},
        Usage(tokens_in=2, tokens_out=3),
        None,
    ),
    (
        "Workers AI's OpenAI-compatible path",
        "workers-ai",
        chat({"prompt_tokens": 3, "completion_tokens": 4}, model="@cf/meta/llama-3.1-8b-instruct"),
        Usage(tokens_in=3, tokens_out=4),
        "@cf/meta/llama-3.1-8b-instruct",
    ),
    ("OpenAI's at a custom one", "custom", chat(OPENAI_DETAILS | {"prompt_tokens": 5000}), Usage(
        tokens_in=5000, tokens_out=300, cached_tokens_in=1920, reasoning_tokens=192,
        audio_tokens_in=6, audio_tokens_out=4), "m-1"),
    (
        "Anthropic's at a custom one",
        "custom",
        message({"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 3}),
        Usage(tokens_in=3, tokens_out=3, cached_tokens_in=2),
        "claude-sonnet-4-5-20250929",
    ),
    (
        "responses at a custom one are not taken for Anthropic's",
        "custom",
        {
            "object": "response",
            "model": "m",
            "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 1},
        },
        Usage(tokens_in=9, tokens_out=1, cached_tokens_in=4),
        "m",
    ),
    (
        "Gemini's at a custom one",
        "custom",
        gemini({"promptTokenCount": 4, "candidatesTokenCount": 5, "thoughtsTokenCount": 6}),
        Usage(tokens_in=4, tokens_out=11, reasoning_tokens=6),
        "gemini-2.5-flash",
    ),
    (
        "Cohere's at a custom one",
        "custom",
        {"usage": {"billed_units": {"input_tokens": 11, "output_tokens": 3}}},
        Usage(tokens_in=11, tokens_out=3),
        None,
    ),
]  # fmt: skip


def compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def pretty(document: Any) -> bytes:
    return json.dumps(document, indent=2).replace("\n", "\r\n").encode()


def padded(document: Any) -> bytes:
    """Providers keep a slow connection alive with white space before the answer."""
    return b"\n         \n" + json.dumps(document).encode() + b"\n"


@pytest.mark.parametrize("encode", [compact, pretty, padded])
@pytest.mark.parametrize(
    ("slug", "document", "usage", "model"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_figures_of_an_answer(
    slug: str, document: dict[str, Any], usage: Usage, model: str | None, encode: Any
) -> None:
    reported = provider(slug).read_response("x", "application/json", encode(document))
    assert reported == Reported(usage=usage, model=model)


@pytest.mark.parametrize(
    ("slug", "document"),
    [
        ("openai", {"error": {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded"}}),
        ("openai", chat(None, model=None)),
        ("openai", chat({}, model="")),
        ("anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        ("anthropic", {"input_tokens": 2095}),  # count_tokens: nothing was used
        ("google-ai-studio", {"totalTokens": 31, "promptTokensDetails": []}),  # countTokens
        ("google-ai-studio", {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}),
        ("workers-ai", {"result": None, "success": False, "errors": [{"code": 7003}]}),
        ("cohere", {"message": "invalid request"}),
        ("replicate", {"id": "x", "model": "a/b", "output": ["usage"], "metrics": {"predict_time": 1.2}}),
        ("custom", {"usage": 12}),
    ],
)
def test_an_answer_without_figures_says_nothing(slug: str, document: dict[str, Any]) -> None:
    assert provider(slug).read_response("x", "application/json", compact(document)) == Reported()


@pytest.mark.parametrize("value", [-1, True, False, 1.5, 1 << 60, 10**400, 1e300, "12", [], {}, float("nan")])
def test_what_is_no_count_is_not_reported_and_leaves_a_doubt(value: object) -> None:
    def read(slug: str, document: dict[str, Any]) -> Usage | None:
        usage = provider(slug).read_response("x", "application/json", compact(document)).usage
        if usage is not None:
            assert usage.doubt is not None
            assert "is no count" in usage.doubt
            assert len(usage.doubt) < 120
            usage = replace(usage, doubt=None)
        return usage

    assert read("openai", chat({"prompt_tokens": value, "completion_tokens": 5})) in (Usage(tokens_out=5), None)
    assert read("anthropic", message({"input_tokens": value, "output_tokens": 5})) in (Usage(tokens_out=5), None)
    assert read("google-ai-studio", gemini({"promptTokenCount": 5, "candidatesTokenCount": value})) in (
        Usage(tokens_in=5),
        None,
    )
    assert read("cohere", {"usage": {"billed_units": {"input_tokens": value, "output_tokens": 5}}}) in (
        Usage(tokens_out=5),
        None,
    )


def test_null_is_not_said_and_whole_numbers_are_counts_however_they_are_written() -> None:
    read = provider("cohere").read_response
    body = b'{"usage":{"billed_units":{"input_tokens":12.0,"output_tokens":1.2e1,"search_units":null}}}'
    assert read("x", "application/json", body).usage == Usage(tokens_in=12, tokens_out=12)
    body = (
        b'{"usage":{"prompt_tokens":12.0,"completion_tokens":1.2e1,"prompt_tokens_details":{"cached_tokens":null}}}'
    )
    assert provider("openai").read_response("x", "application/json", body).usage == Usage(
        tokens_in=12, tokens_out=12
    )


@pytest.mark.parametrize("cost", [-0.1, 1e10, True, "0.1", float("inf")])
def test_what_is_no_amount_is_not_reported(cost: object) -> None:
    document = chat({"prompt_tokens": 1, "completion_tokens": 1, "cost": cost})
    usage = provider("openrouter").read_response("x", "application/json", compact(document)).usage
    assert usage is None or usage.reported_cost is None


def test_reported_amounts_are_exact() -> None:
    body = b'{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.10000000000000000001}}'
    usage = provider("openrouter").read_response("x", "application/json", body).usage
    assert usage is not None
    assert usage.reported_cost == Decimal("0.10000000000000000001")
