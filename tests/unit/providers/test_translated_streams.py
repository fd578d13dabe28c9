"""Streams in translation: golden, the same however the network cuts them, and never whole when they are not."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.core.provider import StreamTranslation, Translation
from gaugeway.providers.translation.anthropic import AnthropicMessages
from gaugeway.providers.translation.bedrock import BedrockConverse
from gaugeway.providers.translation.cohere import CohereChat
from gaugeway.providers.translation.events import MAX_EVENT, Events
from gaugeway.providers.translation.gemini import GeminiContents
from support import event_stream

ANTHROPIC, GEMINI, BEDROCK, COHERE = AnthropicMessages(), GeminiContents(), BedrockConverse(), CohereChat()
ALL: list[Translation] = [ANTHROPIC, GEMINI, BEDROCK, COHERE]
each = pytest.mark.parametrize("translation", ALL, ids=["anthropic", "gemini", "bedrock", "cohere"])


def stream_of(translation: Translation, *, usage: bool = True) -> StreamTranslation:
    body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True, "n": 1}
    body |= {"stream_options": {"include_usage": usage}}
    made = translation.request("m", json.dumps(body).encode(), reply_id="chatcmpl-1", created=7)
    return made.stream()


def run(stream: StreamTranslation, chunks: list[bytes]) -> tuple[bytes, str | None]:
    """What came out, and what was raised at last, as the data plane asks for it."""
    out = b""
    try:
        for chunk in chunks:
            stream.feed(b"")
            out += stream.feed(chunk)
        while True:
            stream.feed(b"")
            piece = stream.end()
            if not piece:
                return out, None
            out += piece
    except ProtocolBroken as problem:
        return out, problem.message


def events(out: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in out.split(b"\n\n") if line]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]


def deltas(out: bytes) -> list[Any]:
    """The choices' deltas and reasons, without what every event repeats."""
    found: list[Any] = []
    for event in events(out):
        if event == "[DONE]" or "error" in event:
            found.append(event)
        elif event["choices"]:
            [choice] = event["choices"]
            found.append(choice["finish_reason"] or choice["delta"])
        else:
            found.append(event["usage"])
    return found


def named(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def block(index: int, kind: str, *pieces: dict[str, Any], **fields: Any) -> bytes:
    return b"".join(
        [
            named("content_block_start", index=index, content_block={"type": kind, **fields}),
            *[named("content_block_delta", index=index, delta=piece) for piece in pieces],
            named("content_block_stop", index=index),
        ]
    )


BEGUN = named(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 20, "cache_read_input_tokens": 6, "output_tokens": 1},
    },
)
ENDED = named("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 10}) + named(
    "message_stop"
)
CLAUDE = (
    BEGUN
    + named("ping")
    + block(
        0,
        "thinking",
        {"type": "thinking_delta", "thinking": "h"},
        {"type": "thinking_delta", "thinking": "m"},
        {"type": "signature_delta", "signature": "sig"},
        thinking="",
        signature="",
    )
    + block(1, "text", {"type": "text_delta", "text": "Zürich "}, {"type": "text_delta", "text": "🌧"}, text="")
    + block(
        2,
        "tool_use",
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"a":'},
        {"type": "input_json_delta", "partial_json": "1}"},
        id="t1",
        name="f",
        input={},
    )
    + block(3, "tool_use", {"type": "input_json_delta", "partial_json": ""}, id="t2", name="g", input={})
    + named("something_new", x=1)
    + ENDED
)


def started(number: int, call_id: str, name: str, arguments: str = "") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": number, "id": call_id, "type": "function", "function": function}]}


def arguments(number: int, piece: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}


def test_a_stream_of_anthropic() -> None:
    out, problem = run(stream_of(ANTHROPIC), [CLAUDE])
    assert problem is None
    assert deltas(out) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "sig"}]},
        {"content": "Zürich "},
        {"content": "🌧"},
        started(0, "t1", "f"),
        arguments(0, '{"a":'),
        arguments(0, "1}"),
        started(1, "t2", "g"),
        arguments(1, "{}"),
        "tool_calls",
        {
            "prompt_tokens": 26,
            "completion_tokens": 10,
            "total_tokens": 36,
            "prompt_tokens_details": {"cached_tokens": 6},
        },
        "[DONE]",
    ]
    first = events(out)[0]
    assert {name: first[name] for name in ("id", "object", "created", "model", "usage")} == {
        "id": "msg_1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "claude-x",
        "usage": None,
    }


