"""How pieces of an answer are sent: in chunks of their own, or within the length that the answer named."""

from __future__ import annotations

from typing import Any

import pytest

from gaugeway.proxy.downstream import Downstream


class Owner:
    """A client's connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.transport: Any = self
        self.flow: Any = self
        self.loop: Any = None
        self.write_paused = False
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """As a transport."""
        self.written.append(data)

    def on_response_complete(self) -> None:
        """As a connection."""


def begun(owner: Owner, *headers: tuple[bytes, bytes]) -> Downstream:
    """A request whose answer has begun."""
    request = Downstream(owner, "POST", b"/v1/", b"", [], is_http_1_0=False, keep_alive=True)
    request.begin(200, list(headers))
    owner.written.clear()
    return request


def test_each_piece_is_a_chunk_and_one_write() -> None:
    owner = Owner()
    request = begun(owner)
    send = request.sending()
    assert not send(b"data: 1\n\n")
    owner.write_paused = True
    assert send(b"x" * 17)
    request.finish()
    assert owner.written == [b"9\r\ndata: 1\n\n\r\n", b"11\r\n" + b"x" * 17 + b"\r\n", b"0\r\n\r\n"]


def test_pieces_of_a_named_length_go_as_they_are_and_no_further() -> None:
    owner = Owner()
    send = begun(owner, (b"content-length", b"5")).sending()
    assert not send(b"abc")
    assert not send(b"de")
    assert owner.written == [b"abc", b"de"]
    with pytest.raises(RuntimeError, match="longer than the length"):
        send(b"f")
