"""Who said what, in every format that is logged: whole answers and streams, and what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gaugeway.core.model import Bodies, Outcome
from gaugeway.core.samples import Conversation, Message, ToolCall
from gaugeway.evaluation.conversations import read_conversation
from support import laboratory as lab

JSON, SSE = "application/json", "text/event-stream; charset=utf-8"


def read(
    request: Any, response: Any, kind: str = JSON, *, outcome: Outcome = Outcome.SUCCESS, **cut: bool
) -> Conversation:
    record = structs.replace(lab.log(), response_content_type=kind, outcome=outcome)
    return read_conversation(record, Bodies(request=raw(request), response=raw(response), **cut))


def raw(body: Any) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def stream(*events: Any, names: bool = False, end: str = "\n\n") -> bytes:
    lines = [(f"event: {event['type']}\n" if names else "") + f"data: {json.dumps(event)}{end}" for event in events]
    return "".join(lines).encode()


HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
SAID = (Message("user", "Hello"),)


def test_openai_chat():
    request = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Look: "}, {"type": "image_url", "image_url": {}}],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "done"},
        ]
    }
    response = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}, {"message": {"content": "x"}}]
    }
    assert read(request, response) == Conversation(
        (
            Message("system", "Be brief."),
            Message("user", "Look: "),
            Message("assistant", "", (ToolCall("f", '{"a":1}'),)),
            Message("tool", "done"),
        ),
        Message("assistant", "Hi"),
    )


def test_openai_chat_stream():
    def chunk(**delta: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": delta}]}

    body = stream(
        chunk(role="assistant", content=""),
        chunk(content="Hel"),
        {"choices": [{"index": 1, "delta": {"content": "another"}}]},
        chunk(content="lo"),
        chunk(tool_calls=[{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
        chunk(tool_calls=[{"index": 1, "id": "2", "function": {"name": "g", "arguments": "{}"}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}]),
        {"choices": [], "usage": {"prompt_tokens": 1}},
    )
    answer = Message("assistant", "Hello", (ToolCall("f", '{"a":1}'), ToolCall("g", "{}")))
    assert read(HELLO, body + b"data: [DONE]\n\n", SSE) == Conversation(SAID, answer)
    assert read(HELLO, body.replace(b"\n", b"\r\n"), SSE).answer == answer
    assert read(HELLO, body.replace(b"\n", b"\r"), SSE).answer == answer


def test_openai_s_refusals_and_older_spellings():
    refused = {"choices": [{"message": {"content": None, "refusal": "I can't."}}]}
    assert read(HELLO, refused).answer == Message("assistant", "", (), "I can't.")
    old = {"choices": [{"message": {"content": None, "function_call": {"name": "f", "arguments": "{}"}}}]}
    assert read(HELLO, old).answer == Message("assistant", "", (ToolCall("f", "{}"),))
    completion = read({"prompt": "Once"}, {"choices": [{"text": " upon a time", "index": 0}]})
    assert completion == Conversation((Message("user", "Once"),), Message("assistant", " upon a time"))


OUTPUT = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
    {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
]
RESPONSES_ANSWER = Message("assistant", "Hi", (ToolCall("f", "{}"),))


def test_openai_responses():
    request = {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"type": "function_call", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "output": "done"},
        ],
    }
    assert read(request, {"object": "response", "output": OUTPUT}) == Conversation(
        (
            Message("system", "Be brief."),
            Message("user", "Hello"),
            Message("assistant", "", (ToolCall("f", "{}"),)),
            Message("tool", "done"),
        ),
        RESPONSES_ANSWER,
    )
    assert read({"input": "Hello"}, {"output": OUTPUT}).messages == SAID


def test_openai_responses_stream():
    begun = {"type": "response.created", "response": {"output": []}}
    deltas = [
        {"type": "response.output_text.delta", "delta": "H"},
        {"type": "response.output_text.delta", "delta": "i"},
        {"type": "response.output_item.done", "item": OUTPUT[2]},
    ]
    whole = {"type": "response.completed", "response": {"output": OUTPUT}}
    assert read({"input": "Hello"}, stream(begun, *deltas, whole, names=True), SSE).answer == RESPONSES_ANSWER
    assert read({"input": "Hello"}, stream(begun, *deltas, names=True), SSE).answer == RESPONSES_ANSWER


def test_anthropic():
    request = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "done"}]},
        ],
    }
    response = {
        "type": "message",
        "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "name": "g", "input": {"b": 2}},
        ],
    }
    assert read(request, response) == Conversation(
        (
            Message("system", "Be brief."),
            Message("user", "Hello"),
            Message("assistant", "", (ToolCall("f", '{"a":1}'),)),
            Message("tool", "done"),
        ),
        Message("assistant", "Hi", (ToolCall("g", '{"b":2}'),)),
    )
    refused = {"type": "message", "content": [], "stop_reason": "refusal"}
    assert read(request, refused).answer == Message("assistant", "", (), "stop_reason: refusal")


def test_anthropic_stream():
    body = stream(
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "H"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "i"}},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ":1}"}},
        {
            "type": "content_block_start",
            "index": 3,
            "content_block": {"type": "tool_use", "name": "g", "input": {}},
        },
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
        names=True,
    )
    answer = Message("assistant", "Hi", (ToolCall("f", '{"a":1}'), ToolCall("g", "{}")))
    assert read(HELLO, body, SSE) == Conversation(SAID, answer)


def test_gemini():
    request = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hel"}, {"text": "lo"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        ],
    }
    parts = [{"text": "hm", "thought": True}, {"text": "Hi"}, {"functionCall": {"name": "g", "args": {}}}]
    response = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    assert read(request, response) == Conversation(
        (
            Message("system", "Be brief."),
            Message("user", "Hello"),
            Message("assistant", "", (ToolCall("f", '{"a":1}'),)),
        ),
        Message("assistant", "Hi", (ToolCall("g", "{}"),)),
    )
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    assert read(request, blocked).answer == Message("assistant", "", (), "blocked: SAFETY")


def test_gemini_streams():
    pieces = [{"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in ("H", "i")]
    pieces.append({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {}})
    for body, kind in ((stream(*pieces), SSE), (pieces, JSON)):
        assert read({"contents": []}, body, kind).answer == Message("assistant", "Hi")


def test_workers_ai():
    assert read(HELLO, {"result": {"response": "Hi"}, "success": True}).answer == Message("assistant", "Hi")
    assert read(HELLO, stream({"response": "H"}, {"response": "i"}), SSE).answer == Message("assistant", "Hi")


@pytest.mark.parametrize(
    ("conversation", "problem"),
    [
        (read_conversation(lab.log(), None), "the log kept no bodies"),
        (read(HELLO, {"error": "x"}, outcome=Outcome.UPSTREAM_ERROR), "ended with upstream_error"),
        (read(HELLO, stream({"choices": []}), SSE, outcome=Outcome.STREAM_CUT), "ended with stream_cut"),
        (read(HELLO, None), "the log kept no answer"),
        (read(HELLO, {"choices": []}, response_cut=True), "only the beginning"),
        (read(HELLO, b"<html>"), "no JSON"),
        (read(HELLO, {"data": [1]}), "a format that is not read"),
        (read(HELLO, {"choices": []}), "a format that is not read"),
        (read(HELLO, b"", SSE), "a format that is not read"),
        (read(HELLO, b"[" * 100_000), "nested too deeply"),
    ],
)
def test_what_cannot_be_judged_says_why(conversation: Conversation, problem: str):
    assert conversation.answer is None
    assert problem in conversation.problem


def test_a_request_that_was_cut_or_is_nonsense_costs_only_the_messages():
    answer = {"choices": [{"message": {"content": "Hi"}}]}
    for conversation in (read(b'{"mess', answer), read(HELLO, answer, request_cut=True), read(b"\xff", answer)):
        assert conversation == Conversation((), Message("assistant", "Hi"))


WORDS = (
    "choices message delta content text type output candidates parts tool_calls role messages input contents system"
    " function index item response result arguments"
)
keys = st.sampled_from(WORDS.split())
values = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["message", "text", "tool_use", "message_start"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(request=values, response=values, events=st.lists(values, max_size=5))
def test_nothing_that_a_stranger_wrote_raises(request, response, events):
    for conversation in (read(request, response), read(request, stream(*events), SSE)):
        assert (conversation.answer is None) == bool(conversation.problem)
        for message in (*conversation.messages, *((conversation.answer,) if conversation.answer else ())):
            assert isinstance(message.text, str)
            assert all(
                isinstance(call.name, str) and isinstance(call.arguments, str) for call in message.tool_calls
            )
