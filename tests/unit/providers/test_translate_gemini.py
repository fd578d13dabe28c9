"""Chat completions as Gemini's generateContent and back: golden pairs, after both APIs' published types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.providers.translation.call import Call
from gaugeway.providers.translation.gemini import GeminiContents

USER = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
ITS_TOOLS = [{"functionDeclarations": [{"name": "weather", "description": "d", "parametersJsonSchema": SCHEMA}]}]
CALL = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
ITS_CALL = {"functionCall": {"id": "t1", "name": "weather", "args": {"city": "Bern"}}}


def call(body: dict[str, Any], model: str = "gemini-3-pro") -> Call:
    encoded = json.dumps({"messages": [USER], **body}).encode()
    return GeminiContents().request(model, encoded, reply_id="chatcmpl-1", created=7)


def sent(body: dict[str, Any], model: str = "gemini-3-pro") -> dict[str, Any]:
    return json.loads(call(body, model).body)


def turn(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3-pro", False, "v1beta/models/gemini-3-pro:generateContent"),
        ("gemini-3-pro", True, "v1beta/models/gemini-3-pro:streamGenerateContent"),
        ("models/gemini-3-pro", False, "v1beta/models/gemini-3-pro:generateContent"),
        ("tunedModels/mine", False, "v1beta/tunedModels/mine:generateContent"),
        ("a/../b?c:d", False, "v1beta/models/a%2F..%2Fb%3Fc%3Ad:generateContent"),
    ],
)
def test_the_model_is_in_the_path(model: str, stream: bool, path: str) -> None:
    made = call({"stream": stream}, model)
    assert (made.path, made.query, made.is_stream) == (path, b"alt=sse" if stream else b"", stream)
    assert json.loads(made.body) == {"contents": [turn("user", {"text": "Hi"})]}


SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"temperature": 1.5}, {"temperature": 1.5}),
    ({"top_p": 0.5}, {"topP": 0.5}),
    ({"max_tokens": 5}, {"maxOutputTokens": 5}),
    ({"max_completion_tokens": 6}, {"maxOutputTokens": 6}),
    ({"stop": "END"}, {"stopSequences": ["END"]}),
    ({"n": 2}, {"candidateCount": 2}),
    ({"seed": 4}, {"seed": 4}),
    ({"presence_penalty": 0.5, "frequency_penalty": 1}, {"presencePenalty": 0.5, "frequencyPenalty": 1}),
    ({"reasoning_effort": "low"}, {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}),
    ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
        {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
    ),
]


@pytest.mark.parametrize(("body", "expected"), SETTINGS, ids=[json.dumps(body)[:60] for body, _ in SETTINGS])
def test_settings(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(body) == {"contents": [turn("user", {"text": "Hi"})], "generationConfig": expected}


@pytest.mark.parametrize(
    ("effort", "expected"),
    [
        ("none", {"thinkingBudget": 0}),
        ("minimal", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("low", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        ("high", {"thinkingBudget": 24576, "includeThoughts": True}),
    ],
)
def test_gemini_2_5_thinks_by_a_budget(effort: str, expected: dict[str, Any]) -> None:
    made = sent({"reasoning_effort": effort}, "gemini-2.5-flash")
    assert made["generationConfig"] == {"thinkingConfig": expected}


NAMED = {"type": "function", "function": {"name": "weather"}}
STRICT = {"type": "function", "function": {"name": "now", "strict": True}}
ITS_STRICT = [{"functionDeclarations": [{"name": "now"}]}]


@pytest.mark.parametrize(
    ("body", "tools", "calling"),
    [
        ({"tools": [TOOL]}, ITS_TOOLS, None),
        ({"tools": [TOOL], "tool_choice": "auto"}, ITS_TOOLS, {"mode": "AUTO"}),
        ({"tools": [TOOL], "tool_choice": "none"}, ITS_TOOLS, {"mode": "NONE"}),
        ({"tools": [TOOL], "tool_choice": "required"}, ITS_TOOLS, {"mode": "ANY"}),
        (
            {"tools": [TOOL], "tool_choice": NAMED},
            ITS_TOOLS,
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
        ({"tools": [STRICT]}, ITS_STRICT, {"mode": "VALIDATED"}),
        ({"tools": [STRICT], "tool_choice": "required"}, ITS_STRICT, {"mode": "ANY"}),
    ],
)
def test_tools(body: dict[str, Any], tools: list[Any], calling: dict[str, Any] | None) -> None:
    made = sent(body)
    assert made["tools"] == tools
    assert made.get("toolConfig") == (None if calling is None else {"functionCallingConfig": calling})


def content(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


MESSAGES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "instructions",
        [{"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, USER],
        {
            "systemInstruction": {"parts": [{"text": "A"}, {"text": "B"}]},
            "contents": [turn("user", {"text": "Hi"})],
        },
    ),
    (
        "turns",
        [USER, {"role": "assistant", "content": "Yes"}, USER],
        {"contents": [turn("user", {"text": "Hi"}), turn("model", {"text": "Yes"}), turn("user", {"text": "Hi"})]},
    ),
    (
        "an image itself",
        content({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
        {"contents": [turn("user", {"inlineData": {"mimeType": "image/png", "data": "AAAA"}})]},
    ),
    (
        "an image by its URL",
        content({"type": "image_url", "image_url": {"url": "https://x.example/a.jpg?v=1"}}),
        {
            "contents": [
                turn("user", {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.example/a.jpg?v=1"}})
            ]
        },
    ),
    (
        "an image by a URL that does not say its type",
        content({"type": "image_url", "image_url": {"url": "https://x.example/a"}}),
        {"contents": [turn("user", {"fileData": {"fileUri": "https://x.example/a"}})]},
    ),
    (
        "a recording",
        content({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
        {"contents": [turn("user", {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}})]},
    ),
    (
        "a document",
        content({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}}),
        {"contents": [turn("user", {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}})]},
    ),
    (
        "calls and results",
        [
            USER,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    CALL | {"extra_content": {"google": {"thought_signature": "sig"}}},
                    CALL | {"id": "t2", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
            {"role": "tool", "tool_call_id": "t2", "content": '{"hour": 12}'},
        ],
        {
            "contents": [
                turn("user", {"text": "Hi"}),
                turn(
                    "model",
                    ITS_CALL | {"thoughtSignature": "sig"},
                    {"functionCall": {"id": "t2", "name": "now", "args": {}}},
                ),
                turn(
                    "user",
                    {"functionResponse": {"id": "t1", "name": "weather", "response": {"output": "rain"}}},
                    {"functionResponse": {"id": "t2", "name": "now", "response": {"hour": 12}}},
                ),
            ]
        },
    ),
    (
        "a result that only looks like an object",
        [
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "t1", "content": [{"type": "text", "text": "{rain"}]},
        ],
        {
            "contents": [
                turn("model", ITS_CALL),
                turn(
                    "user",
                    {"functionResponse": {"id": "t1", "name": "weather", "response": {"output": "{rain"}}},
                ),
            ]
        },
    ),
    (
        "thinking given back",
        [USER, {"role": "assistant", "reasoning_content": "hm", "content": "Yes", "refusal": "No"}],
        {
            "contents": [
                turn("user", {"text": "Hi"}),
                turn("model", {"text": "hm", "thought": True}, {"text": "Yes"}, {"text": "No"}),
            ]
        },
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_messages(messages: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert sent({"messages": messages}) == expected


CACHED = {"cache_control": {"type": "ephemeral"}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"user": "u"}, "user"),
    ({"safety_identifier": "u"}, "safety_identifier"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"parallel_tool_calls": False}, "parallel_tool_calls"),
    ({"logprobs": True}, "logprobs"),
    ({"reasoning_effort": "none"}, "reasoning_effort"),
    ({"reasoning_effort": "xhigh"}, "reasoning_effort"),
    ({"response_format": {"type": "grammar"}}, "response_format.type"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": "often"}, "tool_choice"),
    ({"tools": [TOOL | CACHED]}, "tools.0.cache_control"),
    ({"messages": [USER, {"role": "system", "content": "x"}]}, "messages.1"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
    (
        {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages.0.content.0",
    ),
    ({"messages": content({"type": "text", "text": "x"} | CACHED)}, "messages.0.content.0.cache_control"),
    (
        {"messages": content({"type": "image_url", "image_url": {"url": "http://x"}})},
        "messages.0.content.0.image_url.url",
    ),
    (
        {"messages": content({"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}})},
        "messages.0.content.0.image_url.detail",
    ),
    (
        {"messages": content({"type": "input_audio", "input_audio": {"data": "x", "format": "pcm16"}})},
        "messages.0.content.0.input_audio.format",
    ),
    ({"messages": content({"type": "file", "file": {"file_id": "f"}})}, "messages.0.content.0.file.file_id"),
    ({"messages": content({"type": "file", "file": {}})}, "messages.0.content.0.file.file_data"),
    ({"messages": [USER, {"role": "assistant"}]}, "messages.1"),
    (
        {"messages": [{"role": "assistant", "content": "x", "thinking_blocks": [{"type": "thinking"}]}]},
        "messages.0.thinking_blocks",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [CALL | {"extra_content": {"x": 1}}]}]},
        "messages.0.tool_calls.0.extra_content",
    ),
    ({"messages": [USER, {"role": "tool", "tool_call_id": "t9", "content": "x"}]}, "messages.1.tool_call_id"),
]


@pytest.mark.parametrize(("body", "path"), REFUSED, ids=[json.dumps(body)[:60] for body, _ in REFUSED])
def test_what_has_no_counterpart_is_refused_by_name(body: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput) as refused:
        call(body)
    assert ".".join(map(str, refused.value.path)) == path
    assert refused.value.message


# --- answers


def response(*parts: dict[str, Any], reason: str = "STOP", **more: Any) -> bytes:
    return json.dumps(
        {
            "candidates": [
                {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
            "modelVersion": "gemini-3-pro-001",
            "responseId": "r1",
            **more,
        }
    ).encode()


def answer(body: bytes) -> dict[str, Any]:
    return json.loads(call({}).answer(body))


def test_an_answer() -> None:
    assert answer(response({"text": "Hel"}, {"text": "lo"})) == {
        "id": "r1",
        "object": "chat.completion",
        "created": 7,
        "model": "gemini-3-pro-001",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }


def test_names_are_given_where_gemini_gives_none() -> None:
    said = answer(b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}')
    assert (said["id"], said["model"], said["usage"]) == ("chatcmpl-1", "gemini-3-pro", None)
    assert said["choices"][0]["message"]["tool_calls"] == [
        {"id": "call_1_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
    ],
)
def test_reasons_to_finish(said: str, reason: str) -> None:
    assert answer(response({"text": "x"}, reason=said))["choices"][0]["finish_reason"] == reason


def test_calls_in_an_answer_can_be_given_back() -> None:
    first = {"functionCall": {"id": "t1", "name": "a", "args": {"n": 1}}, "thoughtSignature": "sig"}
    second = {"functionCall": {"id": "t2", "name": "b", "args": {}}}
    said = answer(response(first, second))["choices"][0]
    assert said["finish_reason"] == "tool_calls"
    assert said["message"]["content"] is None
    assert [made["function"]["arguments"] for made in said["message"]["tool_calls"]] == ['{"n": 1}', "{}"]
    assert sent({"messages": [USER, said["message"]]})["contents"][1] == turn("model", first, second)


def test_thinking_and_figures() -> None:
    usage = {
        "promptTokenCount": 9,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 3,
    }
    said = answer(response({"text": "hm", "thought": True}, {"text": "Yes"}, usageMetadata=usage))
    assert said["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Yes",
        "refusal": None,
        "reasoning_content": "hm",
    }
    assert said["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 10,
        "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_several_answers() -> None:
    candidates = [
        {"content": {"parts": [{"text": word}]}, "finishReason": "STOP", "index": index}
        for index, word in enumerate(("a", "b"))
    ]
    choices = answer(json.dumps({"candidates": candidates}).encode())["choices"]
    assert [(made["index"], made["message"]["content"]) for made in choices] == [(0, "a"), (1, "b")]


def test_a_blocked_prompt() -> None:
    said = answer(b'{"promptFeedback":{"blockReason":"SAFETY"}}')["choices"][0]
    assert (said["finish_reason"], said["message"]["content"]) == ("content_filter", None)
    assert said["message"]["refusal"] == "Gemini blocked the prompt: SAFETY"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"\xff", b"[" * 9000, response({"inlineData": {"mimeType": "image/png", "data": "AAAA"}})],
)
def test_what_is_no_answer_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(ProtocolBroken, match="Gemini's answer"):
        call({}).answer(body)


@pytest.mark.parametrize("wrapped", [False, True])
def test_errors(wrapped: bool) -> None:
    error: Any = {"error": {"code": 400, "message": "Bad key", "status": "INVALID_ARGUMENT", "details": []}}
    expected = {
        "error": {"message": "Bad key", "type": "INVALID_ARGUMENT", "param": None, "code": "INVALID_ARGUMENT"}
    }
    assert json.loads(call({}).error(json.dumps([error] if wrapped else error).encode())) == expected
