"""Whether a request is answered from the cache, and how long its answer is kept (contract 5.1)."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.core.model import Gateway
from gaugeway.core.provider import Asked

MIN_TTL = 60
MAX_TTL = 2_592_000
"""Seconds; the bounds of `cf-aig-cache-ttl`: a minute, and Cloudflare's "1 month"."""

KEYED_TTL = 300
"""Seconds that an answer lives whose request gives a key of its own, where nobody says how long."""

MAX_KEY = 1024
"""Bytes of `cf-aig-cache-key`."""

MAX_CACHEABLE = 25 * 1024 * 1024
"""Bytes of a request, and of an answer, that the cache takes."""


HIT, MISS = b"HIT", b"MISS"
"""`cf-aig-cache-status`."""


class CacheWishes(Struct, frozen=True, kw_only=True):
    """What a request's headers ask of the cache. None: not said."""

    ttl: int | None = None  # seconds
    key: bytes | None = None
    skip: bool = False  # neither read nor written
    streams: bool = False  # streamed answers, too


NO_WISHES = CacheWishes()


def lifetime(wishes: CacheWishes, gateway: Gateway, method: str, asked: Asked, size: int) -> int:
    """Seconds that the answer to a request of `size` bytes may be kept; 0: the cache has no part in it.

    A GET has one only where the request itself asks for it: a gateway's `cache_ttl` would otherwise freeze the
    state of whatever clients poll.
    """
    is_wished = wishes.ttl is not None or wishes.key is not None
    if wishes.skip or size > MAX_CACHEABLE or (asked.stream and not wishes.streams):
        return 0
    if method != "POST" and not (method == "GET" and is_wished):
        return 0
    if wishes.ttl is not None:
        return wishes.ttl
    return gateway.cache_ttl or (KEYED_TTL if wishes.key is not None else 0)
