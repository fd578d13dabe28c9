"""A streaming upstream for the bench: each chunk carries the moment it was written.

`python -m bench.sse_upstream PORT`; the request's JSON says how many `chunks` and the `pause` between them, in s.

It shares a core with whoever reads, so it must cost little: one loop over plain sockets that sleeps until the next
chunk is due, a millisecond at the least, and writes what is due by then.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from heapq import heappop, heappush, heapreplace
from time import perf_counter

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
FILLER = b"x" * 120
CHUNK = b'data: {"t":%017.7f,"choices":[{"delta":{"content":"' + FILLER + b'"}}]}\n\n'
"""Of one length, whatever the time."""
FRAMED = b"%x\r\n%b\r\n" % (len(CHUNK % 0.0), CHUNK)
SHORTEST_SLEEP_S = 0.001


class Stream:
    """An answer under way."""

    __slots__ = ("left", "pause", "plug")

    def __init__(self, plug: socket.socket, chunks: int, pause: float) -> None:
        self.plug = plug
        self.left = chunks
        self.pause = pause


class Upstream:
    """All connections, and the streams on them in the order in which their next chunks are due."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._plugs: dict[int, socket.socket] = {}
        self._asked: dict[int, bytes] = {}  # what came of a request
        self._due: list[tuple[float, int, Stream]] = []

    def serve(self) -> None:
        """For ever."""
        while True:
            self._write_due()
            wait = -1.0 if not self._due else max(SHORTEST_SLEEP_S, self._due[0][0] - perf_counter())
            for number, _ in self._poll.poll(wait):
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._read(number)

    def _accept(self) -> None:
        plug, _ = self._listener.accept()
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._plugs[plug.fileno()] = plug
        self._asked[plug.fileno()] = b""
        self._poll.register(plug, select.EPOLLIN)

    def _read(self, number: int) -> None:
        plug = self._plugs[number]
        try:
            data = plug.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._forget(number)
            return
        asked = self._asked[number] = self._asked[number] + data
        head, parted, body = asked.partition(b"\r\n\r\n")
        if not parted:
            return
        position = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[position:].partition(b"\r\n")[0]):
            return
        self._asked[number] = b""
        wanted = json.loads(body)
        stream = Stream(plug, int(wanted["chunks"]), float(wanted["pause"]))
        plug.sendall(HEAD)
        heappush(self._due, (perf_counter(), number, stream))

    def _forget(self, number: int) -> None:
        self._poll.unregister(number)
        self._asked.pop(number)
        self._plugs.pop(number).close()

    def _write_due(self) -> None:
        due = self._due
        until = perf_counter()
        while due and due[0][0] <= until:
            at, number, stream = due[0]
            stream.left -= 1
            data = FRAMED % perf_counter()
            try:
                stream.plug.sendall(data if stream.left else data + END)
            except OSError:  # it was closed
                stream.left = 0
            if stream.left:
                heapreplace(due, (at + stream.pause, number, stream))
            else:
                heappop(due)


if __name__ == "__main__":
    Upstream(int(sys.argv[1])).serve()
