"""A request as bytes: the head in one piece, and nothing in it that could be read as a second one."""

from __future__ import annotations

import re
from operator import itemgetter

from gaugeway.core.errors import ConnectFailed, Side
from gaugeway.proxy.connectors.seam import Outgoing

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_TARGET = re.compile(rb"/[^\x00-\x20\x7f]*")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]{2,45}")
_OURS = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade"))
_WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 256
_MOST_BLOCKS = 512
_LARGEST_BLOCK = 4096

# What was looked at and found good: a look-up a request instead of a regular expression for each part of it.
_known_lines: dict[tuple[bytes, bytes], bytes] = {}
_known_names: set[bytes] = set()
_known_blocks: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}
_name_of = itemgetter(0)
_as_line = b": ".join


def serialise_head(request: Outgoing, host_value: bytes) -> bytes:
    """Request line and headers, with Host and, where there is or could be a body, Content-Length.

    Raises ConnectFailed (POLICY) where anything in it could be taken for more than it is: a line break or NUL,
    a header that is no token or that frames the message, a target with a space or without its leading slash.
    """
    method, length = request.method, len(request.body)
    line = _known_lines.get((method, request.target))
    if line is None:
        line = _learn_line(method, request.target)
    headers = tuple(request.headers)
    block = _known_blocks.get(headers)
    if block is None:
        block = _learn_block(headers)
    end = b"Content-Length: %d\r\n\r\n" % length if length or method in _WITH_BODY else b"\r\n"
    return b"".join((line, host_value, b"\r\n", block, end))


def host_value(scheme: str, host: str, port: int) -> bytes:
    """The Host header: with the port where it is not the scheme's own, an IPv6 address in brackets.

    Raises ConnectFailed (POLICY) for what is neither a host name in ASCII nor an address.
    """
    if _HOST.fullmatch(host) is None:
        raise _refused(f"{host[:64]!r} is no host: expected a name in ASCII (xn--… for others) or an address")
    name = f"[{host}]" if ":" in host else host
    if port != (443 if scheme == "https" else 80):
        name = f"{name}:{port}"
    return name.encode("ascii")


def _learn_line(method: bytes, target: bytes) -> bytes:
    if _TOKEN.fullmatch(method) is None:
        raise _refused("its method is no token")
    if _TARGET.fullmatch(target) is None:
        raise _refused("its target must begin with a slash and hold neither spaces nor control characters")
    line = b"%b %b HTTP/1.1\r\nHost: " % (method, target)
    if len(_known_lines) >= _MOST_KNOWN:
        _known_lines.clear()
    if len(target) <= _LONGEST_KNOWN:
        _known_lines[method, target] = line
    return line


def _learn_block(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The lines of these headers, each with its line break."""
    if not _known_names.issuperset(map(_name_of, headers)):
        _learn_names(headers)
    block = b"\r\n".join([*map(_as_line, headers), b""])
    # Every line brings one CR and one LF: any more of either came with a value.
    if len(block) - len(block.translate(None, b"\r\n\0")) != 2 * len(headers):
        raise _broken_value(headers)
    if len(block) <= _LARGEST_BLOCK:
        if len(_known_blocks) >= _MOST_BLOCKS:
            _known_blocks.clear()
        _known_blocks[headers] = block
    return block


def _learn_names(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    for name, _ in headers:
        if name in _known_names:
            continue
        if _TOKEN.fullmatch(name) is None:
            raise _refused(f"the header name {name[:64]!r} is no token")
        if name.lower() in _OURS:
            raise _refused(f"the header {name.decode()} belongs to the connection and cannot be set")
        if len(_known_names) >= _MOST_KNOWN:
            _known_names.clear()
        _known_names.add(name)


def _broken_value(headers: tuple[tuple[bytes, bytes], ...]) -> ConnectFailed:
    broken = (name for name, value in headers if len(value.translate(None, b"\r\n\0")) < len(value))
    name = next(broken, b"?").decode()
    return _refused(f"the value of the header {name} holds a line break or NUL")


def _refused(why: str) -> ConnectFailed:
    return ConnectFailed(f"The request was not sent: {why}.", side=Side.POLICY)
