"""What is kept of an answer, and that it is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gaugeway.proxy.transcript import MARGIN, TAIL_BYTES, Transcript


@given(st.lists(st.binary(max_size=60)), st.integers(0, 100))
def test_a_short_answer_is_kept_whole(chunks: list[bytes], cap: int) -> None:
    transcript = Transcript(cap)
    for chunk in chunks:
        transcript.add(chunk)
    whole = b"".join(chunks)
    assert transcript.size == len(whole)
    if len(whole) <= cap + MARGIN:
        assert transcript.head_and_tail() == transcript.head() == whole
        assert not transcript.is_cut


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=40), st.integers(0, 20_000))
def test_a_long_answer_keeps_its_beginning_and_its_end(sizes: list[int], cap: int) -> None:
    whole = b"".join(bytes([index % 251]) * size for index, size in enumerate(sizes))
    transcript, position = Transcript(cap), 0
    for size in sizes:
        transcript.add(whole[position : position + size])
        position += size
    kept = cap + MARGIN
    assert transcript.size == len(whole)
    assert transcript.head() == whole[:kept]
    assert transcript.is_cut == (len(whole) > kept)
    if transcript.is_cut:
        tail = transcript.head_and_tail()[kept + 1 :]
        assert whole.endswith(tail)
        assert len(tail) >= min(TAIL_BYTES, len(whole) - kept)
        assert len(tail) < TAIL_BYTES + 30_000
