"""Compressed answers are read again for the log, within bounds."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.proxy.decoding import decode_body

TEXT = b'{"usage": {"prompt_tokens": 3}} ' * 40


def bare_deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(TEXT)),
        (b"GZIP", gzip.compress(TEXT)),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", bare_deflate(TEXT)),
        (b"zstd", zstandard.compress(TEXT)),
        (b"gzip", gzip.compress(TEXT[:100]) + gzip.compress(b"") + gzip.compress(TEXT[100:])),
        (b"zstd", zstandard.compress(TEXT[:100]) + zstandard.compress(TEXT[100:])),
    ],
    ids=["gzip", "GZIP", "deflate", "deflate without a head", "zstd", "members of gzip", "frames of zstd"],
)
def test_each_coding_is_read(coding: bytes, body: bytes) -> None:
    assert decode_body(coding, body, 1 << 20) == (TEXT, True, None)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
def test_what_swells_without_end_is_cut(pack: object) -> None:
    coding = {gzip.compress: b"gzip", zlib.compress: b"deflate", zstandard.compress: b"zstd"}[pack]  # type: ignore[index]
    bomb = pack(bytes(50_000_000))  # type: ignore[operator]
    decoded, complete, problem = decode_body(coding, bomb, 10_000)
    assert (len(decoded), complete, problem) == (10_000, False, None)


def test_a_broken_off_answer_is_read_as_far_as_it_came() -> None:
    body = gzip.compress(bytes(range(256)) * 400)
    decoded, complete, problem = decode_body(b"gzip", body[: len(body) // 2], 1 << 20)
    assert (bytes(range(256)) * 400).startswith(decoded)
    assert not complete
    assert problem is None


def test_of_several_members_the_last_may_break_off() -> None:
    body = gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])
    decoded, complete, problem = decode_body(b"gzip", body[:-9], 1 << 20)
    assert (TEXT.startswith(decoded), len(decoded) > 100, complete, problem) == (True, True, False, None)
    assert decode_body(b"gzip", body, 150) == (TEXT[:150], False, None)
    assert decode_body(b"gzip", body, 100) == (TEXT[:100], False, None)


def test_an_unknown_coding_says_so() -> None:
    decoded, complete, problem = decode_body(b"br", b"\x0b\x02\x80", 1 << 20)
    assert (decoded, complete) == (b"\x0b\x02\x80", False)
    assert problem is not None
    assert "'br'" in problem


@given(st.sampled_from([b"gzip", b"deflate", b"zstd", b"x-gzip", b"br"]), st.binary(max_size=300))
def test_nothing_that_arrives_raises(coding: bytes, body: bytes) -> None:
    decode_body(coding, body, 1000)
