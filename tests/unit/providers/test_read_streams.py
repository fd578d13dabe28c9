"""Usage and model from streams: whole, cut off, with their middle missing, and written in every allowed way."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from gaugeway.core.model import Usage
from gaugeway.core.provider import Provider, Reported
from gaugeway.providers import load
from gaugeway.providers.custom import custom
from support import streams
from support.streams import Event

PROVIDERS = load()
OWN = custom("mine", "https://llm.example/v1")
TRAP = 'Say "usage": {"prompt_tokens": 999} or data: {"usage": {"prompt_tokens": 999}}'
SSE = "text/event-stream; charset=utf-8"


def provider(slug: str) -> Provider:
    return OWN if slug == "custom" else PROVIDERS[slug]


def chunk(content: str | None = TRAP, **more: Any) -> Event:
    choices = [] if content is None else [{"index": 0, "delta": {"content": content}, "finish_reason": None}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices, **more}


CHAT: list[Event] = [
    *[chunk(usage=None)] * 3,
    chunk(None, usage={"prompt_tokens": 19, "completion_tokens": 300, "total_tokens": 319}),
    "[DONE]",
]
GROQ: list[Event] = [
    chunk(x_groq={"id": "req_1"}),
    chunk(),
    chunk(x_groq={"id": "req_1", "usage": {"queue_time": 0.06, "prompt_tokens": 18, "completion_tokens": 439}}),
    "[DONE]",
]
RESPONSES: list[Event] = [
    {"type": "response.created", "response": {"id": "r", "model": "gpt-4.1", "usage": None, "output": []}},
    {"type": "response.output_text.delta", "delta": TRAP},
    {
        "type": "response.completed",
        "response": {
            "id": "r",
            "model": "gpt-4.1",
            "output": [
                {"type": "web_search_call", "action": {"type": "search"}},
                {"type": "message", "content": [{"type": "output_text", "text": TRAP}]},
            ],
            "usage": {
                "input_tokens": 37,
                "input_tokens_details": {"cached_tokens": 5},
                "output_tokens": 11,
                "output_tokens_details": {"reasoning_tokens": 1},
                "total_tokens": 48,
            },
            "user": None,
            "metadata": {},
        },
    },
]
START: Event = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "model": "claude-opus-4-1-20250805",
        "content": [],
        "usage": {
            "input_tokens": 25,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
}
TEXT: Event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TRAP}}
MESSAGE: list[Event] = [
    START,
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    TEXT,
    TEXT,
    {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 5}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
]


def gemini_chunk(candidates: int, thoughts: int = 8) -> Event:
    return {
        "candidates": [{"content": {"parts": [{"text": TRAP}], "role": "model"}, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 7,
            "candidatesTokenCount": candidates,
            "thoughtsTokenCount": thoughts,
        },
        "modelVersion": "gemini-2.5-pro",
    }


GEMINI: list[Event] = [gemini_chunk(1), gemini_chunk(20), gemini_chunk(33)]
COHERE: list[Event] = [
    {"type": "message-start", "id": "x", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TRAP}}}},
    {
        "type": "message-end",
        "delta": {
            "finish_reason": "COMPLETE",
            "usage": {
                "billed_units": {"input_tokens": 18, "output_tokens": 55},
                "tokens": {"input_tokens": 27, "output_tokens": 55},
            },
        },
    },
    "[DONE]",
]
WORKERS: list[Event] = [
    {"response": "Hel", "p": "abcd"},
    {"response": TRAP},
    {"response": "", "usage": {"prompt_tokens": 16, "completion_tokens": 9, "total_tokens": 25}},
    "[DONE]",
]
MESSAGE_USAGE = Usage(
    tokens_in=135, tokens_out=15, cached_tokens_in=100, cache_write_tokens=10, cache_write_1h_tokens=6
)

CASES: list[tuple[str, str, list[Event], Usage, str | None]] = [
    ("chat", "openai", CHAT, Usage(tokens_in=19, tokens_out=300), "m-1"),
    ("groq", "groq", GROQ, Usage(tokens_in=18, tokens_out=439), "m-1"),
    (
        "responses",
        "openai",
        RESPONSES,
        Usage(
            tokens_in=37,
            tokens_out=11,
            cached_tokens_in=5,
            reasoning_tokens=1,
            other_units={"web_searches": 1},
        ),
        "gpt-4.1",
    ),
    ("message", "anthropic", MESSAGE, MESSAGE_USAGE, "claude-opus-4-1-20250805"),
    (
        "message whose end repeats the prompt's figures, grown by a tool",
        "anthropic",
        [
            START,
            {
                "type": "message_delta",
                "usage": {
                    "input_tokens": 30,
                    "cache_creation_input_tokens": 10,
                    "cache_read_input_tokens": 200,
                    "output_tokens": 9,
                    "server_tool_use": {"web_search_requests": 1},
                },
            },
        ],
        Usage(
            tokens_in=240,
            tokens_out=9,
            cached_tokens_in=200,
            cache_write_tokens=10,
            cache_write_1h_tokens=6,
            other_units={"web_searches": 1},
        ),
        "claude-opus-4-1-20250805",
    ),
    (
        "gemini",
        "google-ai-studio",
        GEMINI,
        Usage(tokens_in=7, tokens_out=41, reasoning_tokens=8),
        "gemini-2.5-pro",
    ),
    ("cohere", "cohere", COHERE, Usage(tokens_in=18, tokens_out=55), None),
    ("workers-ai", "workers-ai", WORKERS, Usage(tokens_in=16, tokens_out=9), None),
    (
        "openrouter",
        "openrouter",
        [chunk(), chunk(None, usage={"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.95}), "[DONE]"],
        Usage(tokens_in=1, tokens_out=2, reported_cost=Decimal("0.95")),
        "m-1",
    ),
    ("chat at a custom one", "custom", CHAT, Usage(tokens_in=19, tokens_out=300), "m-1"),
    ("message at a custom one", "custom", MESSAGE, MESSAGE_USAGE, "claude-opus-4-1-20250805"),
    (
        "gemini at a custom one",
        "custom",
        GEMINI,
        Usage(tokens_in=7, tokens_out=41, reasoning_tokens=8),
        "gemini-2.5-pro",
    ),
    ("cohere at a custom one", "custom", COHERE, Usage(tokens_in=18, tokens_out=55), None),
]
BY_NAME = {case[0]: case for case in CASES}


@pytest.mark.parametrize("write", streams.WRITERS, ids=[writer.__name__ for writer in streams.WRITERS])
@pytest.mark.parametrize("name", list(BY_NAME))
def test_figures_of_a_stream(name: str, write: Callable[[list[Event]], bytes]) -> None:
    _, slug, events, usage, model = BY_NAME[name]
    reported = provider(slug).read_response("x", SSE, write(events))
    assert reported == Reported(usage=usage, model=model)


def test_a_stream_that_is_called_something_else_is_read_too() -> None:
    reported = provider("openai").read_response("x", "text/plain", streams.plain(CHAT))
    assert reported.usage == Usage(tokens_in=19, tokens_out=300)


def test_an_error_that_is_called_a_stream_says_nothing() -> None:
    assert provider("openai").read_response("x", SSE, b'{"error":{"message":"no"}}') == Reported()


@pytest.mark.parametrize("empty", [None, {}, {"prompt_tokens": None}, {"prompt_time": 0.1}])
def test_an_empty_place_for_figures_after_them_does_not_hide_them(empty: object) -> None:
    events = [*CHAT[:-1], chunk(usage=empty), chunk(usage=empty), "[DONE]"]
    reported = provider("openai").read_response("x", SSE, streams.plain(events))
    assert reported == Reported(usage=Usage(tokens_in=19, tokens_out=300), model="m-1")


# --- cut off


def test_a_cut_chat_says_its_model_only() -> None:
    body = streams.plain([chunk(usage=None)] * 300)
    assert provider("openai").read_response("x", SSE, body) == Reported(model="m-1")


def test_a_cut_message_says_what_went_in_but_not_the_placeholder_for_what_came_out() -> None:
    body = streams.plain([START, TEXT, TEXT])
    reported = provider("anthropic").read_response("x", SSE, body)
    assert reported.usage == Usage(
        tokens_in=135, cached_tokens_in=100, cache_write_tokens=10, cache_write_1h_tokens=6
    )
    assert reported.model == "claude-opus-4-1-20250805"


def test_a_cut_gemini_stream_says_what_was_used_so_far() -> None:
    body = streams.plain(GEMINI)
    cut = body[: body.rindex(b'"usageMetadata"')]
    assert provider("google-ai-studio").read_response("x", SSE, cut).usage == Usage(
        tokens_in=7, tokens_out=28, reasoning_tokens=8
    )


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_stream_cut_anywhere_says_nothing_that_the_whole_does_not(name: str) -> None:
    """Figures may be lower than in the end, never higher, and the model is the same or missing."""
    _, slug, events, usage, model = BY_NAME[name]
    body = streams.plain(events)
    for end in range(len(body)):
        reported = provider(slug).read_response("x", SSE, body[:end])
        assert reported.model in (model, None)
        if reported.usage is not None:
            assert (reported.usage.tokens_in or 0) <= (usage.tokens_in or 0)
            assert (reported.usage.tokens_out or 0) <= (usage.tokens_out or 0)


# --- the middle is missing: a head, a line break, a tail


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_stream_without_its_middle_keeps_its_figures(name: str) -> None:
    _, slug, events, usage, model = BY_NAME[name]
    filler: list[Event] = [events[1]] * 200
    body = streams.plain([events[0], *filler, *events[1:]])
    whole_end = len(streams.plain(events[1:]))
    head = body[: len(body) // 2]
    for extra in range(0, 400, 37):
        shortened = head + b"\n" + body[-(whole_end + extra) :]
        assert provider(slug).read_response("x", SSE, shortened) == Reported(usage=usage, model=model)


def test_the_end_of_a_response_that_is_longer_than_what_is_kept_has_its_figures() -> None:
    body = streams.plain(RESPONSES)
    tail = body[body.rindex(b'output_text","text"') :]  # within the last event
    reported = provider("openai").read_response("x", SSE, streams.plain(RESPONSES[:2]) + b"\n" + tail)
    assert reported.usage is not None
    assert (reported.usage.tokens_in, reported.usage.tokens_out) == (37, 11)
    assert reported.model == "gpt-4.1"


LONG = {
    "openai": {
        "id": "c",
        "object": "chat.completion",
        "model": "m-1",
        "choices": [{"message": {"content": TRAP * 500, "tool_calls": [{"usage": {"prompt_tokens": 999}}]}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 1}},
        "system_fingerprint": "fp",
    },
    "anthropic": {
        "model": "claude-haiku-4-5",
        "id": "msg",
        "type": "message",
        "content": [{"type": "text", "text": TRAP * 500}, {"type": "tool_use", "input": {"usage": {"a": 1}}}],
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 1, "output_tokens": 4},
    },
    "google-ai-studio": {
        "candidates": [
            {"content": {"parts": [{"text": TRAP * 500}, {"functionCall": {"args": {"usageMetadata": {}}}}]}}
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "cachedContentTokenCount": 1},
        "modelVersion": "gemini-2.5-pro",
    },
    "workers-ai": {
        "result": {
            "response": TRAP * 500,
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cached_tokens": 1},
        },
        "success": True,
        "errors": [],
    },
}


@pytest.mark.parametrize("slug", list(LONG))
@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_answer_without_its_middle_keeps_its_figures(slug: str, indent: int | None) -> None:
    body = json.dumps(LONG[slug], indent=indent).encode()
    for asked in (slug, "custom"):
        reported = provider(asked).read_response("x", "application/json", body[:700] + b"\n" + body[-700:])
        assert reported.usage == Usage(tokens_in=3, tokens_out=4, cached_tokens_in=1) or (
            slug == "anthropic" and reported.usage == Usage(tokens_in=4, tokens_out=4, cached_tokens_in=1)
        )
        assert reported.model == LONG[slug].get("model", LONG[slug].get("modelVersion"))


@pytest.mark.parametrize("slug", list(LONG))
def test_a_tools_arguments_are_not_taken_for_figures_when_the_end_is_missing(slug: str) -> None:
    document = LONG[slug] | {"content": [{"input": {"usage": {"prompt_tokens": 999, "input_tokens": 999}}}]}
    body = json.dumps(document).encode()
    marker = b'"usageMetadata"' if slug == "google-ai-studio" else b'"usage"'
    for end in range(len(body) - 1, len(body) - 500, -1):
        usage = provider(slug).read_response("x", "application/json", body[:end]).usage
        assert usage is None or (usage.tokens_in or 0) < 999
    assert marker in body


# --- other ways to stream


def test_geminis_streams_of_json_arrays() -> None:
    elements = [json.dumps(event, indent=2) for event in GEMINI]
    body = ("[" + "\n,\r\n".join(elements) + "\n]").encode()
    google = provider("google-ai-studio")
    whole = google.read_response("x", "application/json", body)
    assert whole == Reported(usage=Usage(tokens_in=7, tokens_out=41, reasoning_tokens=8), model="gemini-2.5-pro")
    cut = google.read_response("x", "application/json", body[: body.rindex(b'"usageMetadata"')])
    assert cut.usage == Usage(tokens_in=7, tokens_out=28, reasoning_tokens=8)
    middle_gone = google.read_response("x", "application/json", body[:300] + b"\n" + body[-300:])
    assert middle_gone == whole


def test_coheres_first_streams_of_json_lines() -> None:
    events = [
        {"is_finished": False, "event_type": "text-generation", "text": TRAP},
        {
            "is_finished": True,
            "event_type": "stream-end",
            "response": {
                "text": "Hello",
                "meta": {"billed_units": {"input_tokens": 10, "output_tokens": 26}, "tokens": {"input_tokens": 82}},
            },
            "finish_reason": "COMPLETE",
        },
    ]
    body = "".join(json.dumps(event) + "\n" for event in events).encode()
    reported = provider("cohere").read_response("v1/chat", "application/stream+json", body)
    assert reported.usage == Usage(tokens_in=10, tokens_out=26)


def test_sound_says_nothing() -> None:
    sound = bytes(range(256)) * 64
    for slug in PROVIDERS:
        assert PROVIDERS[slug].read_response("x", "audio/mpeg", sound) == Reported()


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"usage":' * 300_000,
        b"data: x\n" * 500_000 + b'data: {"usage":{',
        b'data: {"usage":null}\n\n' * 100_000,
        b'{"usage":{' * 400_000,
        b'{"a":"' + b'"usage":{},' * 300_000,
        b'[{"usageMetadata":{}},' * 200_000,
        b" " * 4_000_000,
        b"\r" * 4_000_000,
    ],
)
def test_megabytes_of_traps_are_given_up_soon(body: bytes) -> None:
    """Without the bounds in sse.py and fragments.py these take minutes, and the test's timeout ends them."""
    for slug in ("custom", "google-ai-studio", "cohere"):
        assert provider(slug).read_response("x", SSE, body).usage is None
