"""Frames: whatever the cuts of the stream, what was sent arrives, and rubbish ends it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.model import Logged
from gaugeway.recorder import wire
from gaugeway.recorder.wire import FrameReader, Kind, Malformed
from support.recorder_parts import logged

Frame = tuple[Kind, int, int, bytes]
frames = st.lists(
    st.tuples(st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=300)),
    max_size=8,
)


class Collecting(FrameReader):
    """Keeps what it receives."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.problem: Malformed | None = None

    def frame_received(self, kind: Kind, number: int, rows: int, payload: bytearray) -> None:
        self.frames.append((kind, number, rows, bytes(payload)))

    def broken(self, problem: Malformed) -> None:
        self.problem = problem


def feed(reader: FrameReader, data: bytes, cuts: list[int]) -> None:
    """As a transport does: at most as much as the reader has room for, cut at any place."""
    position = 0
    turn = 0
    while position < len(data):
        buffer = reader.get_buffer(-1)
        assert len(buffer) > 0
        size = min(len(buffer), len(data) - position, cuts[turn % len(cuts)])
        buffer[:size] = data[position : position + size]
        reader.buffer_updated(size)
        position += size
        turn += 1


@given(frames, st.lists(st.integers(1, 400), min_size=1, max_size=10))
def test_what_was_sent_arrives(sent: list[Frame], cuts: list[int]) -> None:
    reader = Collecting()
    data = b"".join(wire.frame(kind, number, payload, rows) for kind, number, rows, payload in sent)
    feed(reader, data, cuts)
    assert reader.frames == sent
    assert reader.problem is None


@given(st.binary(min_size=17, max_size=17))
def test_any_header_is_read_or_refused(header: bytes) -> None:
    reader = Collecting()
    length, kind, _, _ = wire.HEADER.unpack(header)
    if length > wire.MAX_FRAME:
        feed(reader, header, [17])
        assert "the limit" in str(reader.problem)
    elif length <= 4096:
        feed(reader, header + b"x" * length, [4096])
        assert (reader.problem is not None) == (kind not in set(Kind))


def test_a_batch_is_what_it_was() -> None:
    logs = [logged(number, body=b"b" * number) for number in range(3)]
    reader = Collecting()
    feed(reader, bytes(wire.batch(9, logs)), [1000])
    ((kind, number, rows, payload),) = reader.frames
    assert (kind, number, rows) == (Kind.BATCH, 9, 3)
    assert msgspec.msgpack.decode(payload, type=list[Logged]) == logs


def test_text_that_is_no_text_is_told_when_encoding() -> None:
    with pytest.raises(UnicodeEncodeError):
        wire.batch(1, [logged(1, model="\ud800")])
