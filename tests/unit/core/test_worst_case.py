"""The most that a request can use: never too little, whatever a client writes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.model import CustomCost, LogRecord, Outcome, Scope, Usage
from gaugeway.core.pricing import PriceBook
from gaugeway.core.provider import Asked
from gaugeway.core.worst_case import OVERHEAD, TOOLS_OVERHEAD, Bound, bound_of

SCOPE = Scope("a" * 32, "g")
MESSAGES = [{"role": "user", "content": "Say hello."}]
AT = 1_795_000_000_000
BOOK = PriceBook({"openai": "openai", "anthropic": "anthropic", "google-ai-studio": "google", "custom-mine": None})


def a_body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES, **fields}).encode()


def bound(kind: str = "chat", **fields: Any) -> Bound:
    found = bound_of(a_body(**fields), kind)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "out"),
    [
        ({}, None),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 100}, 100),
        ({"max_output_tokens": 100}, 100),
        ({"max_tokens_to_sample": 100}, 100),
        ({"generationConfig": {"maxOutputTokens": 100}}, 100),
        ({"generation_config": {"max_output_tokens": 100}}, 100),
        ({"inferenceConfig": {"maxTokens": 100}}, 100),
        ({"parameters": {"max_new_tokens": 100}}, 100),
        ({"max_tokens": 100, "max_completion_tokens": 300}, 300),
        ({"max_tokens": "100"}, 100),
        ({"max_tokens": 100.0}, 100),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": -1}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": None}, None),
        ({"max_tokens": []}, None),
        ({"max_tokens": 1e300}, None),
        ({"max_tokens": "many"}, None),
        ({"metadata": {"max_tokens": 100}}, None),
    ],
)
def test_the_output_is_bounded_by_the_requests_own_limit(fields: dict[str, Any], out: int | None) -> None:
    assert bound(**fields).tokens_out == out


@pytest.mark.parametrize(
    ("fields", "answers"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": 0}, 1),
        ({"n": 2, "best_of": 5}, 5),
        ({"num_generations": 4}, 4),
        ({"generationConfig": {"candidateCount": 3}}, 3),
        ({"prompt": "one"}, 1),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": ["one", "two"], "n": 2}, 4),
        ({"prompt": [[1, 2], [3]]}, 2),
    ],
)
def test_each_answer_that_is_asked_for_counts(fields: dict[str, Any], answers: int) -> None:
    assert bound(**fields).answers == answers


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://x.example/i.png"}},
        {"type": "input_image", "image_url": "https://x.example/i.png"},
        {"type": "image", "source": {"type": "base64", "data": "aGk="}},
        {"type": "document", "source": {"type": "url", "url": "https://x.example/d.pdf"}},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_audio", "input_audio": {"data": "aGk="}},
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"fileUri": "https://x.example/f"}},
        {"inline_data": {"data": "aGk="}},
    ],
)
def test_what_is_no_text_may_fill_the_context_window(part: dict[str, Any]) -> None:
    assert bound(messages=[{"role": "user", "content": [part]}]).tokens_in is None


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"cachedContent": "cachedContents/1"},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "web_search_20260209", "name": "web_search"}]},
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
        {"tools": [{"googleSearch": {}}]},
        {"web_search_options": {}},
        {"search_parameters": {"mode": "on"}},
    ],
)
def test_what_is_elsewhere_may_fill_the_context_window(fields: dict[str, Any]) -> None:
    assert bound(**fields).tokens_in is None


def test_a_reference_cannot_be_hidden_behind_escapes() -> None:
    body = a_body().replace(b'"model"', b'"previous_respo\\u006ese_id": "resp_1", "model"')
    found = bound_of(body, "chat")
    assert found is not None
    assert found.tokens_in is None


def test_words_of_a_user_are_no_references() -> None:
    talk = [{"role": "user", "content": 'What is "image_url" and "previous_response_id"? And file?'}]
    assert bound(messages=talk).tokens_in is not None


def test_tools_come_with_words_of_the_providers_own() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert bound(tools=tools).tokens_in == len(a_body(tools=tools)) + OVERHEAD + TOOLS_OVERHEAD


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b"\xff{}",
        b"\x1f\x8b\x08compressed",
        b"[" * 200_000,
        b'{"model": "m", "max_tokens": 5, "max_tokens": null}',
        b'{"model": "m", "generationConfig": {"maxOutputTokens": 1, "maxOutputTokens": 9}}',
    ],
)
def test_a_body_that_says_nothing_certain_has_no_bound(body: bytes) -> None:
    assert bound_of(body, "chat") is None


@given(text=st.text(max_size=300), limit=st.integers(0, 10_000), answers=st.integers(1, 8))
def test_a_text_has_at_most_a_token_a_byte(text: str, limit: int, answers: int) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": text}], "max_tokens": limit, "n": answers}).encode()
    found = bound_of(body, "chat")
    assert found is not None
    assert found.tokens_in is None or found.tokens_in >= len(text.encode("utf-8", "surrogatepass"))
    assert (found.tokens_out, found.answers) == (limit, answers)


# --- in dollars

USAGES = st.builds(
    lambda into, out, cached, written, hour, thought: Usage(
        tokens_in=into,
        tokens_out=out,
        cached_tokens_in=cached * into // 100,
        cache_write_tokens=(100 - cached) * written * into // 10_000,
        cache_write_1h_tokens=(100 - cached) * written * into // 10_000 * hour // 100,
        reasoning_tokens=thought * out // 100,
    ),
    st.integers(0, 300_000),
    st.integers(0, 5000),
    *[st.integers(0, 100)] * 4,
)
MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-1"),
    ("google-ai-studio", "gemini-2.5-pro"),
    ("google-ai-studio", "gemini-2.5-flash"),
]
CONTEXTS = st.sampled_from([None, {"service_tier": "priority"}, {"service_tier": "flex"}, {"speed": "fast"}])


@given(which=st.sampled_from(MODELS), usage=USAGES, context=CONTEXTS)
def test_no_usage_within_the_bound_costs_more_than_what_is_reserved(
    which: tuple[str, str], usage: Usage, context: dict[str, str] | None
) -> None:
    provider, model = which
    fields = {
        "max_tokens": usage.tokens_out,
        "messages": [{"role": "user", "content": "x" * (usage.tokens_in or 0)}],
    }
    asked = Asked(model=model, model_type="chat")
    most = BOOK.at_most(SCOPE, provider, asked, json.dumps(fields).encode(), at_ms=AT, custom_cost=None)
    assert most.cost is not None, most.reason
    record = LogRecord(
        account_id="a" * 32,
        gateway_id="g",
        id=AT.to_bytes(6) + bytes(10),
        provider=provider,
        outcome=Outcome.SUCCESS,
        duration=1,
        model=model,
        model_type="chat",
        usage=Usage(
            **{name: getattr(usage, name) for name in usage.__struct_fields__} | {"price_context": context}
        ),
    )
    cost = BOOK.price(record).cost
    assert cost is None or cost <= most.cost


def at_most(model: str, provider: str = "openai", rates: CustomCost | None = None, **fields: Any) -> Any:
    kind = fields.pop("kind", "chat")
    return BOOK.at_most(
        SCOPE, provider, Asked(model=model, model_type=kind), a_body(**fields), at_ms=AT, custom_cost=rates
    )


def test_by_hand() -> None:
    """gpt-4o-mini: 0.15 and 0.60 dollars a million; 0.25 and 1 as priority."""
    size = len(a_body(max_tokens=1000)) + OVERHEAD
    assert at_most("gpt-4o-mini", max_tokens=1000).cost == (size * Decimal("0.25") + 1000) / 1_000_000
    assert at_most("gpt-4o-mini").cost > at_most("gpt-4o-mini", max_tokens=100_000).cost
    assert at_most("text-embedding-3-small", kind="embeddings", input="hello").cost < Decimal("0.00001")


def test_by_custom_rates() -> None:
    rates = CustomCost(per_token_in=Decimal("0.001"), per_token_out=Decimal("0.002"))
    size = len(a_body(max_tokens=10, n=2)) + OVERHEAD
    priced = at_most("mine", "custom-mine", rates, max_tokens=10, n=2)
    assert priced.cost == size * Decimal("0.001") + 20 * Decimal("0.002")
    assert "max_tokens" in at_most("mine", "custom-mine", rates).reason
    assert "refers to more" in at_most("mine", "custom-mine", rates, max_tokens=1, conversation="c").reason
    total = CustomCost(total_cost=Decimal("0.5"))
    assert at_most("mine", "custom-mine", total, kind=None).cost == Decimal("0.5")


@pytest.mark.parametrize(
    ("model", "provider", "fields", "words"),
    [
        ("mine", "custom-mine", {}, "cf-aig-custom-cost"),
        ("no-such-model", "openai", {}, "no-such-model"),
        ("gpt-4o", "openai", {"kind": None}, "total_cost"),
        ("whisper-1", "openai", {"kind": "transcription"}, "total_cost"),
        ("gpt-image-1", "openai", {"kind": "image"}, "total_cost"),
    ],
)
def test_what_cannot_be_told_says_why_and_what_to_do(
    model: str, provider: str, fields: dict[str, Any], words: str
) -> None:
    priced = at_most(model, provider, **fields)
    assert priced.cost is None
    assert words in priced.reason
