"""What a log keeps of a WebSocket session: bytes, text, and what the provider's messages report."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from gaugeway.core.provider import Reported, SessionTally, Sockets
from gaugeway.proxy.exchange import Exchange, SessionFigures
from gaugeway.proxy.transcript import MARGIN, Transcript

MAX_READ = 4 * 1024 * 1024
"""Bytes of a message that is put together to be read; a longer one is only counted."""

_UNREAD = f"the session had a message over {MAX_READ} bytes, and what that may have reported is not known"


class _Side:
    """The messages that come from one side."""

    __slots__ = ("_parts", "_size", "size", "was_too_long")

    def __init__(self) -> None:
        self.size = 0
        self.was_too_long = False
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, frame: Frame) -> bytes | None:
        """Take a frame in; the whole message where it is the last one of it, unless that was too long."""
        data = bytes(frame.data)
        self.size += len(data)
        if frame.fin and not self._parts:
            return data if len(data) <= MAX_READ else self._pass_over()
        self._size += len(data)
        if self._size <= MAX_READ:
            self._parts.append(data)
        if not frame.fin:
            return None
        parts, size = self._parts, self._size
        self._parts, self._size = [], 0
        return b"".join(parts) if size <= MAX_READ else self._pass_over()

    def _pass_over(self) -> None:
        self.was_too_long = True


class Minutes:
    """Of one session. Text is kept a message a line, up to the log's cap; what is binary is counted."""

    def __init__(self, cap: int, sockets: Sockets | None) -> None:
        self._cap = cap + MARGIN
        self._sockets = sockets
        self._tally = None if sockets is None else sockets.tally()
        self._client, self._provider = _Side(), _Side()
        self._said: list[bytes] = []
        self._said_size = 0
        self._said_cut = False
        self._heard = Transcript(cap)
        self._heard_cut = False

    @property
    def tally(self) -> SessionTally | None:
        """What its messages report, as they come."""
        return self._tally

    @property
    def is_unread(self) -> bool:
        """Whether a message of the provider's was too long to be read."""
        return self._provider.was_too_long

    def note_client(self, frame: Frame) -> None:
        """A frame of the client's passed."""
        message = self._client.add(frame)
        line = self._as_line(message)
        if message is None or line is None:
            self._said_cut = self._said_cut or frame.fin
            return
        if self._tally is not None:
            self._tally.read_sent(message)
        if self._said_size + len(line) > self._cap:
            self._said_cut = True
        else:
            self._said_size += len(line)
            self._said.append(line)

    def note_provider(self, frame: Frame) -> None:
        """A frame of the provider's passed."""
        message = self._provider.add(frame)
        if message is not None and self._tally is not None and message[:1] == b"{":
            self._tally.read(message)
        line = self._as_line(message)
        if line is None:
            self._heard_cut = self._heard_cut or frame.fin
        else:
            self._heard.add(line)

    def _as_line(self, message: bytes | None) -> bytes | None:
        """The message for the log; None where it is not kept. Google's JSON comes in binary frames."""
        if message is None or (self._sockets is not None and self._sockets.is_media(message)):
            return None
        try:
            message.decode()
        except UnicodeDecodeError:
            return None
        return message.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"

    def close(self, exchange: Exchange) -> None:
        """Put everything on the exchange."""
        reported = Reported() if self._tally is None else self._tally.reported()
        gap = None if self._tally is None else self._tally.gap()
        exchange.body = b"".join(self._said)
        exchange.transcript = self._heard
        exchange.session = SessionFigures(
            sent=self._client.size,
            received=self._provider.size,
            reported=reported,
            gap=_UNREAD if self._provider.was_too_long and self._tally is not None else gap,
            sent_cut=self._said_cut,
            received_cut=self._heard_cut,
        )


IS_DATA = frozenset((Opcode.TEXT, Opcode.BINARY, Opcode.CONT))
