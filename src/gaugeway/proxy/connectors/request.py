"""A request as bytes: the head in one piece, and nothing in it that could be read as a second one."""

from __future__ import annotations

import re
from functools import lru_cache

from gaugeway.core.errors import ConnectFailed, Side
from gaugeway.proxy.connectors.seam import Outgoing

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_NOT_IN_TARGET = re.compile(rb"[\x00-\x20\x7f]")
_OURS = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade"))
_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
_WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
_MOST_NAMES = 4096

# Names that were looked at and found good: a set look-up a header instead of a regular expression.
_known_names: set[bytes] = set()


def serialise_head(request: Outgoing) -> bytes:
    """Request line and headers, with Host and, where there is or could be a body, Content-Length.

    Raises ConnectFailed (POLICY) where anything in it could be taken for more than it is: a line break or NUL,
    a header that is no token or that frames the message, a target with a space or without its leading slash.
    """
    method, target, headers = request.method, request.target, request.headers
    parts = [method, b" ", target, b" HTTP/1.1\r\nHost: ", host_value(request.scheme, request.host, request.port)]
    for name, value in headers:
        if name not in _known_names:
            _learn(name)
        parts += (b"\r\n", name, b": ", value)
    line_breaks = len(headers) + 3
    if request.body or method in _WITH_BODY:
        parts.append(b"\r\nContent-Length: %d" % len(request.body))
        line_breaks += 1
    parts.append(b"\r\n\r\n")
    head = b"".join(parts)
    # Every line brings one CR and one LF: any more of either came with a value.
    if head.count(b"\r") != line_breaks or head.count(b"\n") != line_breaks or b"\0" in head:
        raise _broken_part(request)
    if target[:1] != b"/" or _NOT_IN_TARGET.search(target) is not None:
        raise _refused("the request target must begin with a slash and hold neither spaces nor control characters")
    if method not in _METHODS and _TOKEN.fullmatch(method) is None:
        raise _refused("the request method is no token")
    return head


@lru_cache(maxsize=1024)
def host_value(scheme: str, host: str, port: int) -> bytes:
    """The Host header: with the port where it is not the scheme's own, an IPv6 address in brackets."""
    name = f"[{host}]" if ":" in host else host
    if port != (443 if scheme == "https" else 80):
        name = f"{name}:{port}"
    try:
        return name.encode("ascii")
    except UnicodeEncodeError as problem:
        raise _refused(f"the host {host!r} is not in ASCII; write it as xn--…") from problem


def _learn(name: bytes) -> None:
    if _TOKEN.fullmatch(name) is None:
        raise _refused(f"the header name {name[:64]!r} is no token")
    if name.lower() in _OURS:
        raise _refused(f"the header {name.decode()} belongs to the connection and cannot be set")
    if len(_known_names) >= _MOST_NAMES:
        _known_names.clear()
    _known_names.add(name)


def _broken_part(request: Outgoing) -> ConnectFailed:
    for name, value in request.headers:
        if any(control in value for control in (b"\r", b"\n", b"\0")):
            return _refused(f"the value of the header {name.decode()} holds a line break or NUL")
    return _refused("its method, target or host holds a line break or NUL")


def _refused(why: str) -> ConnectFailed:
    return ConnectFailed(f"The request was not sent: {why}.", side=Side.POLICY)
