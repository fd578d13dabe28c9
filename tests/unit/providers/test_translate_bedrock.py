"""Chat completions as Bedrock's Converse and back: golden pairs, held to the shapes in AWS's own service model."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.providers.translation.bedrock import BedrockConverse
from gaugeway.providers.translation.call import Call

USER = {"role": "user", "content": "Hi"}
CLAUDE, NOVA, LLAMA = "us.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-pro-v1:0", "meta.llama3-70b"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
SPEC = {"toolSpec": {"name": "weather", "description": "d", "inputSchema": {"json": SCHEMA}}}
CALL = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
ITS_CALL = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Bern"}}}
ITS_USER = {"role": "user", "content": [{"text": "Hi"}]}
OPERATION = botocore.session.Session().get_service_model("bedrock-runtime").operation_model("Converse")


def call(body: dict[str, Any], model: str = CLAUDE) -> Call:
    encoded = json.dumps({"messages": [USER], **body}).encode()
    return BedrockConverse().request(model, encoded, reply_id="chatcmpl-1", created=7)


def with_bytes(value: Any) -> Any:
    """As AWS's client takes it: what is base64 on the wire is bytes there."""
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: item.encode() if name in ("bytes", "redactedContent") else with_bytes(item)
        for name, item in value.items()
    }


def sent(body: dict[str, Any], model: str = CLAUDE) -> dict[str, Any]:
    """What is sent, which AWS's own client would send too."""
    built = json.loads(call(body, model).body)
    report = ParamValidator().validate(with_bytes({"modelId": model, **built}), OPERATION.input_shape)
    assert not report.has_errors(), report.generate_report()
    return built


def turn(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        (NOVA, False, "bedrock-runtime/-/model/amazon.nova-pro-v1%3A0/converse"),
        (NOVA, True, "bedrock-runtime/-/model/amazon.nova-pro-v1%3A0/converse-stream"),
        (
            "eu-west-1/eu.anthropic.claude-x",
            False,
            "bedrock-runtime/eu-west-1/model/eu.anthropic.claude-x/converse",
        ),
        (
            "arn:aws:bedrock:us-east-1:1:x/y",
            False,
            "bedrock-runtime/-/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy/converse",
        ),
        ("a/../b?c", False, "bedrock-runtime/-/model/a%2F..%2Fb%3Fc/converse"),
    ],
)
def test_region_and_model_are_in_the_path(model: str, stream: bool, path: str) -> None:
    made = call({"stream": stream}, model)
    assert (made.path, made.query, made.is_stream) == (path, b"", stream)
    assert json.loads(made.body) == {"messages": [ITS_USER]}


