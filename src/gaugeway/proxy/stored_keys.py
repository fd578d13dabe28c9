"""Stored provider keys: for requests that carry none of their own, and a token that may run (contract 5.8)."""

from __future__ import annotations

import asyncio
import logging

from gaugeway.core.errors import GatewayError, RateLimited, StoreUnusable
from gaugeway.core.model import Outcome
from gaugeway.core.ports import Clock, KeyedCounterStore, Rate
from gaugeway.core.provider import Headers
from gaugeway.core.stored_keys import DEFAULT_ALIAS, StoredKey
from gaugeway.proxy.answers import BAD_HEADER, INTERNAL, NO_KEY, RATE_LIMITED, UNAUTHORIZED
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.exchange import Exchange, Options, Target
from gaugeway.proxy.headers import among

KEYLESS = "workers-ai"
"""The provider that Cloudflare exempts from `byok_only` and `cf-aig-no-wholesale`."""

_logger = logging.getLogger("uvicorn.error")


class StoredKeys:
    """Which key a request is sent with, and how often."""

    def __init__(self, directory: Directory, counters: KeyedCounterStore, clock: Clock) -> None:
        self._directory = directory
        self._counters = counters
        self._clock = clock

    def choose(
        self, exchange: Exchange, target: Target, headers: Headers, query: bytes, options: Options
    ) -> StoredKey | None:
        """The stored key for a request to a target; None where it carries its own, or there is none.

        Raises GatewayError: 401 where one would be spent without a valid Run token, whatever the gateway's
        `authentication`; 400 for an alias that is not there, and where a key is demanded and there is none.
        """
        gateway, alias = exchange.gateway, options.byok_alias
        try:
            kept = self._directory.stored_keys(gateway)
        except StoreUnusable as problem:
            _logger.error("stored provider keys: %s", problem)  # noqa: TRY400  where it was raised is no news
            message = "The gateway's stored keys cannot be opened; its operator finds the reason on its stderr"
            raise GatewayError(503, INTERNAL, message, Outcome.INTERNAL_ERROR) from problem
        demanded = gateway.byok_only or options.no_wholesale
        if not kept and alias is None and not demanded:
            return None
        if _carries_key(target, headers, query):
            return None
        slug = target.provider.slug
        aliases = kept.get(slug, {})
        found = aliases.get(alias) if alias is not None else aliases.get("") or aliases.get(DEFAULT_ALIAS)
        if found is None:
            if alias is not None:
                message = f"Header cf-aig-byok-alias: the gateway has no key {alias!r} for {slug}"
                raise GatewayError(400, BAD_HEADER, message)
            if demanded and slug != KEYLESS:
                message = f"There is no key for {slug}: send one with the request, or store one in the gateway"
                raise GatewayError(400, NO_KEY, message)
            return None
        if not exchange.authenticated:
            message = "Unauthorized: a stored key is spent only for a request with a token that may run"
            raise GatewayError(401, UNAUTHORIZED, message)
        return found

    async def admit(self, key: StoredKey) -> None:
        """Count a request against a key's own rate. Raises RateLimited (429) where that is used up."""
        config = key.config
        if config.rate_limit is None:
            return
        rate = Rate(config.rate_limit, config.rate_limit_period)
        name = f"provider config {config.id}".encode()
        try:
            wait_ms = await asyncio.to_thread(self._counters.take, name, rate, self._clock.now_ms())
        except StoreUnusable as problem:
            message = "The rate limit of the gateway's stored key cannot be counted"
            raise GatewayError(503, INTERNAL, message, Outcome.INTERNAL_ERROR) from problem
        if wait_ms:
            message = f"Rate limited: the stored key {config.alias!r} for {config.provider_slug}"
            raise RateLimited(429, RATE_LIMITED, message, wait_ms)


def _carries_key(target: Target, headers: Headers, query: bytes) -> bool:
    """Whether a request brings a key of its own, or its custom provider's headers do."""
    if target.secrets or query.startswith(b"key=") or b"&key=" in query:
        return True
    names = target.provider.credential_headers
    return bool(among(headers, names) or among(headers, CREDENTIAL_HEADERS))
