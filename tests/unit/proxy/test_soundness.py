"""What a provider says of itself within an answer of a good status."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.model import Outcome
from gaugeway.proxy.soundness import HEAD, WINDOW, fault_of

SSE, AWS, JSON = "text/event-stream; charset=utf-8", "application/vnd.amazon.eventstream", "application/json"
CHUNK = (
    b'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"an \\"error\\": {"},'
    b'"finish_reason":null}]}\n\n'
)
STOP = b'data: {"object": "chat.completion.chunk", "choices": [{"finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"message": "overloaded"}}\n\n'
START = b'event: message_start\ndata: {"type": "message_start", "message": {}}\n\n'
MESSAGE_STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
CREATED = b'event: response.created\ndata: {"type":"response.created","response":{"error":null}}\n\n'
COMPLETED = (
    b'event: response.completed\ndata: {"type":"response.completed","response":{"error":null,"output":["%b"]}}\n\n'
)
GEMINI = b'data: {"candidates": [{"content": {}}]}\n\n'


@pytest.mark.parametrize(
    "stream",
    [
        CHUNK + DONE,
        CHUNK + STOP,
        CHUNK + STOP + b'data: {"object": "chat.completion.chunk", "choices": [], "usage": {}}\n\n',
        CHUNK * 1000 + DONE,
        START + MESSAGE_STOP,
        START.partition(b"\n")[2] + MESSAGE_STOP.partition(b"\n")[2],
        CREATED + COMPLETED % (b"x" * 2 * WINDOW),
        CREATED + b"event: response.incomplete\ndata: {}\n\n",
        GEMINI + b'data: {"candidates": [{"finishReason": "STOP"}]}\n\n',
        b'data: {"promptFeedback": {"blockReason": "SAFETY"}}\n\n',
        b'data: {"response": "of a format without an end", "error": null}\n\n',
        b'data: {"text": "event: error"}\n\n' + b"data: error\n\n" + b'data: {"error": ""}\n\n',
        b": nothing yet\n\n" + CHUNK + DONE,
    ],
)
def test_a_good_stream(stream: bytes) -> None:
    assert fault_of(SSE, stream, is_cut=False) is None
    assert fault_of(SSE, stream.replace(b"\n", b"\r\n"), is_cut=False) is None
    assert fault_of(SSE, stream.replace(b"\n", b"\r"), is_cut=False) is None


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (CHUNK + ERROR, "with an error"),
        (CHUNK + ERROR + DONE, "with an error"),
        (CHUNK + ERROR.rstrip(), "with an error"),
        (START + b'event: error\ndata: {"message": "overloaded"}\n\n', "with an error"),
        (START + b'data: {"type": "error",\ndata: "error": {"type": "overloaded_error"}}\n\n', "with an error"),
        (CREATED + b'event: response.failed\ndata: {"type": "response.failed"}\n\n', "with an error"),
        (GEMINI + b'data: {"error": {"code": 503}}\n\n', "with an error"),
        (CHUNK[:-4] + b'],"error":{"code":502}}\n\n' + DONE, "with an error"),
        (CHUNK, "before its last event"),
        (CHUNK * 1000, "before its last event"),
        (START + b"event: content_block_delta\ndata: {}\n\n", "before its last event"),
        (CREATED, "before its last event"),
        (GEMINI, "before its last event"),
        (b"", "before its last event"),
        (b"\r\n", "before its last event"),
    ],
)
def test_a_stream_that_fails(stream: bytes, words: str) -> None:
    for written in (stream, stream.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + stream):
        fault = fault_of(SSE, written, is_cut=False)
        assert fault is not None
        assert (fault[0], words in fault[1]) == (Outcome.STREAM_CUT, True)


def test_of_a_stream_without_its_middle_only_what_is_there_counts() -> None:
    assert fault_of(SSE, CREATED + b"\n" + b"x" * HEAD, is_cut=True) is None
    assert fault_of(SSE, CREATED + b"\n" + ERROR, is_cut=True) is not None


def test_a_stream_in_awss_framing() -> None:
    event = b"\x0b:event-type\x07\x00\x0bmessageStop\x0d:message-type\x07\x00\x05event"
    exception = b"\x0f:exception-type\x07\x00\x13throttlingException\x0d:message-type\x07\x00\x09exception"
    assert fault_of(AWS, event, is_cut=False) is None
    assert fault_of(AWS, event + b'{"text": ":message-type exception"}', is_cut=False) is None
    assert fault_of(AWS, event + exception, is_cut=False) is not None


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        (b'{"choices": [], "error": null}', False),
        (b'{"choices": [], "error": {}}', False),
        (b'{"error": {"code": null, "message": null, "param": null}}', False),
        (b'{"content": [{"error": {"message": "of a tool"}}]}', False),
        (b'{"text": "\\"error\\": 1"}', False),
        (b'{"error": {"message": "bad"}}', True),
        (b' {"id": "x", "error": "bad"}', True),
        (b'[{"candidates": []}, {"error": {"code": 503}}]', True),
        (b'[{"error": {"code": 503}}, {"candidates": []}]', False),
        (b'{"error": ', False),
        (b'"error"', False),
        (b"", False),
    ],
)
def test_an_answer_in_one_piece(body: bytes, fails: bool) -> None:
    for kind in (JSON, "", "text/plain"):
        fault = fault_of(kind, body, is_cut=False)
        assert (fault is not None) is fails
        assert fault is None or fault[0] is Outcome.UPSTREAM_ERROR


@given(st.sampled_from([SSE, AWS, JSON, "audio/mpeg"]), st.binary(max_size=200), st.booleans())
def test_nothing_that_arrives_raises(kind: str, body: bytes, is_cut: bool) -> None:
    fault_of(kind, body, is_cut=is_cut)
    fault_of(kind, b'{"error"' + body, is_cut=is_cut)
    fault_of(kind, b'data: {"error"' + body, is_cut=is_cut)
