"""Rate limits: how many of a gateway's requests go on to a provider in how long (contract 5.2)."""

from __future__ import annotations

from gaugeway.core.errors import GatewayError, RateLimited, StoreUnusable
from gaugeway.core.model import Outcome
from gaugeway.core.ports import Clock, CounterStore, Rate
from gaugeway.proxy.answers import INTERNAL, RATE_LIMITED, refusal
from gaugeway.proxy.exchange import Exchange, Reply

SLIDING = "sliding"


class RateLimiting:
    """The phase that counts."""

    def __init__(self, counters: CounterStore, clock: Clock) -> None:
        self._counters = counters
        self._clock = clock

    def admit(self, exchange: Exchange) -> Reply | None:
        """Count the request against the gateway's rate; 429 where it is used up, with the seconds until it is not.

        Runs after lookup, as hits are not limited, and counts what would be sent, whatever comes of it: one for a
        request, however many attempts and steps it takes. A technique that is not named is a fixed window. Raises
        GatewayError (503) where nothing can be counted: a limit is not passed over.
        """
        gateway = exchange.gateway
        if not gateway.rate_limiting_limit or not gateway.rate_limiting_interval:
            return None
        sliding = gateway.rate_limiting_technique == SLIDING
        rate = Rate(gateway.rate_limiting_limit, gateway.rate_limiting_interval, sliding)
        try:
            wait_ms = self._counters.take(gateway.scope, rate, self._clock.now_ms())
        except StoreUnusable as problem:
            exchange.end(Outcome.INTERNAL_ERROR, f"the rate limit cannot be counted: {problem}")
            raise GatewayError(503, INTERNAL, "The gateway's rate limit cannot be counted") from problem
        if not wait_ms:
            return None
        window = "any" if sliding else "each"
        exchange.end(
            Outcome.RATE_LIMITED,
            f"rate limited: {rate.limit} requests have passed in {window} {rate.interval} seconds",
        )
        return refusal(exchange, RateLimited(429, RATE_LIMITED, "Rate limited", wait_ms))
