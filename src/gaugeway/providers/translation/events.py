"""Server-sent events while they arrive, cut wherever the network cut them (HTML standard, section 9.2.6)."""

from __future__ import annotations

from gaugeway.core.errors import ProtocolBroken

MAX_EVENT = 16 * 1024 * 1024
"""Bytes of one event; a longer one is refused rather than collected."""


class Events:
    """Takes bytes, gives the data of whole events. Bounded by MAX_EVENT."""

    __slots__ = ("_ended_in_return", "_pending", "_started")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._ended_in_return = False  # a line feed next belongs to the carriage return before
        self._started = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that are whole now."""
        if b"\r" in chunk or self._ended_in_return:
            if self._ended_in_return and chunk.startswith(b"\n"):
                chunk = chunk[1:]
                self._ended_in_return = False
            if chunk:
                self._ended_in_return = chunk.endswith(b"\r")
                chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        pending = self._pending
        seen = max(0, len(pending) - 1)
        pending += chunk
        found: list[bytes] = []
        start = 0
        while (end := pending.find(b"\n\n", seen)) >= 0:
            if data := self._data(bytes(pending[start:end])):
                found.append(data)
            start = seen = end + 2
        if start:
            del pending[:start]
        if len(pending) > MAX_EVENT:
            raise ProtocolBroken(f"An event of the stream is larger than {MAX_EVENT} bytes.")
        return found

    def end(self) -> list[bytes]:
        """What stands at the end without an empty line behind it; some servers spare that."""
        data = self._data(bytes(self._pending))
        self._pending.clear()
        return [data] if data else []

    def _data(self, event: bytes) -> bytes:
        if not self._started:
            self._started = True
            event = event.removeprefix(b"\xef\xbb\xbf")
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
        return lines[0] if len(lines) == 1 else b"\n".join(lines)
