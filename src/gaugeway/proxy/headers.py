"""Which headers travel, which stay, and what the `cf-aig-*` ones ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import CustomCost, Metadata
from gaugeway.proxy.cache_policy import MAX_KEY, MAX_TTL, MIN_TTL, CacheWishes
from gaugeway.proxy.exchange import Headers, Options
from gaugeway.proxy.retrying import BACKOFFS, MAX_ATTEMPTS, MAX_DELAY_MS, MAX_REQUEST_TIMEOUT_MS, NO_WISHES

BAD_HEADER = 7001
"""The code of a 400 for a header that cannot be honoured. Cloudflare documents none; this is its code for
input validation."""

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

CREDENTIAL_HEADERS = frozenset(
    (
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"xi-api-key",
        b"x-auth-key",
    )
)
"""Where a client may carry a key, whatever the provider. Each value is kept out of the log, and never goes
upstream when it is one of our own tokens."""

_NOT_UPSTREAM = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    # Cloudflare's own credentials and legacy spellings end at the gateway
    b"cf-access-jwt-assertion",
    b"cf-access-client-id",
    b"cf-access-client-secret",
}
_TREATED = _NOT_UPSTREAM | {b"content-type", b"user-agent", b"accept-encoding"}
_NOT_DOWNSTREAM = HOP_BY_HOP | {
    b"alt-svc",  # names other ways to the upstream, not to us
    b"cf-aig-log-id",
    b"cf-aig-event-id",
    b"cf-aig-step",
    b"cf-aig-cache-status",
}

_PLAIN_CONNECTION = (b"keep-alive", b"close")
_DECODABLE = (b"gzip", b"deflate", b"zstd", b"identity")
MAX_EVENT_ID = 512
MAX_METADATA_ENTRIES = 5
MAX_DIGITS = 12
_INT64 = 1 << 63  # a log with a larger number could not be kept whole, and would have neither model nor cost


class Sorted(msgspec.Struct):
    """A request's headers, sorted in one pass."""

    upstream: Headers
    options: Options
    content_type: str = ""
    user_agent: str | None = None
    content_length: int | None = None


def sort_request(headers: Iterable[tuple[bytes, bytes]], options: Options | None = None) -> Sorted:
    """Part what goes upstream from what is for the gateway; raises GatewayError (400) naming a bad header.

    What the headers ask for is added to `options`, where they are given.
    """
    upstream: Headers = []
    options = Options() if options is None else options
    found = Sorted(upstream, options)
    connection: bytes | None = None
    keep = upstream.append
    for pair in headers:
        name, value = pair
        if name not in _TREATED and not name.startswith(b"cf-"):
            keep(pair)
        elif name == b"content-type":
            found.content_type = value.decode("latin-1")
            keep(pair)
        elif name == b"user-agent":
            found.user_agent = value.decode("latin-1")
            keep(pair)
        elif name == b"accept-encoding":
            keep((name, _decodable(value)))
        elif name == b"content-length":
            found.content_length = int(value)  # the server's parser let only digits through
        elif name == b"connection":
            connection = value if connection is None else connection + b"," + value
        elif name.startswith(b"cf-aig-") or name in _LEGACY:
            _read_option(options, name, value)
        elif name in _CHECKED:
            _CHECKED[name](value)
        elif name not in _NOT_UPSTREAM:
            keep(pair)
    if connection is not None and connection.lower() not in _PLAIN_CONNECTION:
        dropped = named_by_connection(connection)
        found.upstream = [pair for pair in upstream if pair[0] not in dropped]
    return found


def _check_transfer_coding(value: bytes) -> None:
    """Other codings than chunked are of this connection only, and would have to be undone here."""
    if value.strip().lower() != b"chunked":
        raise GatewayError(501, BAD_HEADER, "Header transfer-encoding: only chunked can be read; leave others out")


def _check_upgrade(value: bytes) -> None:
    """A WebSocket cannot be had without; other protocols are an offer, and passed over (RFC 9110 section 7.8)."""
    if b"websocket" in value.lower():
        raise _refuse(b"upgrade", "WebSockets are not available in this version")


_CHECKED = {b"transfer-encoding": _check_transfer_coding, b"upgrade": _check_upgrade}


def named_by_connection(value: bytes) -> frozenset[bytes]:
    """The header names that a Connection header declares hop-by-hop."""
    return frozenset(name.strip().lower() for name in value.split(b","))


