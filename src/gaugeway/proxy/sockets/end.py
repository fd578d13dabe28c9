"""One end of an open WebSocket: frames from a transport to a listener, and frames out.

The framing is the `websockets` package's, without its I/O. No extension is ever negotiated, so what is on the wire
is what is passed on, and nothing inflates.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import CLIENT, OPEN, SERVER
from websockets.protocol import Protocol as Framing

CLOSE_WAIT_S = 5.0
"""What the other side gets to answer a close, and to take what was written before it."""

WRITE_HIGH_WATER = 256 * 1024
"""Bytes that wait for a side which reads slowly, before the other one is no longer read."""

CONTROL = frozenset((Opcode.CLOSE, Opcode.PING, Opcode.PONG))


class Relayed(Framing):
    """Framing that leaves it to the far end to answer a ping: so a ping tells of the whole way."""

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame in."""
        if frame.opcode is Opcode.PING:
            self.events.append(frame)
        else:
            super().recv_frame(frame)


def server_framing(max_message: int, *, relayed: bool) -> Framing:
    """Framing for a client's WebSocket, whose handshake is done. Messages and their frames have a limit."""
    return (Relayed if relayed else Framing)(SERVER, state=OPEN, max_size=max_message)


class Listener(Protocol):
    """Who is told what arrives at an end."""

    def on_frame(self, end: SocketEnd, frame: Frame) -> None:
        """A frame, the one that closes included; that one is answered already."""
        ...

    def on_lost(self, end: SocketEnd, reason: str | None) -> None:
        """There will be no more frames, and the end takes none. Once.

        `reason`: why the end itself gave up, where the other side broke the protocol; else None.
        """
        ...

    def on_writable(self, end: SocketEnd) -> None:
        """It takes frames again, after it was full."""
        ...


class SocketEnd(asyncio.Protocol):
    """A transport's end. Until somebody listens, frames are kept and nothing more is read."""

    def __init__(self, framing: Framing) -> None:
        self.is_full = False
        self.close_code: int | None = None  # that the other side sent
        self.close_reason = ""
        self.response: asyncio.Future[Response | None] | None = None  # of a client's handshake
        self._framing = framing
        self._is_client = framing.side is CLIENT
        self._transport: asyncio.Transport | None = None
        self._listener: Listener | None = None
        self._early: list[Frame] = []
        self._is_paused = False
        self._is_over = False  # the listener has been told
        self._broken: str | None = None  # how the other side broke the protocol
        self._timer: asyncio.TimerHandle | None = None

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        framing = self._framing
        if framing.reader.eof:
            return
        framing.receive_data(data)
        self._flush()
        self._take_events()
        if framing.parser_exc is not None:
            self._broken = str(framing.parser_exc)
            self._see_to_its_end()
            self._tell_lost(self._broken)
        elif framing.handshake_exc is not None:
            self._fail_handshake()

    def eof_received(self) -> bool:
        """See asyncio.Protocol. The transport closes itself."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's
        """See asyncio.Protocol."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.is_full = False
        if self._framing.handshake_exc is None:
            self._framing.receive_eof()
            self._take_events()  # an answer to the handshake may have no other end
        self._fail_handshake()
        self._tell_lost(self._broken)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.is_full = True

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.is_full = False
        if self._listener is not None:
            self._listener.on_writable(self)

    # The listener's side.

    def listen(self, listener: Listener) -> None:
        """Tell it everything from here on, what has come before first."""
        self._listener = listener
        self.resume_reading()
        early, self._early = self._early, []
        for frame in early:
            listener.on_frame(self, frame)
        if not self.is_usable():
            self._tell_lost(self._broken)

    def is_usable(self) -> bool:
        """Whether the connection is there and no close has been sent or received."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._framing.close_expected()

    def write(self, data: bytes) -> None:
        """Bytes of a handshake."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def send(self, frame: Frame) -> None:
        """Send a frame as it is; nothing where no more can be sent."""
        if self._transport is not None and self.is_usable():
            self._transport.write(frame.serialize(mask=self._is_client))

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Begin the end of the WebSocket, and see that it comes. None: without a code."""
        if self._transport is None:
            return
        if self._framing.state is OPEN:
            self._framing.send_close(None if code == CloseCode.NO_STATUS_RCVD else code, reason)
            self._flush()
        self.resume_reading()  # for the answer
        self._see_to_its_end()

    def abort(self) -> None:
        """End the connection, without a word."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Take nothing in for a while: the other end cannot pass it on."""
        if not self._is_paused and self._transport is not None and not self._is_lost():
            self._is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # Within.

    def _take_events(self) -> None:
        for event in self._framing.events_received():
            if isinstance(event, Frame):
                self._hand_on(event)
            elif self.response is not None and not self.response.done():
                self.response.set_result(cast("Response", event))

    def _is_lost(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _hand_on(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            said = Close.parse(frame.data)
            self.close_code, self.close_reason = int(said.code), said.reason
        if self._is_over:
            return
        if self._listener is None:
            self._early.append(frame)
            self.pause_reading()
        else:
            self._listener.on_frame(self, frame)
        if frame.opcode is Opcode.CLOSE and self._transport is not None:
            self._transport.close()  # sent and received: a client need not wait for the server to hang up first
            self._see_to_its_end()
            self._tell_lost(None)

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._framing.data_to_send():
            if data:
                transport.write(data)
                continue
            if transport.can_write_eof() and not transport.is_closing():
                # What still comes is read, and thrown away: a socket closed on unread bytes resets the connection,
                # and the other side may lose the close that says why.
                transport.write_eof()
                self.resume_reading()
            else:
                transport.close()
            self._see_to_its_end()

    def _see_to_its_end(self) -> None:
        """A side that neither answers nor reads must not keep a connection."""
        if self._timer is None and self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(CLOSE_WAIT_S, self._transport.abort)

    def _fail_handshake(self) -> None:
        if self.response is not None and not self.response.done():
            self.response.set_result(None)

    def _tell_lost(self, reason: str | None) -> None:
        if self._is_over or self._listener is None:
            return
        self._is_over = True
        self._listener.on_lost(self, reason)
