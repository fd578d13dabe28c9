"""Which headers travel and which stay, upstream and downstream."""

from __future__ import annotations

from collections.abc import Container
from itertools import compress
from operator import itemgetter, not_

import msgspec

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import BAD_HEADER
from gaugeway.proxy.exchange import Headers, Options
from gaugeway.proxy.wishes import LEGACY, read_option, refuse

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""RFC 9110 section 7.6.1 and the older ones of RFC 2616: they speak of one connection only."""

_NOT_UPSTREAM = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    # Cloudflare's own credentials and legacy spellings end at the gateway
    b"cf-access-jwt-assertion",
    b"cf-access-client-id",
    b"cf-access-client-secret",
}
_NOT_DOWNSTREAM = HOP_BY_HOP | {
    b"alt-svc",  # names other ways to the upstream, not to us
    # Cloudflare's (contract 4.2): said of this gateway, whatever stands behind it
    b"cf-aig-cache-status",
    b"cf-aig-dlp",
    b"cf-aig-event-id",
    b"cf-aig-log-id",
    b"cf-aig-model",
    b"cf-aig-provider",
    b"cf-aig-request-id",
    b"cf-aig-routed-model",
    b"cf-aig-routing-decision-id",
    b"cf-aig-routing-reason",
    b"cf-aig-run-id",
    b"cf-aig-step",
}

_PLAIN_CONNECTION = (b"keep-alive", b"close")
_CONNECTION = (b"connection",)
_USUAL_CONNECTIONS: tuple[Headers, ...] = ([], [(b"connection", b"keep-alive")], [(b"connection", b"close")])
_DECODABLE = (b"gzip", b"deflate", b"zstd", b"identity")


class Sorted(msgspec.Struct):
    """A request's headers, sorted in one pass."""

    upstream: Headers
    options: Options
    content_type: str = ""
    user_agent: str | None = None
    content_length: int | None = None


_name_of = itemgetter(0)


def among(headers: Headers, names: Container[bytes]) -> Headers:
    """The headers of these names, in their order.

    This and its like run in C throughout: a loop over a request's headers costs two microseconds more.
    """
    return [*compress(headers, map(names.__contains__, map(_name_of, headers)))]


def without(headers: Headers, names: Container[bytes]) -> Headers:
    """The headers of other names, in their order."""
    return [*compress(headers, map(not_, map(names.__contains__, map(_name_of, headers))))]


def has(headers: Headers, name: bytes) -> bool:
    """Whether there is a header of that name."""
    return name in map(_name_of, headers)


def sort_request(headers: Headers, options: Options | None = None) -> Sorted:
    """Part what goes upstream from what is for the gateway; raises GatewayError (400) naming a bad header.

    What the headers ask for is added to `options`, where they are given. Most names are known to go upstream as
    they are, so only the others are looked at one by one.
    """
    options = Options() if options is None else options
    passes = [*map(_passing.__contains__, map(_name_of, headers))]
    found = Sorted([*compress(headers, passes)], options)
    new: set[bytes] = set()
    said: set[bytes] = set()
    connection: bytes | None = None
    for name, value in compress(headers, map(not_, passes)):
        if name == b"content-length":
            found.content_length = int(value)  # the server's parser let only digits through
        elif name == b"connection":
            connection = value if connection is None else connection + b"," + value
        elif name.startswith(b"cf-aig-") or name in LEGACY:
            if name in said:
                raise refuse(name, "is given twice")
            said.add(name)
            read_option(options, name, value)
        elif name in _CHECKED:
            _CHECKED[name](value)
        elif name not in _NOT_UPSTREAM:
            new.add(name)
    if new:
        found.upstream = [pair for pair in headers if pair[0] in _passing or pair[0] in new]
        _learn_to_pass(new)
    if connection is not None and connection.lower() not in _PLAIN_CONNECTION:
        found.upstream = without(found.upstream, named_by_connection(connection))
    values = dict(found.upstream)
    if b"accept-encoding" in values:
        found.upstream = [_narrowed(pair) for pair in found.upstream]
    found.content_type = values.get(b"content-type", b"").decode("latin-1")
    agent = values.get(b"user-agent")
    found.user_agent = None if agent is None else agent.decode("latin-1")
    return found


_passing = {b"accept", b"accept-encoding", b"authorization", b"content-type", b"user-agent", b"x-api-key"}
"""Names that are known to go upstream as they are; more are learnt as they come."""
_MOST_PASSING = 2048
_LONGEST_PASSING = 64


def _learn_to_pass(names: set[bytes]) -> None:
    if len(_passing) < _MOST_PASSING:
        _passing.update(name for name in names if len(name) <= _LONGEST_PASSING)


def _check_transfer_coding(value: bytes) -> None:
    """Other codings than chunked are of this connection only, and would have to be undone here."""
    if value.strip().lower() != b"chunked":
        raise GatewayError(501, BAD_HEADER, "Header transfer-encoding: only chunked can be read; leave others out")


def _check_upgrade(value: bytes) -> None:
    """Who asks for a WebSocket where there can be none is told; other protocols are an offer, and passed over (RFC
    9110 section 7.8). What may become a WebSocket comes here without this header (see server.py).
    """
    if b"websocket" in value.lower():
        message = (
            "a WebSocket is asked for with GET, HTTP/1.1 and `Connection: Upgrade`, and no other request under way"
        )
        raise refuse(b"upgrade", message)


_CHECKED = {b"transfer-encoding": _check_transfer_coding, b"upgrade": _check_upgrade}


def named_by_connection(value: bytes) -> frozenset[bytes]:
    """The header names that a Connection header declares hop-by-hop."""
    return frozenset(name.strip().lower() for name in value.split(b","))


def for_downstream(headers: Headers) -> Headers:
    """An upstream's headers without those that speak of its own connection. Content-Length stays."""
    kept = without(headers, _NOT_DOWNSTREAM)
    connections = among(headers, _CONNECTION)
    if connections not in _USUAL_CONNECTIONS:
        for _, value in connections:
            if value.lower() not in _PLAIN_CONNECTION:
                kept = without(kept, named_by_connection(value))
    return kept


_decodable_cache: dict[bytes, bytes] = {}


def _narrowed(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return (pair[0], _decodable(pair[1])) if pair[0] == b"accept-encoding" else pair


def _decodable(value: bytes) -> bytes:
    """An Accept-Encoding narrowed to what the log can read again (brotli is left out)."""
    narrowed = _decodable_cache.get(value)
    if narrowed is None:
        codings = [item.strip() for item in value.lower().split(b",")]
        kept = [item for item in codings if item.split(b";")[0].strip() in _DECODABLE]
        narrowed = value if len(kept) == len(codings) else b", ".join(kept) or b"identity"
        if len(_decodable_cache) < 256:
            _decodable_cache[value] = narrowed
    return narrowed