def for_downstream(headers: Headers) -> Headers:
    """An upstream's headers without those that speak of its own connection. Content-Length stays."""
    kept: Headers = []
    dropped: frozenset[bytes] = frozenset()
    for pair in headers:
        if pair[0] not in _NOT_DOWNSTREAM:
            kept.append(pair)
        elif pair[0] == b"connection" and pair[1].lower() not in _PLAIN_CONNECTION:
            dropped |= named_by_connection(pair[1])
    return [pair for pair in kept if pair[0] not in dropped] if dropped else kept


_decodable_cache: dict[bytes, bytes] = {}


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


def _refuse(name: bytes, message: str) -> GatewayError:
    return GatewayError(400, BAD_HEADER, f"Header {name.decode('latin-1')}: {message}")


def _flag(name: bytes, value: bytes) -> bool:
    lowered = value.strip().lower()
    if lowered not in (b"true", b"false"):
        raise _refuse(name, "expected true or false")
    return lowered == b"true"


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _refuse(name, "is not UTF-8") from None


def _read_token(options: Options, _name: bytes, value: bytes) -> None:
    options.token = bare_credential(value)


def _read_collect_log(options: Options, name: bytes, value: bytes) -> None:
    options.collect_log = _flag(name, value)


def _read_collect_payload(options: Options, name: bytes, value: bytes) -> None:
    options.collect_log_payload = _flag(name, value)


def _read_event_id(options: Options, name: bytes, value: bytes) -> None:
    text = _text(name, value).strip()
    if not text or len(text) > MAX_EVENT_ID or not text.isprintable():
        raise _refuse(name, f"expected 1 to {MAX_EVENT_ID} printable characters")
    options.event_id = text


def _read_metadata(options: Options, name: bytes, value: bytes) -> None:
    options.metadata = parse_metadata(name, value)


def parse_metadata(name: bytes, value: bytes) -> Metadata | None:
    """At most the first five entries; a null or nested value makes the whole header count for nothing.

    Both are what Cloudflare documents (contract 4.1); anything that is no JSON object is refused.
    """
    try:
        entries = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _refuse(name, 'expected a JSON object such as {"user": "u42"}') from None
    if not all(isinstance(item, str | int | float) for item in entries.values()):
        return None
    if any(isinstance(item, int) and not -_INT64 <= item < _INT64 for item in entries.values()):
        raise _refuse(name, "holds a whole number that does not fit 64 bits: send it as a text")
    kept = [(key, item) for key, item in entries.items() if not key.startswith("cf.")]
    return dict(kept[:MAX_METADATA_ENTRIES]) or None


class _CostHeader(msgspec.Struct, forbid_unknown_fields=True):
    per_token_in: Decimal | None = None
    per_token_out: Decimal | None = None
    per_cache_read_token: Decimal | None = None
    per_cache_write_token: Decimal | None = None
    total_cost: Decimal | None = None


_ODD_NUMBER = re.compile(rb':\s*"[^"]*[^0-9.eE+-][^"]*"')
"""A number in a text that Python would read and nobody else: `1_000`, ` 1`, digits of other scripts."""
_cost_decoder = msgspec.json.Decoder(_CostHeader)
MAX_COST_DIGITS = 40


def _read_custom_cost(options: Options, name: bytes, value: bytes) -> None:
    if _ODD_NUMBER.search(value):
        raise _refuse(name, "an amount given as a text has digits, a dot and an exponent only")
    try:
        said = _cost_decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise _refuse(
            name, f"expected a JSON object of per_token_in, per_token_out or total_cost: {problem}"
        ) from None
    amounts = [amount for field in said.__struct_fields__ if (amount := getattr(said, field)) is not None]
    if not amounts:
        raise _refuse(name, "names no amount: give per_token_in and per_token_out, or total_cost")
    for amount in amounts:
        if (
            not amount.is_finite()
            or amount < 0
            or amount > 1_000_000
            or -amount.as_tuple().exponent > MAX_COST_DIGITS
        ):
            raise _refuse(
                name, f"amounts lie between 0 and 1000000 dollars with at most {MAX_COST_DIGITS} decimals"
            )
    rates = len(amounts) - (said.total_cost is not None)
    if said.total_cost is not None and rates:
        raise _refuse(name, "gives both total_cost and rates per token; give one")
    options.custom_cost = CustomCost(
        per_token_in=said.per_token_in,
        per_token_out=said.per_token_out,
        per_cache_read_token=said.per_cache_read_token,
        per_cache_write_token=said.per_cache_write_token,
        total_cost=said.total_cost,
    )


def _whole(name: bytes, value: bytes, low: int, high: int) -> int:
    text = value.strip()
    if not text.isdigit() or len(text) > MAX_DIGITS or not low <= int(text) <= high:
        raise _refuse(name, f"expected a whole number from {low} to {high}")
    return int(text)


