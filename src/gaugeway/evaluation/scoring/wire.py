"""Frames between the server and the process beside it: four bytes of length, then MessagePack."""

from __future__ import annotations

import socket
from typing import Any, TypeVar

import msgspec

from gaugeway.core.samples import Mark, Work

T = TypeVar("T")

Scorers = dict[int, tuple[str, dict[str, Any]]]
"""The scorers of a run by number: an evaluator's id, and its parameters."""

_encoder = msgspec.msgpack.Encoder()
_scorers = msgspec.msgpack.Decoder(Scorers)
_work = msgspec.msgpack.Decoder(Work)
_marks = msgspec.msgpack.Decoder(Mark)


class Closed(Exception):
    """The other end is gone."""


def send(connection: socket.socket, message: object) -> None:
    """Send one message; Closed, TimeoutError."""
    data = _encoder.encode(message)
    try:
        connection.sendall(len(data).to_bytes(4) + data)
    except TimeoutError:
        raise
    except OSError as problem:
        raise Closed from problem


def receive_scorers(connection: socket.socket) -> Scorers:
    """The first message to the child."""
    return _scorers.decode(_receive(connection))


def receive_work(connection: socket.socket) -> Work:
    """Each further message to the child."""
    return _work.decode(_receive(connection))


def receive_mark(connection: socket.socket) -> Mark:
    """A message of the child; Closed, TimeoutError."""
    return _marks.decode(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    return _exactly(connection, int.from_bytes(_exactly(connection, 4)))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        try:
            piece = connection.recv(min(size - len(data), 1 << 20))
        except TimeoutError:
            raise
        except OSError as problem:
            raise Closed from problem
        if not piece:
            raise Closed
        data += piece
    return bytes(data)
