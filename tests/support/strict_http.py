"""A reader of HTTP/1.1 answers that is as plain and as strict as RFC 9112 lets it be: what others are held to.

And strategies for answers, for ways to cut them up, and for ways to spoil them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from hypothesis import strategies as st

# The reason phrase means nothing, so it is not looked at. All else is as RFC 9112 has it.
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:;[^\r\n]*)?")

Headers = list[tuple[bytes, bytes]]


class Read(NamedTuple):
    """An answer to a POST that came to its clean end."""

    status: int
    headers: Headers
    body: bytes


def read_answer(wire: bytes) -> Read | None:
    """The answer at the beginning of `wire`, after which the connection was closed; None where it is broken."""
    status, interim = 100, True
    headers: Headers = []
    while interim:
        head, blank, wire = wire.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        first = _STATUS.fullmatch(line)
        pairs = [_HEADER.fullmatch(each) for each in lines]
        if not blank or first is None or not all(pairs):
            return None
        status = int(first[1])
        headers = [(pair[1].lower(), pair[2].rstrip(b" \t")) for pair in pairs if pair]
        interim = 100 <= status < 200 and status != 101
        if interim:
            wire = wire.lstrip(b"\r\n")  # as llhttp has it: line breaks between the answers to one request
    if not 200 <= status < 600:
        return None
    body = _read_body(status, headers, wire)
    return None if body is None else Read(status, headers, body)


def _read_body(status: int, headers: Headers, wire: bytes) -> bytes | None:
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        return None
    if codings and codings[0].lower() != b"chunked":
        return None
    if lengths and not lengths[0].isdigit():
        return None
    if status in (204, 304):
        return b""
    if codings:
        return _read_chunks(wire)
    if lengths:
        length = int(lengths[0])
        return wire[:length] if length <= len(wire) else None
    return wire


def _read_chunks(wire: bytes) -> bytes | None:
    body = b""
    while True:
        line, end, wire = wire.partition(b"\r\n")
        match = _SIZE.fullmatch(line)
        if not end or match is None:
            return None
        size = int(match[1], 16)
        if size == 0:
            return body if _ends_well(wire) else None
        if len(wire) < size + 2 or wire[size : size + 2] != b"\r\n":
            return None
        body += wire[:size]
        wire = wire[size + 2 :]


def _ends_well(wire: bytes) -> bool:
    """Trailers, then an empty line."""
    while True:
        line, end, wire = wire.partition(b"\r\n")
        if not end:
            return False
        if not line:
            return True
        if _HEADER.fullmatch(line) is None:
            return False


class Written(NamedTuple):
    """An answer as it goes over the wire, and what a reader must make of it."""

    wire: bytes
    read: Read
    closes: bool  # it ends with the connection


_names = st.from_regex(rb"[xX]-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True)
_values = st.from_regex(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,30}[!-~\x80-\xff])?)?", fullmatch=True)
_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


@st.composite
def written_answers(draw: st.DrawFn) -> Written:
    """Good answers to a POST, in every kind of framing."""
    status = draw(st.sampled_from((200, 201, 206, 400, 404, 429, 500, 529)))
    pairs = draw(st.lists(st.tuples(_names, _values), max_size=4))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    framing = draw(st.sampled_from(("length", "chunked", "close")))
    says_close = draw(st.booleans())
    body = b"".join(pieces)
    if says_close:
        pairs.append((b"Connection", b"close"))
    payload = body
    if framing == "length":
        pairs.append((b"Content-Length", b"%d" % len(body)))
    elif framing == "chunked":
        pairs.append((b"Transfer-Encoding", b"chunked"))
        extension = draw(st.sampled_from((b"", b";a", b";a=b", b';a="b c"')))
        payload = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
        payload += b"0\r\n" + draw(st.sampled_from((b"", b"X-Trailer: 1\r\n"))) + b"\r\n"
    pairs = draw(st.permutations(pairs))
    head = b"HTTP/1.1 %d Whatever\r\n" % status + b"".join(b"%b: %b\r\n" % pair for pair in pairs)
    wire = _INTERIM * draw(st.integers(0, 2)) + head + b"\r\n" + payload
    read = Read(status, [(name.lower(), value) for name, value in pairs], body)
    return Written(wire, read, says_close or framing == "close")


@st.composite
def cuts(draw: st.DrawFn, wire: bytes, most: int = 8) -> tuple[bytes, ...]:
    """The same bytes in pieces."""
    places = sorted(draw(st.sets(st.integers(1, max(1, len(wire) - 1)), max_size=most)))
    edges = [0, *places, len(wire)]
    return tuple(wire[start:end] for start, end in pairwise(edges) if start < end)


_SPOILS = (
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b":", b";", b"0", b"f", b"\xff", b",", b"gzip, ",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"HTTP/1.1 200 OK\r\n",
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, wire: bytes) -> bytes:
    """The bytes with a few of them changed, lost, doubled or added."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(wire)))
        end = min(len(wire), start + draw(st.integers(0, 6)))
        kind = draw(st.sampled_from(("replace", "delete", "double", "cut off", "insert")))
        some = draw(st.sampled_from(_SPOILS))
        wire = {
            "replace": wire[:start] + some + wire[start + 1 :],
            "delete": wire[:start] + wire[end:],
            "double": wire[:end] + wire[start:],
            "cut off": wire[:start],
            "insert": wire[:start] + some + wire[start:],
        }[kind]
    return wire