def _read_max_attempts(options: Options, name: bytes, value: bytes) -> None:
    options.retry = replace(options.retry or NO_WISHES, max_attempts=_whole(name, value, 1, MAX_ATTEMPTS))


def _read_retry_delay(options: Options, name: bytes, value: bytes) -> None:
    options.retry = replace(options.retry or NO_WISHES, delay_ms=_whole(name, value, 0, MAX_DELAY_MS))


def _read_backoff(options: Options, name: bytes, value: bytes) -> None:
    backoff = value.strip().lower().decode("latin-1")
    if backoff not in BACKOFFS:
        raise _refuse(name, f"expected {', '.join(BACKOFFS[:-1])} or {BACKOFFS[-1]}")
    options.retry = replace(options.retry or NO_WISHES, backoff=backoff)


def _read_request_timeout(options: Options, name: bytes, value: bytes) -> None:
    timeout_ms = _whole(name, value, 1, MAX_REQUEST_TIMEOUT_MS)
    options.retry = replace(options.retry or NO_WISHES, timeout_ms=timeout_ms)


_NO_CACHE_WISHES = CacheWishes()


def _read_cache_ttl(options: Options, name: bytes, value: bytes) -> None:
    ttl = _whole(name, value, MIN_TTL, MAX_TTL)  # seconds
    options.cache = replace(options.cache or _NO_CACHE_WISHES, ttl=ttl)


def _read_cache_key(options: Options, name: bytes, value: bytes) -> None:
    if not 1 <= len(value) <= MAX_KEY:
        raise _refuse(name, f"expected 1 to {MAX_KEY} bytes")
    options.cache = replace(options.cache or _NO_CACHE_WISHES, key=value)


def _read_skip_cache(options: Options, name: bytes, value: bytes) -> None:
    options.cache = replace(options.cache or _NO_CACHE_WISHES, skip=_flag(name, value))


def _read_cache_streams(options: Options, name: bytes, value: bytes) -> None:
    options.cache = replace(options.cache or _NO_CACHE_WISHES, streams=_flag(name, value))


def _satisfied_when(*accepted: bytes) -> Callable[[Options, bytes, bytes], None]:
    """For a header whose wish holds anyway in this version, as long as it asks for no more than that."""

    def read(_options: Options, name: bytes, value: bytes) -> None:
        if value.strip().lower() not in accepted:
            raise _refuse(name, "this value is not available in this version")

    return read


_READERS: dict[bytes, Callable[[Options, bytes, bytes], None]] = {
    b"cf-aig-authorization": _read_token,
    b"cf-aig-collect-log": _read_collect_log,
    b"cf-aig-collect-log-payload": _read_collect_payload,
    b"cf-aig-event-id": _read_event_id,
    b"cf-aig-metadata": _read_metadata,
    b"cf-aig-custom-cost": _read_custom_cost,
    b"cf-aig-max-attempts": _read_max_attempts,
    b"cf-aig-retry-delay": _read_retry_delay,
    b"cf-aig-backoff": _read_backoff,
    b"cf-aig-request-timeout": _read_request_timeout,
    b"cf-aig-cache-ttl": _read_cache_ttl,
    b"cf-cache-ttl": _read_cache_ttl,
    b"cf-aig-cache-key": _read_cache_key,
    b"cf-aig-skip-cache": _read_skip_cache,
    b"cf-skip-cache": _read_skip_cache,
    b"cf-aig-cache-streams": _read_cache_streams,
    # There is nobody to bill wholesale: this wish is already granted.
    b"cf-aig-no-wholesale": _satisfied_when(b"true", b"false"),
    b"cf-aig-zdr": _satisfied_when(b"false"),
}
_LEGACY = frozenset((b"cf-skip-cache", b"cf-cache-ttl"))


def _read_option(options: Options, name: bytes, value: bytes) -> None:
    read = _READERS.get(name)
    if read is None:
        raise _refuse(name, "is not available in this version; leave it out")
    read(options, name, value)


def bare_credential(value: bytes) -> bytes:
    """The secret itself of `Bearer x`, `Key x`, `Token x` or plain `x`."""
    return value.strip().rpartition(b" ")[2]


SHORTEST_SECRET = 8
"""A shorter "key" is no secret, and taking it out of bodies would garble them."""


def secrets_in(name: bytes, value: bytes) -> list[bytes]:
    """What must be kept out of the log of a header that carries credentials: a cookie may hold several."""
    if name == b"cookie":
        found = [pair.partition(b"=")[2].strip().strip(b'"') for pair in value.split(b";")]
    else:
        found = [bare_credential(value)]
    return [secret for secret in found if len(secret) >= SHORTEST_SECRET]
