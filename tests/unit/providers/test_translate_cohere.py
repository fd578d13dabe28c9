"""Chat completions as Cohere's v2 chat and back: golden pairs, after both APIs' published types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.cohere import CohereChat

USER = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
CALL = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}


def call(body: dict[str, Any]) -> Call:
    encoded = json.dumps({"messages": [USER], **body}).encode()
    return CohereChat().request("command-a", encoded, reply_id="chatcmpl-1", created=7)


def sent(body: dict[str, Any]) -> dict[str, Any]:
    return json.loads(call(body).body)


def test_the_path() -> None:
    assert (call({}).path, call({}).is_stream, call({"stream": True}).is_stream) == ("v2/chat", False, True)
    assert sent({"stream": True}) == {"model": "command-a", "messages": [USER], "stream": True}


SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"temperature": 1.5, "top_p": 0.25}, {"temperature": 1.5, "p": 0.25}),
    ({"max_tokens": 5}, {"max_tokens": 5}),
    ({"max_completion_tokens": 6}, {"max_tokens": 6}),
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"seed": 4}, {"seed": 4}),
    ({"presence_penalty": 0.5, "frequency_penalty": 1}, {"presence_penalty": 0.5, "frequency_penalty": 1}),
    ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "high"}, {"thinking": {"type": "enabled"}}),
    ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
        {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
    ),
    ({"tools": [TOOL]}, {"tools": [TOOL]}),
    ({"tools": [TOOL], "tool_choice": "auto"}, {"tools": [TOOL]}),
    ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice": "REQUIRED"}),
    ({"tools": [TOOL], "tool_choice": "none"}, {"tools": [TOOL], "tool_choice": "NONE"}),
    (
        {"tools": [{"type": "function", "function": {"name": "now", "strict": True}}]},
        {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
                }
            ],
            "strict_tools": True,
        },
    ),
]


@pytest.mark.parametrize(("body", "expected"), SETTINGS, ids=[json.dumps(body)[:60] for body, _ in SETTINGS])
def test_settings(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(body) == {"model": "command-a", "messages": [USER], **expected}


TEXT = {"type": "text", "text": "x"}
MESSAGES: list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "instructions, also later",
        [{"role": "developer", "content": "A"}, USER, {"role": "system", "content": [TEXT]}],
        [{"role": "system", "content": "A"}, USER, {"role": "system", "content": "x"}],
    ),
    (
        "an image",
        [
            {
                "role": "user",
                "content": [TEXT, {"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}}],
            }
        ],
        [
            {
                "role": "user",
                "content": [TEXT, {"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}}],
            }
        ],
    ),
    (
        "calls with a plan, and their results",
        [
            USER,
            {"role": "assistant", "reasoning_content": "I plan", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
        ],
        [
            USER,
            {"role": "assistant", "tool_plan": "I plan", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
        ],
    ),
    (
        "thinking",
        [USER, {"role": "assistant", "reasoning_content": "hm", "content": "Yes", "refusal": "No"}],
        [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "text", "text": "Yes"},
                    {"type": "text", "text": "No"},
                ],
            },
        ],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [case[1:] for case in MESSAGES], ids=[c[0] for c in MESSAGES])
def test_messages(messages: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert sent({"messages": messages})["messages"] == expected


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


NAMED = {"type": "function", "function": {"name": "weather"}}
STRICT = {"type": "function", "function": {"name": "now", "strict": True}}
REFUSED: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"n": 2}, ("n",)),
    ({"user": "u"}, ("user",)),
    ({"top_p": 1}, ("top_p",)),
    ({"presence_penalty": -0.5}, ("presence_penalty",)),
    ({"frequency_penalty": 1.5}, ("frequency_penalty",)),
    ({"service_tier": "flex"}, ("service_tier",)),
    ({"reasoning_effort": "low"}, ("reasoning_effort",)),
    ({"tools": [TOOL], "parallel_tool_calls": False}, ("parallel_tool_calls",)),
    ({"tools": [TOOL], "tool_choice": NAMED}, ("tool_choice",)),
    ({"tools": [TOOL, STRICT]}, ("tools",)),
    ({"tools": [TOOL | {"cache_control": {}}]}, ("tools", 0, "cache_control")),
    ({"tool_choice": "required"}, ("tool_choice",)),
    ({"response_format": {"type": "grammar"}}, ("response_format", "type")),
    (user({"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}), ("messages", 0, "content", 0)),
    (user({"type": "file", "file": {"file_data": "data:text/plain;base64,AA"}}), ("messages", 0, "content", 0)),
    (
        user({"type": "image_url", "image_url": {"url": "x", "detail": "max"}}),
        ("messages", 0, "content", 0, "image_url", "detail"),
    ),
    (user({"type": "text", "text": "x", "cache_control": {}}), ("messages", 0, "content", 0, "cache_control")),
    ({"messages": [USER, {"role": "assistant"}]}, ("messages", 1)),
    (
        {"messages": [USER, {"role": "assistant", "content": "x", "thinking_blocks": [{}]}]},
        ("messages", 1, "thinking_blocks"),
    ),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [CALL | {"extra_content": {}}]}]},
        ("messages", 1, "tool_calls", 0, "extra_content"),
    ),
]


@pytest.mark.parametrize(("body", "path"), REFUSED, ids=[json.dumps(body)[:60] for body, _ in REFUSED])
def test_what_has_no_counterpart_is_refused(body: dict[str, Any], path: tuple[str | int, ...]) -> None:
    with pytest.raises(BadInput) as refused:
        call(body)
    assert refused.value.path == path
    assert refused.value.message


# --- answers

USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 3},
    "tokens": {"input_tokens": 71, "output_tokens": 3},
}


def answer(message: dict[str, Any], reason: str = "COMPLETE") -> dict[str, Any]:
    body = {"id": "c1", "finish_reason": reason, "message": {"role": "assistant", **message}, "usage": USAGE}
    return json.loads(call({}).answer(json.dumps(body).encode()))


def test_an_answer() -> None:
    made = answer({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hello"}]})
    assert (made["id"], made["model"], made["created"]) == ("c1", "command-a", 7)
    assert made["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hello",
        "refusal": None,
        "reasoning_content": "hm",
    }
    assert made["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def test_calls_with_a_plan() -> None:
    made = answer({"tool_plan": "I plan", "tool_calls": [CALL]}, "TOOL_CALL")["choices"][0]
    assert made["finish_reason"] == "tool_calls"
    assert made["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning_content": "I plan",
        "tool_calls": [CALL],
    }
    assert sent({"messages": [USER, made["message"]]})["messages"][1] == {
        "role": "assistant",
        "tool_plan": "I plan",
        "tool_calls": [CALL],
    }


def test_what_is_cited_is_passed_on() -> None:
    cited = [{"start": 0, "end": 5, "text": "Hello", "sources": [{"type": "tool", "id": "t1:0"}]}]
    message = answer({"content": [{"type": "text", "text": "Hello"}], "citations": cited})["choices"][0]["message"]
    assert message["citations"] == cited


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("TIMEOUT", "timeout"),
        ("ERROR", "error"),
    ],
)
def test_reasons(theirs: str, ours: str) -> None:
    assert answer({"content": []}, theirs)["choices"][0]["finish_reason"] == ours


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"id":"x","message":{}}', b"\xff"])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ProtocolBroken, match="Cohere"):
        call({}).answer(body)


def test_what_no_completion_can_hold_is_no_answer() -> None:
    with pytest.raises(ProtocolBroken, match="image"):
        answer({"content": [{"type": "image"}]})


def test_errors() -> None:
    made = json.loads(call({}).error(b'{"id":"x","message":"invalid api token"}'))
    assert made["error"]["message"] == "invalid api token"