ADAPTIVE = {"thinking": {"type": "adaptive", "display": "summarized"}}
JSON_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "n", "schema": {"type": "object"}, "description": "D"},
}
ITS_SCHEMA = '{"description":"D","type":"object"}'
SETTINGS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"temperature": 0.5, "top_p": 0.25}, CLAUDE, {"inferenceConfig": {"temperature": 0.5, "topP": 0.25}}),
    ({"max_tokens": 5}, CLAUDE, {"inferenceConfig": {"maxTokens": 5}}),
    ({"max_completion_tokens": 6}, CLAUDE, {"inferenceConfig": {"maxTokens": 6}}),
    ({"stop": ["A", "B"]}, CLAUDE, {"inferenceConfig": {"stopSequences": ["A", "B"]}}),
    ({"service_tier": "flex"}, NOVA, {"serviceTier": {"type": "flex"}}),
    ({"service_tier": "auto", "n": 1, "seed": None}, NOVA, {}),
    ({"response_format": {"type": "text"}}, CLAUDE, {}),
    ({"reasoning_effort": "none"}, CLAUDE, {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
    (
        {"reasoning_effort": "high"},
        CLAUDE,
        {"additionalModelRequestFields": ADAPTIVE, "outputConfig": {"effort": "high"}},
    ),
    (
        {"reasoning_effort": "low"},
        NOVA,
        {"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}},
    ),
    (
        {"reasoning_effort": "none"},
        NOVA,
        {"additionalModelRequestFields": {"reasoningConfig": {"type": "disabled"}}},
    ),
    ({"reasoning_effort": "low"}, LLAMA, {"outputConfig": {"effort": "low"}}),
    ({"tools": [TOOL]}, CLAUDE, {"toolConfig": {"tools": [SPEC]}}),
    (
        {"tools": [TOOL], "tool_choice": "required"},
        CLAUDE,
        {"toolConfig": {"tools": [SPEC], "toolChoice": {"any": {}}}},
    ),
    (
        {"tools": [TOOL], "tool_choice": "auto"},
        CLAUDE,
        {"toolConfig": {"tools": [SPEC], "toolChoice": {"auto": {}}}},
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
        CLAUDE,
        {"toolConfig": {"tools": [SPEC], "toolChoice": {"tool": {"name": "weather"}}}},
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "now", "strict": True}}]},
        CLAUDE,
        {
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "now",
                            "strict": True,
                            "inputSchema": {"json": {"type": "object", "properties": {}}},
                        }
                    }
                ]
            }
        },
    ),
    (
        {"tools": [TOOL | {"cache_control": {"type": "ephemeral"}}]},
        CLAUDE,
        {"toolConfig": {"tools": [SPEC, {"cachePoint": {"type": "default"}}]}},
    ),
    ({"tool_choice": "none"}, CLAUDE, {}),
    (
        {"response_format": JSON_FORMAT},
        CLAUDE,
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {"jsonSchema": {"schema": ITS_SCHEMA, "name": "n"}},
                }
            }
        },
    ),
]


@pytest.mark.parametrize(
    ("body", "model", "expected"), SETTINGS, ids=[json.dumps(body)[:60] for body, _, _ in SETTINGS]
)
def test_settings(body: dict[str, Any], model: str, expected: dict[str, Any]) -> None:
    assert sent(body, model) == {"messages": [ITS_USER], **expected}


