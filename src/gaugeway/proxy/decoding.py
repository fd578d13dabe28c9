"""Reading compressed answers again, for the log. Bounded: what swells without end is cut."""

from __future__ import annotations

import zlib

import zstandard

_GZIP_OR_ZLIB = 47
"""zlib's window size that detects gzip and zlib by their heads."""

_GZIP_MAGIC = b"\x1f\x8b"

_Decoded = tuple[bytes, bool, str | None]


def decode_body(coding: bytes, body: bytes, limit: int) -> _Decoded:
    """Decoded bytes (at most `limit`), whether all of it, and what hindered in words.

    A body that breaks off is decoded as far as it came. Where nothing can be read, the bytes come back as
    they are with the reason.
    """
    name = coding.strip().lower()
    try:
        if name in (b"gzip", b"x-gzip"):
            return _gunzip(body, limit)
        if name == b"deflate":
            # RFC 9110 says zlib; some servers send the bare format
            bare = not body or (body[0] & 0x0F) != 8 or (body[0] << 8 | (body[1] if len(body) > 1 else 0)) % 31
            return _inflate(-15 if bare else 15, body, limit)
        if name == b"zstd":
            return _unzstd(body, limit)
    except (zlib.error, zstandard.ZstdError) as problem:
        return body[:limit], False, f"the answer is not the {name.decode('latin-1')} it says it is: {problem}"
    return body[:limit], False, f"the answer's content-encoding {name.decode('latin-1')!r} cannot be read here"


def _gunzip(body: bytes, limit: int) -> _Decoded:
    """All members of a gzip stream, which may be several (RFC 1952, 2.2): servers that flush make them so."""
    pieces: list[bytes] = []
    size = 0
    while True:
        decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
        pieces.append(decompressor.decompress(body, limit - size))
        size += len(pieces[-1])
        body = decompressor.unused_data
        if size >= limit or not body.startswith(_GZIP_MAGIC):
            return b"".join(pieces), decompressor.eof and not body.startswith(_GZIP_MAGIC), None


def _inflate(window: int, body: bytes, limit: int) -> _Decoded:
    decompressor = zlib.decompressobj(window)
    out = decompressor.decompress(body, limit)
    return out, decompressor.eof, None


def _unzstd(body: bytes, limit: int) -> _Decoded:
    pieces: list[bytes] = []
    size = 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    with decompressor.stream_reader(body, read_across_frames=True) as reader:
        while size < limit and (piece := reader.read(min(65536, limit - size))):
            pieces.append(piece)
            size += len(piece)
        complete = size < limit or not reader.read(1)
    return b"".join(pieces), complete, None
