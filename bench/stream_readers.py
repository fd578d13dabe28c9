"""Reads many streams at little cost: a few are watched, and their chunks timed; the rest is only emptied.

The reader shares a core with the upstream. A task woken for each of 25,600 chunks a second would be late by itself,
and would be what is measured. So only what comes on the watched streams wakes it; the others are emptied in turn.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from bench.sse_upstream import END

_STAMP = re.compile(rb'"t":([0-9.]+)')
_TURN_S = 0.05
"""In which each stream that is not watched is emptied once, in parts, so that no part takes long."""
_PARTS = 25
_PATIENCE_S = 60.0
"""Without a byte of any stream."""


@dataclass
class Read:
    """What came of some streams."""

    firsts: list[float] = field(default_factory=list)  # seconds from the writing of a watched stream's first chunk
    delays: list[float] = field(default_factory=list)  # of its other chunks, in the order in which they came
    whole: int = 0  # streams that came to their end


class Readers:
    """Opens streams one after another, and reads all of them."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._poll = select.epoll()
        self._watched: dict[int, socket.socket] = {}
        self._begun: set[int] = set()
        self._others: list[socket.socket] = []
        self._at = 0
        self._read = Read()
        self._heard_at = perf_counter()

    def read(self, streams: int, watched: int, ramp: float) -> Read:
        """Read `streams` streams that begin within `ramp` seconds, `watched` of them closely, to their end."""
        every = max(1, streams // watched)
        began = perf_counter()
        opened = 0
        turn_at = began
        while opened < streams or self._watched or self._others:
            now = perf_counter()
            while opened < streams and now >= began + opened * ramp / streams:
                self._open(is_watched=opened % every == 0)
                opened += 1
            if now >= turn_at:
                turn_at = now + _TURN_S / _PARTS
                self._empty_some()
            self._watch(max(0.0, turn_at - perf_counter()))
            if now - self._heard_at > _PATIENCE_S:
                break
        return self._read

    def _open(self, *, is_watched: bool) -> None:
        plug = socket.create_connection(("127.0.0.1", self._port))
        plug.sendall(self._request)
        plug.setblocking(False)
        if is_watched:
            self._watched[plug.fileno()] = plug
            self._poll.register(plug, select.EPOLLIN)
        else:
            self._others.append(plug)

    def _watch(self, seconds: float) -> None:
        for number, _ in self._poll.poll(seconds):
            plug = self._watched[number]
            piece = _received(plug)
            now = self._heard_at = perf_counter()
            for stamp in _STAMP.findall(piece):
                (self._read.delays if number in self._begun else self._read.firsts).append(now - float(stamp))
                self._begun.add(number)
            if not piece or piece.endswith(END):
                self._read.whole += piece.endswith(END)
                self._poll.unregister(number)
                self._begun.discard(number)
                self._watched.pop(number).close()

    def _empty_some(self) -> None:
        many = len(self._others) // _PARTS + 1
        part: Sequence[socket.socket] = self._others[self._at : self._at + many]
        self._at = self._at + many if self._at + many < len(self._others) else 0
        for plug in part:
            with suppress(BlockingIOError):
                piece = _received(plug)
                self._heard_at = perf_counter()
                if not piece or piece.endswith(END):
                    self._read.whole += piece.endswith(END)
                    self._others.remove(plug)
                    plug.close()


def _received(plug: socket.socket) -> bytes:
    """What has come; nothing where the connection was closed."""
    try:
        return plug.recv(262144)
    except ConnectionError:
        return b""
