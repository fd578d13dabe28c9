"""Where the request goes: the provider of the URL, and what the request asks of it."""

from __future__ import annotations

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import INVALID_PROVIDER
from gaugeway.proxy.compat import SLUG, CompatEndpoint
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.exchange import Exchange, Reply
from gaugeway.proxy.headers import secrets_in


class Routing:
    """The phase that settles the target."""

    def __init__(self, directory: Directory, compat: CompatEndpoint) -> None:
        self._directory = directory
        self._compat = compat

    async def route(self, exchange: Exchange) -> Reply | None:
        """Find the provider and read the request's model; runs once the request may pass.

        Raises GatewayError (400) for a provider that does not exist.
        """
        if exchange.steps:
            return None  # each has its target already
        if exchange.slug == SLUG and (reply := await self._compat.enter(exchange)) is not None:
            return reply
        target = self._directory.target(exchange.gateway.account_id, exchange.slug)
        if isinstance(target, str):
            raise GatewayError(400, INVALID_PROVIDER, f"Invalid provider: {target}")
        exchange.target = target
        if target.more_credentials:
            for name, value in exchange.headers:
                if name in target.more_credentials:
                    exchange.secrets += secrets_in(name, value)
        body = exchange.body if exchange.compat is None else exchange.compat.body
        exchange.asked = target.provider.read_request(exchange.rest, exchange.content_type, body)
        return None