def test_without_the_wish_for_figures_there_are_none() -> None:
    for translation, whole in ((ANTHROPIC, CLAUDE), (GEMINI, GOOGLE), (BEDROCK, CONVERSE), (COHERE, COMMAND)):
        out, problem = run(stream_of(translation, usage=False), [whole])
        assert (problem, b"usage" in out) == (None, False)
        assert out.endswith(b"data: [DONE]\n\n")


def said(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    candidate |= {} if reason is None else {"finishReason": reason}
    whole = {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r1", **more}
    return f"data: {json.dumps(whole)}\r\n\r\n".encode()


def figures(out: int) -> dict[str, Any]:
    return {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": out, "thoughtsTokenCount": 2}}


GOOGLE = (
    said({"text": "hm", "thought": True}, **figures(1))
    + said({"text": "Zürich "}, {"text": "🌧"}, **figures(4))
    + said({"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "sig"})
    + said({"functionCall": {"id": "t2", "name": "g", "args": {}}})
    + said({"text": ""}, reason="STOP", **figures(8))
)


def test_a_stream_of_gemini() -> None:
    out, problem = run(stream_of(GEMINI), [GOOGLE])
    assert problem is None
    first_call = started(0, "call_1_0", "f", '{"a": 1}')
    first_call["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "sig"}}
    assert deltas(out) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "Zürich "},
        {"content": "🌧"},
        first_call,
        started(1, "t2", "g", "{}"),
        "tool_calls",
        {
            "prompt_tokens": 5,
            "completion_tokens": 10,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        "[DONE]",
    ]
    assert (events(out)[0]["id"], events(out)[0]["model"]) == ("r1", "gemini-x")


def converse_block(index: int, *deltas: dict[str, Any], tool: dict[str, Any] | None = None) -> bytes:
    place = {"contentBlockIndex": index}
    return b"".join(
        [
            b"" if tool is None else event_stream.event("contentBlockStart", {"start": {"toolUse": tool}, **place}),
            *[event_stream.event("contentBlockDelta", {"delta": delta, **place}) for delta in deltas],
            event_stream.event("contentBlockStop", place),
        ]
    )


CONVERSE_BEGUN = event_stream.event("messageStart", {"role": "assistant"})
CONVERSE_STOPPED = event_stream.event("messageStop", {"stopReason": "tool_use"})
CONVERSE_FIGURES = event_stream.event(
    "metadata",
    {"usage": {"inputTokens": 20, "outputTokens": 10, "cacheReadInputTokens": 6}, "metrics": {"latencyMs": 5}},
)
CONVERSE = (
    CONVERSE_BEGUN
    + converse_block(
        0,
        {"reasoningContent": {"text": "h"}},
        {"reasoningContent": {"text": "m"}},
        {"reasoningContent": {"signature": "sig"}},
    )
    + converse_block(1, {"text": "Zürich "}, {"text": "🌧"})
    + converse_block(
        2,
        {"toolUse": {"input": ""}},
        {"toolUse": {"input": '{"a":'}},
        {"toolUse": {"input": "1}"}},
        tool={"toolUseId": "t1", "name": "f"},
    )
    + converse_block(3, tool={"toolUseId": "t2", "name": "g"})
    + event_stream.event("somethingNew", {"x": 1})
    + CONVERSE_STOPPED
    + CONVERSE_FIGURES
)


def test_a_stream_of_bedrock() -> None:
    out, problem = run(stream_of(BEDROCK), [CONVERSE])
    assert problem is None
    expected, _ = run(stream_of(ANTHROPIC), [CLAUDE])  # the same conversation, in another format
    assert deltas(out) == deltas(expected)
    first = events(out)[0]
    assert (first["id"], first["created"], first["model"]) == ("chatcmpl-1", 7, "m")


def cohere(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def cohere_delta(kind: str, index: int, **message: Any) -> bytes:
    return cohere(kind, index=index, delta={"message": message})


def cohere_call(kind: str, index: int, arguments: str, **more: Any) -> bytes:
    function = {"arguments": arguments} | ({"name": more.pop("name")} if more else {})
    return cohere_delta(kind, index, tool_calls={**more, "function": function})


CITED = {"start": 0, "end": 6, "text": "Zürich", "sources": [{"type": "tool", "id": "t0:0"}]}
COMMAND_ENDED = cohere(
    "message-end",
    delta={"finish_reason": "TOOL_CALL", "usage": {"billed_units": {"input_tokens": 20, "output_tokens": 10}}},
)
COMMAND = (
    cohere("message-start", id="c1", delta={"message": {"role": "assistant", "content": [], "tool_calls": []}})
    + cohere_delta("content-start", 0, content={"type": "thinking", "thinking": ""})
    + cohere_delta("content-delta", 0, content={"thinking": "hm"})
    + cohere("content-end", index=0)
    + cohere_delta("content-start", 1, content={"type": "text", "text": ""})
    + cohere_delta("content-delta", 1, content={"text": "Zürich "})
    + cohere_delta("citation-start", 0, citations=CITED)
    + cohere("citation-end", index=0)
    + cohere_delta("content-delta", 1, content={"text": "🌧"})
    + cohere("content-end", index=1)
    + cohere("tool-plan-delta", delta={"message": {"tool_plan": "I look."}})
    + cohere_call("tool-call-start", 0, "", id="t1", type="function", name="f")
    + cohere_call("tool-call-delta", 0, '{"a":')
    + cohere_call("tool-call-delta", 0, "1}")
    + cohere("tool-call-end", index=0)
    + cohere_call("tool-call-start", 1, "", id="t2", type="function", name="g")
    + cohere("tool-call-end", index=1)
    + cohere("something-new", delta={})
    + COMMAND_ENDED
    + b"data: [DONE]\n\n"
)


def test_a_stream_of_cohere() -> None:
    out, problem = run(stream_of(COHERE), [COMMAND])
    assert problem is None
    assert deltas(out) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "Zürich "},
        {"citations": [CITED]},
        {"content": "🌧"},
        {"reasoning_content": "I look."},
        started(0, "t1", "f"),
        arguments(0, '{"a":'),
        arguments(0, "1}"),
        started(1, "t2", "g"),
        arguments(1, "{}"),
        "tool_calls",
        {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
        "[DONE]",
    ]
    assert (events(out)[0]["id"], events(out)[0]["model"]) == ("c1", "m")


def test_a_stream_of_a_blocked_prompt() -> None:
    out, problem = run(stream_of(GEMINI, usage=False), [b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n'])
    assert problem is None
    refusal = {"refusal": "Gemini blocked the prompt: SAFETY"}
    assert deltas(out) == [{"role": "assistant", "content": ""}, refusal, "content_filter", "[DONE]"]


def test_several_answers_in_one_stream() -> None:
    other = {"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "MAX_TOKENS"}
    out, problem = run(
        stream_of(GEMINI, usage=False),
        [said({"text": "a"}, reason="STOP"), f"data: {json.dumps({'candidates': [other]})}\n\n".encode()],
    )
    assert problem is None
    shown = [choice for event in events(out)[:-1] for choice in event["choices"]]
    assert [choice["index"] for choice in shown] == [0, 0, 1, 1, 0, 1]
    assert [choice["finish_reason"] for choice in shown][-2:] == ["stop", "length"]


def test_a_refusal_in_mid_stream() -> None:
    details = {"type": "refusal", "explanation": "Not that."}
    ended = named("message_delta", delta={"stop_reason": "refusal", "stop_details": details}, usage={})
    out, problem = run(stream_of(ANTHROPIC, usage=False), [BEGUN + ended + named("message_stop")])
    assert problem is None
    assert deltas(out)[1:] == [{"refusal": "Not that."}, "content_filter", "[DONE]"]


def test_an_error_in_mid_stream_is_said_and_ends_it() -> None:
    failed = named("error", error={"type": "overloaded_error", "message": "Busy"})
    out, problem = run(stream_of(ANTHROPIC), [BEGUN + failed + ENDED])
    error = {"message": "Busy", "type": "overloaded_error", "param": None, "code": "overloaded_error"}
    assert deltas(out) == [{"role": "assistant", "content": ""}, {"error": error}]
    assert problem == "Anthropic ended the stream with overloaded_error: Busy"
    out, problem = run(stream_of(GEMINI), [b'data: {"error":{"message":"Busy","status":"UNAVAILABLE"}}\n\n'])
    assert deltas(out)[0]["error"]["message"] == "Busy"
    assert problem is not None
    for translation, whole in (
        (BEDROCK, CONVERSE_BEGUN + event_stream.failure("throttlingException", "Busy") + CONVERSE_FIGURES),
        (
            COHERE,
            COMMAND[: COMMAND.index(COMMAND_ENDED)]
            + cohere("message-end", delta={"finish_reason": "ERROR", "error": "Busy"}),
        ),
        (COHERE, b'data: {"message":"Busy"}\n\n' + COMMAND),
    ):
        out, problem = run(stream_of(translation), [whole])
        assert deltas(out)[-1]["error"]["message"] == "Busy"
        assert problem is not None
        assert "Busy" in problem


@pytest.mark.parametrize("length", range(0, len(CLAUDE) - len(named("message_stop")), 97))
def test_anthropics_stream_that_lacks_its_end_is_never_done(length: int) -> None:
    out, problem = run(stream_of(ANTHROPIC), [CLAUDE[:length]])
    assert problem is not None
    assert b"[DONE]" not in out


@pytest.mark.parametrize("length", range(0, len(GOOGLE) - len(said({"text": ""}, reason="STOP", **figures(8))), 53))
def test_geminis_stream_that_lacks_its_end_is_never_done(length: int) -> None:
    out, problem = run(stream_of(GEMINI), [GOOGLE[:length]])
    assert problem is not None
    assert b"[DONE]" not in out


@pytest.mark.parametrize("length", range(0, len(CONVERSE), 89))
def test_bedrocks_stream_that_lacks_its_end_is_never_done(length: int) -> None:
    out, problem = run(stream_of(BEDROCK), [CONVERSE[:length]])
    assert problem is not None
    assert b"[DONE]" not in out


@pytest.mark.parametrize("length", range(0, COMMAND.index(COMMAND_ENDED), 61))
def test_coheres_stream_that_lacks_its_end_is_never_done(length: int) -> None:
    out, problem = run(stream_of(COHERE), [COMMAND[:length]])
    assert problem is not None
    assert b"[DONE]" not in out


@pytest.mark.parametrize(
    "foreign",
    [
        converse_block(0, {"image": {"source": {"bytes": "AAAA"}}}),
        converse_block(0, {"citation": {"title": "x"}}),
        converse_block(0, {"toolUse": {"input": "{}"}}),
        converse_block(0, tool={"toolUseId": "s", "name": "search", "type": "server_tool_use"}),
        event_stream.event("contentBlockStart", {"start": {"image": {"format": "png"}}, "contentBlockIndex": 0}),
        event_stream.framed({":event-type": "contentBlockDelta", ":message-type": "event"}, b"nonsense"),
        event_stream.framed({":event-type": "contentBlockDelta", ":message-type": "event"}, b'{"delta":7}'),
        event_stream.framed({":event-type": "messageStop", ":message-type": "event"}, b"\xff"),
        b"this is no message at all",
    ],
    ids=range(9),
)
def test_what_of_bedrocks_cannot_be_translated_ends_the_stream_after_what_could(foreign: bytes) -> None:
    out, problem = run(stream_of(BEDROCK), [CONVERSE_BEGUN + foreign + CONVERSE_STOPPED + CONVERSE_FIGURES])
    assert deltas(out) == [{"role": "assistant", "content": ""}]
    assert problem is not None


FOREIGN = [
    BEGUN + block(0, "server_tool_use", id="s", name="web_search"),
    BEGUN + named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + named("content_block_delta", index=0, delta={"type": "citations_delta", "citation": {}}),
    BEGUN + b"data: nonsense\n\n",
    BEGUN + b'data: {"type": 7}\n\n',
    BEGUN + b"data: \xff\n\n",
    BEGUN + b"data: " + b"[" * 9000 + b"\n\n",
]  # fmt: skip


@pytest.mark.parametrize("stream", FOREIGN, ids=range(len(FOREIGN)))
def test_what_cannot_be_translated_ends_the_stream_after_what_could(stream: bytes) -> None:
    out, problem = run(stream_of(ANTHROPIC), [stream + ENDED])
    assert deltas(out) == [{"role": "assistant", "content": ""}]
    assert problem is not None
    assert "Anthropic's" in problem


@st.composite
def cuts(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    places = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=40)))
    edges = [0, *places, len(whole)]
    return [whole[a:b] for a, b in pairwise(edges) if a != b]


def endings(whole: bytes) -> st.SearchStrategy[bytes]:
    plain = whole.replace(b"\r\n", b"\n")
    return st.sampled_from(
        [plain, plain.replace(b"\n", b"\r\n"), plain.replace(b"\n", b"\r"), b"\xef\xbb\xbf" + plain, plain[:-1]]
    )


@settings(max_examples=150)
@given(data=st.data())
def test_it_does_not_matter_where_the_network_cuts(data: st.DataObject) -> None:
    failing = BEGUN + named("error", error={"type": "x", "message": "y"})
    translation, whole = data.draw(
        st.sampled_from(
            [
                (ANTHROPIC, CLAUDE),
                (GEMINI, GOOGLE),
                (BEDROCK, CONVERSE),
                (COHERE, COMMAND),
                (ANTHROPIC, failing),
                (ANTHROPIC, FOREIGN[0]),
                (BEDROCK, CONVERSE[:-30] + b"nonsense instead of the end of it"),
            ]
        )
    )
    stream = whole if translation is BEDROCK else data.draw(endings(whole))
    expected = run(stream_of(translation), [whole])
    assert run(stream_of(translation), data.draw(cuts(stream))) == expected


def test_byte_by_byte() -> None:
    for translation, whole in ((ANTHROPIC, CLAUDE), (GEMINI, GOOGLE), (BEDROCK, CONVERSE), (COHERE, COMMAND)):
        single = [whole[at : at + 1] for at in range(len(whole))]
        assert run(stream_of(translation), single) == run(stream_of(translation), [whole])


NOISE = [b"data: ", b"\n\n", b"{", BEGUN, GOOGLE, CONVERSE_BEGUN, CONVERSE_STOPPED, CONVERSE_FIGURES, COMMAND_ENDED]


@each
@settings(max_examples=100)
@given(noise=st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(NOISE))))
def test_noise_is_never_a_whole_answer_nor_a_crash(translation: Translation, noise: list[bytes]) -> None:
    out, problem = run(stream_of(translation), noise)
    assert (b"[DONE]" in out) == (problem is None)


def test_what_follows_the_last_event_spoils_nothing() -> None:
    for translation, whole in ((ANTHROPIC, CLAUDE), (BEDROCK, CONVERSE), (COHERE, COMMAND)):
        told = run(stream_of(translation), [whole])
        for rest in ([b"\0"], [b"data: {"], [b"\0" * 40, b"{"]):
            assert run(stream_of(translation), [whole, *rest]) == told
            assert run(stream_of(translation), [whole + rest[0], *rest[1:]]) == told


def test_an_event_without_end_is_not_collected_for_ever() -> None:
    stream = stream_of(ANTHROPIC)
    with pytest.raises(ProtocolBroken, match="larger than"):
        for _ in range(MAX_EVENT // (1 << 20) + 1):
            stream.feed(b"data: " + b"x" * (1 << 20))


def test_data_of_several_lines_comments_and_other_fields() -> None:
    stream = b': comment\nevent: x\nid: 1\ndata: {"a":\ndata:1}\n\n\n\nretry: 5\n\ndata\n\ndata:z\n\n'
    assert Events().feed(stream) == [b'{"a":\n1}', b"z"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "messages",
        "tools",
        "tool_choice",
        "stop",
        "temperature",
        "response_format",
        "max_tokens",
        "stream",
        "n",
        "user",
    ]
)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "x"])},
            optional={
                "content": st.one_of(JSON, st.text(max_size=5)),
                "tool_calls": JSON,
                "tool_call_id": st.text(max_size=5),
                "name": JSON,
            },
        ),
        JSON,
    ),
    max_size=4,
)


@each
@settings(max_examples=200)
@given(body=st.dictionaries(FIELDS, JSON, max_size=4), messages=MESSAGES)
def test_a_hostile_request_is_translated_or_refused(
    translation: Translation, body: dict[str, Any], messages: list[Any]
) -> None:
    encoded = msgspec.json.encode({"messages": messages, **body})
    try:
        made = translation.request("m", encoded, reply_id="chatcmpl-1", created=7)
    except BadInput as refused:
        assert refused.message
    else:
        assert isinstance(json.loads(made.body), dict)


@each
@settings(max_examples=200)
@given(body=st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_hostile_bytes_are_refused_and_hostile_answers_are_none(translation: Translation, body: bytes) -> None:
    with pytest.raises(BadInput):
        translation.request("m", body, reply_id="chatcmpl-1", created=7)
    made = translation.request(
        "m", b'{"messages":[{"role":"user","content":"x"}]}', reply_id="chatcmpl-1", created=7
    )
    with pytest.raises(ProtocolBroken):
        made.answer(body)
    assert set(json.loads(made.error(body))) == {"error"}
