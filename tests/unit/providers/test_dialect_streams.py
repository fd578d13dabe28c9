"""Streams of chat completions as Responses and Messages: the same however the network cuts them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import ProtocolBroken
from gaugeway.core.provider import Compatible, Dialect, StreamTranslation
from gaugeway.providers.dialects import DIALECTS
from gaugeway.providers.translation.anthropic import AnthropicMessages

BODIES = {
    "responses": {"model": "p/m", "input": "x", "stream": True},
    "messages": {"model": "p/m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "stream": True},
}
each = pytest.mark.parametrize("name", sorted(DIALECTS))


def stream_of(name: str, upstream: Compatible | None = None) -> StreamTranslation:
    dialect: Dialect = DIALECTS[name]
    body = json.dumps(BODIES[name]).encode()
    chosen = upstream or Compatible(chat="chat/completions")
    return dialect.request("m", body, chosen, reply_id="chatcmpl-1", created=1).stream()


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "c", "model": "m-1", "choices": choices, **more}).encode() + b"\n\n"


def call(index: int, name: str | None = None, arguments: str = "") -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"index": index, "id": f"call_{index}", "function": function}]}


STREAM = b"".join(
    [
        b": a comment\n\n",
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm, "}),
        chunk({"reasoning_content": "so."}),
        chunk({"content": "Grüezi 🌧"}),
        chunk({"content": " mitenand"}),
        chunk(call(0, "weather")),
        chunk(call(0, arguments='{"city":')),
        chunk(call(0, arguments='"Bern"}')),
        chunk(call(1, "weather", "")),
        chunk({}, "tool_calls"),
        chunk(usage={"prompt_tokens": 20, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}),
        b"data: [DONE]\n\n",
    ]
)


def translated(stream: StreamTranslation, pieces: list[bytes]) -> bytes:
    out = [stream.feed(piece) for piece in pieces]
    while rest := stream.end():
        out.append(rest)
    return b"".join(out)


def events(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in out.decode().splitlines() if line.startswith("data: ")]


@each
@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_cuts_change_nothing(name: str, cuts: list[int]) -> None:
    edges = [0, *cuts, len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    assert translated(stream_of(name), pieces) == translated(stream_of(name), [STREAM])


def test_what_a_response_holds_at_its_end() -> None:
    said = events(translated(stream_of("responses"), [STREAM]))
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    last = said[-1]["response"]
    assert (last["status"], last["usage"]["input_tokens"]) == ("completed", 20)
    done = [event["item"] for event in said if event["type"] == "response.output_item.done"]
    assert last["output"] == done
    assert [(item["type"], item.get("arguments")) for item in done] == [
        ("reasoning", None),
        ("message", None),
        ("function_call", '{"city":"Bern"}'),
        ("function_call", "{}"),
    ]
    assert done[1]["content"][0]["text"] == "Grüezi 🌧 mitenand"


def test_what_a_message_is_together() -> None:
    said = events(translated(stream_of("messages"), [STREAM]))
    kinds = [event["content_block"]["type"] for event in said if event["type"] == "content_block_start"]
    assert kinds == ["thinking", "text", "tool_use", "tool_use"]
    arguments = ["", ""]
    for event in said:
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "input_json_delta":
            arguments[event["index"] - 2] += event["delta"]["partial_json"]
    assert [json.loads(text) for text in arguments] == [{"city": "Bern"}, {}]
    delta = said[-2]
    assert delta["delta"]["stop_reason"] == "tool_use"
    assert (delta["usage"]["input_tokens"], delta["usage"]["cache_read_input_tokens"]) == (16, 4)
    assert said[-1] == {"type": "message_stop"}


BROKEN = {
    "ends in the middle": [chunk({"content": "x"})],
    "is no JSON": [chunk({"content": "x"}), b"data: {nonsense\n\n"],
    "goes back to an earlier call": [chunk(call(0, "a")), chunk(call(1, "b")), chunk(call(0, arguments="{}"))],
    "brings an error": [chunk({"content": "x"}), b'data: {"error": {"message": "no more"}}\n\n'],
}


@each
@pytest.mark.parametrize("pieces", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_stream_is_given_out_up_to_there_and_then_raised(name: str, pieces: list[bytes]) -> None:
    stream = stream_of(name)
    out: list[bytes] = []
    with pytest.raises(ProtocolBroken):
        for piece in pieces:
            out.append(stream.feed(piece))
        stream.feed(b"")
        while rest := stream.end():
            out.append(rest)
    assert out[0], "what came before is not lost"


@each
def test_an_answer_without_bounds_is_not_collected(name: str) -> None:
    stream = stream_of(name)
    piece = chunk({"content": "x" * 1_000_000})
    if name == "messages":  # it keeps nothing
        for _ in range(20):
            assert stream.feed(piece)
        return
    with pytest.raises(ProtocolBroken, match="longer than"):
        for _ in range(20):
            stream.feed(piece)
        stream.feed(b"")


@each
def test_two_translations_one_behind_the_other(name: str) -> None:
    upstream = Compatible(translation=AnthropicMessages())
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    begun = {"type": "message_start", "message": message | {"usage": {"input_tokens": 5, "output_tokens": 1}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}
    ended = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 7}}
    sent = [begun, block, delta, {"type": "content_block_stop", "index": 0}, ended, {"type": "message_stop"}]
    raw = b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in sent)
    whole = translated(stream_of(name, upstream), [raw])
    bytewise = translated(stream_of(name, upstream), [raw[at : at + 1] for at in range(len(raw))])
    assert whole == bytewise
    assert b"Hello" in whole
    assert b"max_output_tokens" in whole or b'"stop_reason":"max_tokens"' in whole
