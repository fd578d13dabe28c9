"""Chat completions as Anthropic's messages and back: golden pairs, after both APIs' published types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.providers.translation.anthropic import DEFAULT_MAX_TOKENS, AnthropicMessages
from gaugeway.providers.translation.call import Call

USER = {"role": "user", "content": "Hi"}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {}}},
}
ITS_TOOL = {"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}
CALL = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
ITS_CALL = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bern"}}
PIXEL = "iVBORw0KGgo="


def call(body: dict[str, Any]) -> Call:
    encoded = json.dumps({"messages": [USER], **body}).encode()
    return AnthropicMessages().request("claude-x", encoded, reply_id="chatcmpl-1", created=7)


def sent(body: dict[str, Any]) -> dict[str, Any]:
    return json.loads(call(body).body)


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def turn(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def test_the_least() -> None:
    assert sent({}) == {
        "model": "claude-x",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [turn("user", text("Hi"))],
    }
    assert (call({}).path, call({}).query, call({}).is_stream) == ("v1/messages", b"", False)


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_tokens": 5}, {"max_tokens": 5}),
    ({"max_completion_tokens": 6}, {"max_tokens": 6}),
    ({"max_tokens": 6, "max_completion_tokens": 6}, {"max_tokens": 6}),
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"temperature": 0}, {"temperature": 0}),
    ({"top_p": 0.9}, {"top_p": 0.9}),
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"stream": True}, {"stream": True}),
    ({"stream": False}, {}),
    ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    ({"safety_identifier": "s1"}, {"metadata": {"user_id": "s1"}}),
    ({"service_tier": "auto"}, {"service_tier": "auto"}),
    ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    (
        {"reasoning_effort": "high"},
        {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
    ),
    ({"response_format": {"type": "text"}}, {}),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "description": "d", "strict": True, "schema": {"type": "object"}},
            }
        },
        {"output_config": {"format": {"type": "json_schema", "schema": {"description": "d", "type": "object"}}}},
    ),
    ({"tools": [TOOL]}, {"tools": [ITS_TOOL]}),
    ({"tools": []}, {}),
    (
        {"tools": [{"type": "function", "function": {"name": "now", "strict": True}}]},
        {"tools": [{"name": "now", "input_schema": {"type": "object", "properties": {}}, "strict": True}]},
    ),
    ({"tools": [TOOL], "tool_choice": "auto"}, {"tools": [ITS_TOOL], "tool_choice": {"type": "auto"}}),
    ({"tools": [TOOL], "tool_choice": "none"}, {"tools": [ITS_TOOL], "tool_choice": {"type": "none"}}),
    ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [ITS_TOOL], "tool_choice": {"type": "any"}}),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
        {"tools": [ITS_TOOL], "tool_choice": {"type": "tool", "name": "weather"}},
    ),
    (
        {"tools": [TOOL], "parallel_tool_calls": False},
        {"tools": [ITS_TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    (
        {"tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "required"},
        {"tools": [ITS_TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    ),
    ({"tools": [TOOL], "parallel_tool_calls": True}, {"tools": [ITS_TOOL]}),
    (
        {"tools": [TOOL | {"cache_control": {"type": "ephemeral"}}]},
        {"tools": [ITS_TOOL | {"cache_control": {"type": "ephemeral"}}]},
    ),
    # what asks for nothing
    ({"n": 1, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": False}, {}),
    ({"seed": None, "store": False, "modalities": ["text"], "metadata": {}, "verbosity": "medium"}, {}),
]


@pytest.mark.parametrize(("body", "expected"), PARAMETERS, ids=[json.dumps(body)[:60] for body, _ in PARAMETERS])
def test_parameters(body: dict[str, Any], expected: dict[str, Any]) -> None:
    base = {"model": "claude-x", "max_tokens": DEFAULT_MAX_TOKENS, "messages": [turn("user", text("Hi"))]}
    assert sent(body) == base | expected


MESSAGES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "instructions first",
        [{"role": "system", "content": "A"}, {"role": "developer", "content": [text("B")]}, USER],
        {"system": [text("A"), text("B")], "messages": [turn("user", text("Hi"))]},
    ),
    (
        "instructions later",
        [USER, {"role": "assistant", "content": "Yes"}, {"role": "system", "content": "Be brief"}, USER],
        {
            "messages": [
                turn("user", text("Hi")),
                turn("assistant", text("Yes")),
                turn("system", text("Be brief")),
                turn("user", text("Hi")),
            ]
        },
    ),
    (
        "an image by its URL",
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]}],
        {
            "messages": [
                turn("user", {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}})
            ]
        },
    ),
    (
        "an image itself",
        [
            {
                "role": "user",
                "content": [
                    text("What?"),
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
                    },
                ],
            }
        ],
        {
            "messages": [
                turn(
                    "user",
                    text("What?"),
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                )
            ]
        },
    ),
    (
        "a document",
        [
            {
                "role": "user",
                "content": [
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
                    }
                ],
            }
        ],
        {
            "messages": [
                turn(
                    "user",
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                        "title": "a.pdf",
                    },
                )
            ]
        },
    ),
    (
        "a mark of the prompt cache",
        [{"role": "user", "content": [text("Hi", cache_control={"type": "ephemeral"})]}],
        {"messages": [turn("user", text("Hi", cache_control={"type": "ephemeral"}))]},
    ),
    (
        "calls and results",
        [
            USER,
            {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "annotations": [],
                "audio": None,
                "function_call": None,
                "tool_calls": [CALL, CALL | {"id": "t2", "function": {"name": "now", "arguments": ""}}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
            {"role": "tool", "tool_call_id": "t2", "content": [text("noon")]},
            {"role": "user", "content": "So?"},
        ],
        {
            "messages": [
                turn("user", text("Hi")),
                turn("assistant", ITS_CALL, {"type": "tool_use", "id": "t2", "name": "now", "input": {}}),
                turn(
                    "user",
                    {"type": "tool_result", "tool_use_id": "t1", "content": "rain"},
                    {"type": "tool_result", "tool_use_id": "t2", "content": [text("noon")]},
                    text("So?"),
                ),
            ]
        },
    ),
    (
        "thinking given back",
        [
            USER,
            {
                "role": "assistant",
                "content": "Yes",
                "reasoning_content": "hm",
                "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}],
                "tool_calls": [CALL],
            },
        ],
        {
            "messages": [
                turn("user", text("Hi")),
                turn("assistant", {"type": "thinking", "thinking": "hm", "signature": "s"}, text("Yes"), ITS_CALL),
            ]
        },
    ),
    (
        "a refusal given back",
        [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}], "refusal": "Never"}],
        {"messages": [turn("user", text("Hi")), turn("assistant", text("No"), text("Never"))]},
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_messages(messages: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert sent({"messages": messages}) == {"model": "claude-x", "max_tokens": DEFAULT_MAX_TOKENS} | expected


def test_arguments_and_schemas_pass_byte_for_byte() -> None:
    arguments = '{ "n": 1.0, "big": 123456789012345678901234567890, "e": "\\u00e9" }'
    message = {"role": "assistant", "tool_calls": [CALL | {"function": {"name": "f", "arguments": arguments}}]}
    assert arguments.encode() in call({"messages": [USER, message]}).body


def parts(*content: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def answered(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER, {"role": "assistant", **fields}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "n"),
    ({"seed": 1}, "seed"),
    ({"frequency_penalty": 0.1}, "frequency_penalty"),
    ({"presence_penalty": -1}, "presence_penalty"),
    ({"logit_bias": {"5": 1}}, "logit_bias"),
    ({"logprobs": True}, "logprobs"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"temperature": 1.5}, "temperature"),
    ({"functions": []}, "functions"),
    ({"function_call": "auto"}, "function_call"),
    ({"modalities": ["audio"]}, "modalities"),
    ({"audio": {"voice": "x"}}, "audio"),
    ({"store": True}, "store"),
    ({"metadata": {"a": "b"}}, "metadata"),
    ({"prediction": {"type": "content"}}, "prediction"),
    ({"prompt_cache_key": "k"}, "prompt_cache_key"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"verbosity": "low"}, "verbosity"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"reasoning_effort": "minimal"}, "reasoning_effort"),
    ({"response_format": {"type": "json_object"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
    ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools.0"),
    ({"tools": [{"type": "function", "function": {"name": "x", "parameters": []}}]}, "tools.0.function.parameters"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"parallel_tool_calls": False}, "parallel_tool_calls"),
    ({"tools": [TOOL], "tool_choice": "sometimes"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
    ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].role"),
    ({"messages": [USER | {"name": "Bob"}]}, "messages.0.name"),
    ({"messages": [USER | {"colour": 1}]}, "messages[0].colour"),
    ({"messages": [{"role": "user"}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"temperature": "warm"}, "temperature"),
    ({"top_k": 5}, "top_k"),
    (parts({"type": "video_url"}), "messages[0].content[0].type"),
    (parts({"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}), "messages.0.content.0"),
    (
        parts({"type": "image_url", "image_url": {"url": "https://x", "detail": "high"}}),
        "messages.0.content.0.image_url.detail",
    ),
    (parts({"type": "image_url", "image_url": {"url": "file:///x"}}), "messages.0.content.0.image_url.url"),
    (
        parts({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}}),
        "messages.0.content.0.image_url.url",
    ),
    (parts({"type": "file", "file": {"file_id": "file-1"}}), "messages.0.content.0.file.file_id"),
    (
        parts({"type": "file", "file": {"file_data": "data:text/plain;base64,AAAA"}}),
        "messages.0.content.0.file.file_data",
    ),
    (
        {"messages": [{"role": "system", "content": [{"type": "refusal", "refusal": "x"}]}, USER]},
        "messages.0.content.0",
    ),
    (answered(content=None), "messages.1"),
    (answered(content="x", reasoning_content="hm"), "messages.1.reasoning_content"),
    (answered(content="x", thinking_blocks=[{"type": "text"}]), "messages.1.thinking_blocks.0"),
    (answered(content="x", thinking_blocks=[7]), "messages.1.thinking_blocks.0"),
    (answered(content="x", audio={"id": "a"}), "messages.1.audio"),
    (answered(content="x", annotations=[{}]), "messages.1.annotations"),
    (
        answered(tool_calls=[CALL | {"function": {"name": "f", "arguments": "{"}}]),
        "messages.1.tool_calls.0.function.arguments",
    ),
    (
        answered(tool_calls=[CALL | {"function": {"name": "f", "arguments": "[]"}}]),
        "messages.1.tool_calls.0.function.arguments",
    ),
    (answered(tool_calls=[{"id": "c", "type": "custom", "custom": {}}]), "messages.1.tool_calls.0"),
    (answered(tool_calls=[CALL | {"extra_content": {}}]), "messages.1.tool_calls.0.extra_content"),
]


@pytest.mark.parametrize(("body", "path"), REFUSED, ids=[json.dumps(body)[:60] for body, _ in REFUSED])
def test_what_has_no_counterpart_is_refused_by_name(body: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput) as refused:
        call(body)
    assert ".".join(map(str, refused.value.path)) == path
    assert refused.value.message


# --- answers


def message(*content: dict[str, Any], stop_reason: str = "end_turn", **more: Any) -> bytes:
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x-1",
            "content": list(content),
            "stop_reason": stop_reason,
            "usage": {"input_tokens": 5, "output_tokens": 9},
            **more,
        }
    ).encode()


def answer(body: bytes) -> dict[str, Any]:
    return json.loads(call({}).answer(body))


def test_an_answer() -> None:
    assert answer(message(text("Hel"), text("lo"))) == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 7,
        "model": "claude-x-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14},
    }


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "something_new"),
    ],
)
def test_reasons_to_finish(said: str, reason: str) -> None:
    assert answer(message(text("x"), stop_reason=said))["choices"][0]["finish_reason"] == reason


def test_calls_in_an_answer() -> None:
    body = message(
        {"type": "tool_use", "id": "t1", "name": "a", "input": {"n": 1}},
        {"type": "tool_use", "id": "t2", "name": "b", "input": {}},
        stop_reason="tool_use",
    )
    assert answer(body)["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "a", "arguments": '{"n": 1}'}},
            {"id": "t2", "type": "function", "function": {"name": "b", "arguments": "{}"}},
        ],
    }


def test_thinking_in_an_answer_can_be_given_back() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    hidden = {"type": "redacted_thinking", "data": "x"}
    said = answer(message(thought, hidden, text("Yes")))["choices"][0]["message"]
    assert (said["reasoning_content"], said["thinking_blocks"], said["content"]) == ("hm", [thought, hidden], "Yes")
    assert sent({"messages": [USER, said]})["messages"][1] == turn("assistant", thought, hidden, text("Yes"))


def test_a_refusal_in_an_answer() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Not that."}
    said = answer(message(stop_reason="refusal", stop_details=details))["choices"][0]
    assert (said["message"]["refusal"], said["finish_reason"]) == ("Not that.", "content_filter")


def test_figures_with_cache_and_reasoning() -> None:
    usage = {
        "input_tokens": 20,
        "cache_read_input_tokens": 6,
        "cache_creation_input_tokens": 4,
        "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 3},
    }
    assert answer(message(text("x"), usage=usage))["usage"] == {
        "prompt_tokens": 30,
        "completion_tokens": 10,
        "total_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 9000,
        message(text("x")).replace(b'"message"', b'"error"'),
        message({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
    ],
)
def test_what_is_no_message_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(ProtocolBroken, match="Anthropic's"):
        call({}).answer(body)


@pytest.mark.parametrize(
    ("body", "text_of_it", "kind"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}', "Busy", "overloaded_error"),
        (b"<html>502</html>", "<html>502</html>", "upstream_error"),
        (b"", "the provider gave no reason", "upstream_error"),
        (b'{"error":7}', '{"error":7}', "upstream_error"),
        (b"\xff\xfe", "\ufffd\ufffd", "upstream_error"),
        (b"[" * 9000, "[" * 2000, "upstream_error"),
    ],
)
def test_errors(body: bytes, text_of_it: str, kind: str) -> None:
    expected = {"error": {"message": text_of_it, "type": kind, "param": None, "code": kind}}
    assert json.loads(call({}).error(body)) == expected
