"""What makes two requests the same for the cache: a SHA-256 over all that may decide the answer (contract 5.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qsl

from gaugeway.proxy.exchange import Exchange, Target
from gaugeway.proxy.headers import CREDENTIAL_HEADERS

VERSION = b"1"
"""Raised when the meaning of a key changes, so that no older answer is found by a newer key."""

_LOOKS_LIKE_ONE = re.compile(rb"auth|token|secret|credential|password|cookie|session|signature|key$")
_IS_NONE = re.compile(rb"idempotency|^sec-websocket-")


def cache_key(exchange: Exchange, own_key: bytes | None) -> bytes:
    """The key of a request that is routed; `own_key` is the one it names itself.

    Account, gateway, method, whether a stream is asked for, whether in OpenAI's format or the provider's, and every
    credential that would go upstream are always part of it: an answer is given to those only who would have got it
    from the provider with the same key, and neither a client's own key nor a header that we do not know to be a
    credential makes an exception.

    Without a key of its own the rest is: provider, its address, the headers the gateway itself sets there, path,
    query and body. With one, it takes the place of all those.
    """
    target = exchange.target
    assert target is not None  # noqa: S101  routing settles it or refuses
    parts = [
        VERSION,
        exchange.gateway.account_id.encode(),
        exchange.gateway.id.encode(),
        exchange.method.encode(),
        b"stream" if exchange.asked.stream else b"whole",
        b"native" if exchange.compat is None else b"compat",
        _framed(_credentials(exchange, target)),
    ]
    if own_key is not None:
        parts += (b"own", own_key, _framed(_query_keys(exchange.query)))
        return sha256(_framed(parts)).digest()
    parts += (
        b"computed",
        exchange.slug.encode(),
        f"{target.scheme}://{target.host}:{target.port}{target.prefix}".encode(),
        _framed([part for pair in target.headers for part in pair]),
        exchange.rest.encode("latin-1"),
        exchange.query,
    )
    digest = sha256(_framed(parts))
    digest.update(exchange.body)
    return digest.digest()


def _framed(parts: list[bytes]) -> bytes:
    """Parts joined so that no other parts give the same: their lengths, then all of them."""
    return b"%r" % list(map(len, parts)) + b"".join(parts)


def _credentials(exchange: Exchange, target: Target) -> list[bytes]:
    """Names and values, in the order of their names."""
    more = target.more_credentials
    pairs = [pair for pair in exchange.headers if is_credential(pair[0]) or pair[0] in more]
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
