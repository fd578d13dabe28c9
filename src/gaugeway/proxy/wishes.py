"""What the gateway's own headers, `cf-aig-*`, ask for (contract 4.1): each is honoured, or refused by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import CustomCost, Metadata
from gaugeway.proxy.answers import BAD_HEADER
from gaugeway.proxy.cache_policy import MAX_KEY, MAX_TTL, MIN_TTL, CacheWishes
from gaugeway.proxy.credentials import bare_credential
from gaugeway.proxy.exchange import Options
from gaugeway.proxy.retrying import BACKOFFS, MAX_ATTEMPTS, MAX_DELAY_MS, MAX_REQUEST_TIMEOUT_MS, NO_WISHES

MAX_EVENT_ID = 512
MAX_METADATA_ENTRIES = 5
MAX_DIGITS = 12
_INT64 = 1 << 63  # a log with a larger number could not be kept whole, and would have neither model nor cost


def refuse(name: bytes, message: str) -> GatewayError:
    """A 400 that names a header and says what was expected of it."""
    return GatewayError(400, BAD_HEADER, f"Header {name.decode('latin-1')}: {message}")


def _flag(name: bytes, value: bytes) -> bool:
    lowered = value.strip().lower()
    if lowered not in (b"true", b"false"):
        raise refuse(name, "expected true or false")
    return lowered == b"true"


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise refuse(name, "is not UTF-8") from None


def _read_token(options: Options, _name: bytes, value: bytes) -> None:
    options.token = bare_credential(value)


def _read_collect_log(options: Options, name: bytes, value: bytes) -> None:
    options.collect_log = _flag(name, value)


def _read_collect_payload(options: Options, name: bytes, value: bytes) -> None:
    options.collect_log_payload = _flag(name, value)


def _read_event_id(options: Options, name: bytes, value: bytes) -> None:
    options.event_id = _identifier(name, value)


def _identifier(name: bytes, value: bytes) -> str:
    text = _text(name, value).strip()
    if not text or len(text) > MAX_EVENT_ID or not text.isprintable():
        raise refuse(name, f"expected 1 to {MAX_EVENT_ID} printable characters")
    return text


def _read_metadata(options: Options, name: bytes, value: bytes) -> None:
    options.metadata = parse_metadata(name, value)


def parse_metadata(name: bytes, value: bytes) -> Metadata | None:
    """At most the first five entries; a null or nested value makes the whole header count for nothing.

    Both are what Cloudflare documents (contract 4.1); anything that is no JSON object is refused.
    """
    try:
        entries = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise refuse(name, 'expected a JSON object such as {"user": "u42"}') from None
    if not all(isinstance(item, str | int | float) for item in entries.values()):
        return None
    if any(isinstance(item, int) and not -_INT64 <= item < _INT64 for item in entries.values()):
        raise refuse(name, "holds a whole number that does not fit 64 bits: send it as a text")
    kept = [(key, item) for key, item in entries.items() if not key.startswith("cf.")]
    return dict(kept[:MAX_METADATA_ENTRIES]) or None


class _CostHeader(msgspec.Struct, forbid_unknown_fields=True):
    per_token_in: Decimal | None = None
    per_token_out: Decimal | None = None
    per_cache_read_token: Decimal | None = None
    per_cache_write_token: Decimal | None = None
    total_cost: Decimal | None = None


_ALIAS = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ODD_NUMBER = re.compile(rb':\s*"[^"]*[^"0-9.eE+-][^"]*"')
"""A number in a text that Python would read and nobody else: `1_000`, ` 1`, digits of other scripts."""
_cost_decoder = msgspec.json.Decoder(_CostHeader)
MAX_COST_DIGITS = 40


def _read_custom_cost(options: Options, name: bytes, value: bytes) -> None:
    if _ODD_NUMBER.search(value):
        raise refuse(name, "an amount given as a text has digits, a dot and an exponent only")
    try:
        said = _cost_decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise refuse(
            name, f"expected a JSON object of per_token_in, per_token_out or total_cost: {problem}"
        ) from None
    amounts = [amount for field in said.__struct_fields__ if (amount := getattr(said, field)) is not None]
    if not amounts:
        raise refuse(name, "names no amount: give per_token_in and per_token_out, or total_cost")
    for amount in amounts:
        if (
            not amount.is_finite()
            or amount < 0
            or amount > 1_000_000
            or -amount.as_tuple().exponent > MAX_COST_DIGITS
        ):
            raise refuse(name, f"amounts lie between 0 and 1000000 dollars with at most {MAX_COST_DIGITS} decimals")
    rates = len(amounts) - (said.total_cost is not None)
    if said.total_cost is not None and rates:
        raise refuse(name, "gives both total_cost and rates per token; give one")
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
        raise refuse(name, f"expected a whole number from {low} to {high}")
    return int(text)


def _read_session_id(options: Options, name: bytes, value: bytes) -> None:
    options.session_id = _identifier(name, value)


def _read_gateway_id(options: Options, name: bytes, value: bytes) -> None:
    options.gateway_id = _identifier(name, value)


def _read_max_attempts(options: Options, name: bytes, value: bytes) -> None:
    options.retry = replace(options.retry or NO_WISHES, max_attempts=_whole(name, value, 1, MAX_ATTEMPTS))


def _read_retry_delay(options: Options, name: bytes, value: bytes) -> None:
    options.retry = replace(options.retry or NO_WISHES, delay_ms=_whole(name, value, 0, MAX_DELAY_MS))


def _read_backoff(options: Options, name: bytes, value: bytes) -> None:
    backoff = value.strip().lower().decode("latin-1")
    if backoff not in BACKOFFS:
        raise refuse(name, f"expected {', '.join(BACKOFFS[:-1])} or {BACKOFFS[-1]}")
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
        raise refuse(name, f"expected 1 to {MAX_KEY} bytes")
    options.cache = replace(options.cache or _NO_CACHE_WISHES, key=value)


def _read_skip_cache(options: Options, name: bytes, value: bytes) -> None:
    options.cache = replace(options.cache or _NO_CACHE_WISHES, skip=_flag(name, value))


def _read_cache_streams(options: Options, name: bytes, value: bytes) -> None:
    options.cache = replace(options.cache or _NO_CACHE_WISHES, streams=_flag(name, value))


def _read_byok_alias(options: Options, name: bytes, value: bytes) -> None:
    alias = value.strip().decode("latin-1")
    if not _ALIAS.fullmatch(alias):
        raise refuse(name, "expected a stored key's alias: 1 to 64 letters, digits, '_', '.' and '-'")
    options.byok_alias = alias


def _read_no_wholesale(options: Options, name: bytes, value: bytes) -> None:
    options.no_wholesale = _flag(name, value)


def _satisfied_when(*accepted: bytes) -> Callable[[Options, bytes, bytes], None]:
    """For a header whose wish holds anyway in this version, as long as it asks for no more than that."""

    def read(_options: Options, name: bytes, value: bytes) -> None:
        if value.strip().lower() not in accepted:
            raise refuse(name, "this value is not available in this version")

    return read


READERS: dict[bytes, Callable[[Options, bytes, bytes], None]] = {
    b"cf-aig-authorization": _read_token,
    b"cf-aig-collect-log": _read_collect_log,
    b"cf-aig-collect-log-payload": _read_collect_payload,
    b"cf-aig-event-id": _read_event_id,
    b"cf-aig-gateway-id": _read_gateway_id,
    b"cf-aig-session-id": _read_session_id,
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
    b"cf-aig-no-wholesale": _read_no_wholesale,
    b"cf-aig-byok-alias": _read_byok_alias,
    b"cf-aig-zdr": _satisfied_when(b"false"),
}
LEGACY = frozenset((b"cf-skip-cache", b"cf-cache-ttl"))
"""Older names without the `cf-aig-` of all others."""


def read_option(options: Options, name: bytes, value: bytes) -> None:
    """Note what a header asks for; raises GatewayError (400) naming it where that cannot be honoured."""
    read = READERS.get(name)
    if read is None:
        raise refuse(name, "is not available in this version; leave it out")
    read(options, name, value)