THINKING = {"type": "thinking", "thinking": "hm", "signature": "sig"}
MESSAGES: list[tuple[str, str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "instructions",
        CLAUDE,
        [
            {"role": "system", "content": "A"},
            {"role": "developer", "content": [{"type": "text", "text": "B"}]},
            USER,
        ],
        {"system": [{"text": "A"}, {"text": "B"}], "messages": [ITS_USER]},
    ),
    (
        "instructions later",
        CLAUDE,
        [USER, {"role": "system", "content": "A"}],
        {"messages": [ITS_USER, turn("system", {"text": "A"})]},
    ),
    (
        "turns that belong together",
        CLAUDE,
        [USER, USER, {"role": "assistant", "content": "Yes"}, USER],
        {"messages": [turn("user", {"text": "Hi"}, {"text": "Hi"}), turn("assistant", {"text": "Yes"}), ITS_USER]},
    ),
    (
        "calls and their results",
        CLAUDE,
        [
            USER,
            {"role": "assistant", "content": "I look.", "tool_calls": [CALL, CALL | {"id": "t2"}]},
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
            {"role": "tool", "tool_call_id": "t2", "content": [{"type": "text", "text": "sun"}]},
        ],
        {
            "messages": [
                ITS_USER,
                turn(
                    "assistant",
                    {"text": "I look."},
                    ITS_CALL,
                    {"toolUse": ITS_CALL["toolUse"] | {"toolUseId": "t2"}},
                ),
                turn(
                    "user",
                    {"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}},
                    {"toolResult": {"toolUseId": "t2", "content": [{"text": "sun"}]}},
                ),
            ]
        },
    ),
    (
        "an image, a document and a recording",
        NOVA,
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "auto"}},
                    {
                        "type": "file",
                        "file": {"file_data": "data:application/pdf;base64,BBBB", "filename": "a b.pdf"},
                    },
                    {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
                ],
            }
        ],
        {
            "messages": [
                turn(
                    "user",
                    {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
                    {"document": {"format": "pdf", "name": "a-b-pdf", "source": {"bytes": "BBBB"}}},
                    {"audio": {"format": "wav", "source": {"bytes": "CCCC"}}},
                )
            ]
        },
    ),
    (
        "marks for the cache",
        CLAUDE,
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            }
        ],
        {"messages": [turn("user", {"text": "x"}, {"cachePoint": {"type": "default", "ttl": "1h"}})]},
    ),
    (
        "thinking as it was answered",
        CLAUDE,
        [
            USER,
            {
                "role": "assistant",
                "reasoning_content": "hm",
                "thinking_blocks": [THINKING, {"type": "redacted_thinking", "data": "AAAA"}],
                "tool_calls": [CALL],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
        ],
        {
            "messages": [
                ITS_USER,
                turn(
                    "assistant",
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                    {"reasoningContent": {"redactedContent": "AAAA"}},
                    ITS_CALL,
                ),
                turn("user", {"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}}),
            ]
        },
    ),
    (
        "thinking without a signature",
        NOVA,
        [USER, {"role": "assistant", "reasoning_content": "hm", "content": "Yes", "refusal": "No"}],
        {
            "messages": [
                ITS_USER,
                turn(
                    "assistant",
                    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                    {"text": "Yes"},
                    {"text": "No"},
                ),
            ]
        },
    ),
]


@pytest.mark.parametrize(
    ("model", "messages", "expected"), [case[1:] for case in MESSAGES], ids=[c[0] for c in MESSAGES]
)
def test_messages(model: str, messages: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert sent({"messages": messages}, model) == expected


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


REFUSED: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    ({"temperature": 1.5}, CLAUDE, ("temperature",)),
    ({"n": 2}, CLAUDE, ("n",)),
    ({"seed": 1}, CLAUDE, ("seed",)),
    ({"presence_penalty": 0.1}, CLAUDE, ("presence_penalty",)),
    ({"frequency_penalty": 0.1}, CLAUDE, ("frequency_penalty",)),
    ({"user": "u"}, CLAUDE, ("user",)),
    ({"service_tier": "scale"}, CLAUDE, ("service_tier",)),
    ({"parallel_tool_calls": False, "tools": [TOOL]}, CLAUDE, ("parallel_tool_calls",)),
    ({"tools": [TOOL], "tool_choice": "none"}, CLAUDE, ("tool_choice",)),
    ({"tools": [TOOL], "tool_choice": "some"}, CLAUDE, ("tool_choice",)),
    ({"tool_choice": "required"}, CLAUDE, ("tool_choice",)),
    ({"response_format": {"type": "json_object"}}, CLAUDE, ("response_format", "type")),
    ({"reasoning_effort": "minimal"}, CLAUDE, ("reasoning_effort",)),
    ({"reasoning_effort": "max"}, NOVA, ("reasoning_effort",)),
    ({"reasoning_effort": "none"}, LLAMA, ("reasoning_effort",)),
    (
        user({"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}),
        CLAUDE,
        ("messages", 0, "content", 0, "image_url", "url"),
    ),
    (
        user({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA"}}),
        CLAUDE,
        ("messages", 0, "content", 0, "image_url", "url"),
    ),
    (
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "high"}}),
        CLAUDE,
        ("messages", 0, "content", 0, "image_url", "detail"),
    ),
    (user({"type": "file", "file": {"file_id": "f"}}), CLAUDE, ("messages", 0, "content", 0, "file", "file_id")),
    (
        user({"type": "file", "file": {"file_data": "data:video/mp4;base64,AA"}}),
        CLAUDE,
        ("messages", 0, "content", 0, "file", "file_data"),
    ),
    (
        user({"type": "text", "text": "x", "cache_control": {"type": "other"}}),
        CLAUDE,
        ("messages", 0, "content", 0, "cache_control"),
    ),
    (
        user({"type": "text", "text": "x", "cache_control": 3}),
        CLAUDE,
        ("messages", 0, "content", 0, "cache_control"),
    ),
    ({"messages": [USER, {"role": "assistant"}]}, CLAUDE, ("messages", 1)),
    (
        {"messages": [USER, {"role": "assistant", "content": "x", "reasoning_content": "hm"}]},
        CLAUDE,
        ("messages", 1, "reasoning_content"),
    ),
    (
        {"messages": [USER, {"role": "assistant", "content": "x", "thinking_blocks": [{"type": "x"}]}]},
        CLAUDE,
        ("messages", 1, "thinking_blocks", 0),
    ),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [CALL | {"extra_content": {}}]}]},
        CLAUDE,
        ("messages", 1, "tool_calls", 0, "extra_content"),
    ),
    ({"messages": [{"role": "system", "content": "A"}]}, CLAUDE, ("messages",)),
    (
        {"messages": [{"role": "system", "content": [{"type": "refusal", "refusal": "A"}]}, USER]},
        CLAUDE,
        ("messages", 0, "content"),
    ),
]


