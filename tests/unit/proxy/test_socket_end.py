"""One end of a WebSocket: what went wrong before anybody listened is told to whoever does then."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from gaugeway.proxy.sockets.end import SocketEnd
from support.wire import Wire


class Told:
    """A Listener."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.reasons: list[str | None] = []

    def on_frame(self, end: SocketEnd, frame: Frame) -> None:
        self.frames.append(frame)

    def on_lost(self, end: SocketEnd, reason: str | None) -> None:
        self.reasons.append(reason)

    def on_writable(self, end: SocketEnd) -> None:
        pass


def an_end() -> tuple[SocketEnd, Wire]:
    end, wire = SocketEnd(ClientProtocol(parse_uri("ws://provider/"), state=OPEN, max_size=1000)), Wire()
    end.connection_made(wire)
    return end, wire


def lose(end: SocketEnd, wire: Wire) -> None:
    wire.close()
    end.connection_lost(None)


TOO_LARGE = Frame(Opcode.BINARY, bytes(2000)).serialize(mask=False)


@pytest.mark.parametrize("listens_at", ["first", "after the frame", "after the end"])
async def test_a_message_over_the_limit_is_told_whenever_somebody_listens(listens_at: str) -> None:
    (end, wire), told = an_end(), Told()
    if listens_at == "first":
        end.listen(told)
    end.data_received(TOO_LARGE[:20])
    if listens_at == "after the frame":
        end.listen(told)
    lose(end, wire)
    if listens_at == "after the end":
        end.listen(told)
    assert told.frames == []
    assert len(told.reasons) == 1
    assert "2000" in (told.reasons[0] or "")


async def test_a_cut_has_no_reason() -> None:
    (end, wire), told = an_end(), Told()
    lose(end, wire)
    end.listen(told)
    assert told.reasons == [None]
