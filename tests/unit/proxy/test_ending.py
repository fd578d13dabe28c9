"""Whether a stream has come to its last event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.proxy.ending import ends_stream

CHUNK = b'data: {"choices": [{"delta": {"content": "[DONE]"}}]}\n\n'


@pytest.mark.parametrize(
    "last",
    [
        b"data: [DONE]\n\n",
        b"data:[DONE]\n\n",
        b"data: [DONE]\r\n\r\n",
        b"data: [DONE]\n",
        b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
        b'data: {"type": "message_stop"}\nevent: message_stop\n\n',
        b'event: response.completed\ndata: {"response": {}}\n\n',
        b"event: response.incomplete\r\ndata: {}\r\n\r\n",
        b"event: message-end\ndata: {}\n\n",
    ],
)
def test_a_last_event(last: bytes) -> None:
    assert ends_stream(last)
    assert ends_stream(CHUNK + last)
    assert not ends_stream(last + b"\n" + CHUNK)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        CHUNK,
        CHUNK * 3,
        b"data: [DONE]",
        b"data: [DON",
        b"event: message_stop",
        b"event: message_stop\n",
        b"event: message_stop\ndata: {",
        b"event: message_delta\ndata: message_stop\n\n",
        b'data: {"text": "data: [DONE]"}\n\n',
        b": [DONE]\n\n",
    ],
)
def test_no_last_event(stream: bytes) -> None:
    assert not ends_stream(stream)


@given(st.integers(0, len(CHUNK * 2) + len(b"data: [DONE]")))
def test_a_stream_that_was_cut_anywhere_has_not_ended(length: int) -> None:
    whole = CHUNK * 2 + b"data: [DONE]\n\n"
    assert ends_stream(whole[:length]) is (length > len(whole) - 2)