@pytest.mark.parametrize(("body", "model", "path"), REFUSED, ids=[json.dumps(body)[:60] for body, _, _ in REFUSED])
def test_what_has_no_counterpart_is_refused(body: dict[str, Any], model: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(BadInput) as refused:
        call(body, model)
    assert refused.value.path == path
    assert refused.value.message


# --- answers


def answer(*blocks: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    body = {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": reason,
        "usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 10, "cacheReadInputTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    return json.loads(call({}).answer(json.dumps(body | more).encode()))


def test_an_answer() -> None:
    made = answer({"text": "Hel"}, {"text": "lo"})
    assert made == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": CLAUDE,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
    }


def test_calls_and_thinking() -> None:
    made = answer(
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        ITS_CALL,
        {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
        reason="tool_use",
    )["choices"][0]
    assert made["finish_reason"] == "tool_calls"
    assert made["message"]["content"] is None
    assert made["message"]["reasoning_content"] == "hm"
    assert made["message"]["thinking_blocks"] == [THINKING, {"type": "redacted_thinking", "data": "AAAA"}]
    assert [
        (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"]))
        for c in made["message"]["tool_calls"]
    ] == [
        ("t1", "weather", {"city": "Bern"}),
        ("t2", "now", {}),
    ]
    again = sent(
        {
            "messages": [
                USER,
                made["message"] | {"content": None},
                {"role": "tool", "tool_call_id": "t1", "content": "x"},
            ]
        }
    )
    assert again["messages"][1]["content"][0] == {
        "reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_tool_use", "malformed_tool_use"),
    ],
)
def test_reasons(theirs: str, ours: str) -> None:
    assert answer({"text": "x"}, reason=theirs)["choices"][0]["finish_reason"] == ours


@pytest.mark.parametrize(
    "block",
    [
        {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
        {"citationsContent": {"content": [{"text": "x"}], "citations": []}},
        {"toolUse": {"toolUseId": "t", "name": "s", "input": {}, "type": "server_tool_use"}},
        {"video": {}},
        {},
    ],
)
def test_what_no_completion_can_hold_is_no_answer(block: dict[str, Any]) -> None:
    with pytest.raises(ProtocolBroken, match="Bedrock"):
        answer({"text": "x"}, block)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"output":{}}', b'{"output":{"message":{"content":[]}}}', b"\xff"]
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ProtocolBroken, match="Bedrock"):
        call({}).answer(body)


def test_errors() -> None:
    made = json.loads(call({}).error(b'{"message":"The model is not ready"}'))
    assert made["error"]["message"] == "The model is not ready"
    assert json.loads(call({}).error(b"<html>"))["error"]["message"] == "<html>"
