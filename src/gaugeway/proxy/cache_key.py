"""What makes two requests the same for the cache: a SHA-256 over all that may decide the answer (contract 5.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from itertools import compress
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl

from gaugeway.proxy.credentials import CREDENTIAL_HEADERS
from gaugeway.proxy.exchange import Exchange, Target

VERSION = b"2"
"""Raised when the meaning of a key changes, so that no older answer is found by a newer key."""

_LOOKS_LIKE_ONE = re.compile(rb"auth|token|secret|credential|password|cookie|session|signature|key$")
_name_of = itemgetter(0)
_IS_NONE = re.compile(rb"idempotency|^sec-websocket-")


def cache_key(exchange: Exchange, own_key: bytes | None) -> bytes:
    """The key of a request that is routed; `own_key` is the one it names itself.

    Account, gateway, method, whether a stream is asked for, in which format the answer is given, and every
    credential that would go upstream are always part of it: an answer is given to those only who would have got it
    from the provider with the same key, and neither a client's own key nor a header that we do not know to be a
    credential makes an exception.

    Without a key of its own the rest is: provider, its address, the headers the gateway itself sets there, path,
    query and body, and the model that a dynamic route has chosen. With one, it takes the place of all those.
    """
    target, gateway = exchange.target, exchange.gateway
    assert target is not None  # noqa: S101  routing settles it or refuses
    form = b"native" if exchange.compat is None else exchange.compat.form
    kind = (gateway.account_id, gateway.id, exchange.method, exchange.asked.stream, form)
    credentials = _framed(_credentials(exchange, target))
    if own_key is not None:
        digest = _begun(kind, b"own").copy()
        digest.update(_framed([credentials, own_key, _framed(_query_keys(exchange.query))]))
        return digest.digest()
    where = (target.scheme, target.host, target.port, target.prefix)
    digest = _begun(kind, b"computed", exchange.slug, exchange.rest, where, target.headers).copy()
    # the body of a dynamic route's request names only the route
    model = exchange.compat.model if exchange.route is not None and exchange.compat is not None else b""
    digest.update(_framed([credentials, exchange.query, model]))
    digest.update(exchange.body)
    return digest.digest()


@lru_cache(maxsize=1024)
def _begun(  # noqa: PLR0917  by position: it is looked up for every request
    kind: tuple[str, str, str, bool, bytes],
    by: bytes,
    slug: str = "",
    rest: str = "",
    where: tuple[str, str, int, str] = ("", "", 0, ""),
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Any:
    """A hash of what many requests have in common."""
    account_id, gateway_id, method, stream, form = kind
    parts = [VERSION, account_id.encode(), gateway_id.encode(), method.encode(), b"stream" if stream else b"whole"]
    address = "{}://{}:{}{}".format(*where)
    parts += (form, by, slug.encode(), address.encode(), rest.encode("latin-1"))
    return sha256(_framed([*parts, *(part for pair in headers for part in pair)]))


def _framed(parts: list[bytes]) -> bytes:
    """Parts joined so that no other parts give the same: their lengths, then all of them."""
    return b"%r" % list(map(len, parts)) + b"".join(parts)


def _credentials(exchange: Exchange, target: Target) -> list[bytes]:
    """Names and values, in the order of their names."""
    headers, more = exchange.headers, target.more_credentials
    pairs = [*compress(headers, map(is_credential, map(_name_of, headers)))]
    if more:
        pairs = [pair for pair in headers if is_credential(pair[0]) or pair[0] in more]
    if exchange.key:
        pairs.append((b"", exchange.key.encode()))
    pairs.sort()
    return [part for pair in pairs for part in pair]


def _query_keys(query: bytes) -> list[bytes]:
    """Google's `?key=`."""
    if b"key=" not in query:
        return []
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [value.encode("latin-1") for name, value in pairs if name.endswith("key")]


@lru_cache(maxsize=4096)
def is_credential(name: bytes) -> bool:
    """Whether a header carries a credential, or looks as if: custom providers have names of their own for it.

    Taking one too many for it costs a hit; taking one too few would show an answer to somebody else.
    """
    if name in CREDENTIAL_HEADERS:
        return True
    return _LOOKS_LIKE_ONE.search(name) is not None and _IS_NONE.search(name) is None
