"""Where the request goes: the provider of the URL, and what the request asks of it."""

from __future__ import annotations

from collections.abc import Awaitable

from gaugeway.core.errors import GatewayError
from gaugeway.core.provider import Request
from gaugeway.proxy.answers import INVALID_PROVIDER
from gaugeway.proxy.compat import DYNAMIC, SLUG, CompatEndpoint, Named, asks_for_models
from gaugeway.proxy.credentials import secrets_in
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.dynamic import DynamicRoutes, refuse_session
from gaugeway.proxy.exchange import Exchange, Reply, Target
from gaugeway.proxy.headers import among
from gaugeway.proxy.placing import place
from gaugeway.proxy.rest import RestEndpoint, refuse_keyless
from gaugeway.proxy.steps import begin
from gaugeway.proxy.stored_keys import StoredKeys


class Routing:
    """The phase that settles the target."""

    def __init__(
        self,
        directory: Directory,
        compat: CompatEndpoint,
        rest: RestEndpoint,
        dynamic: DynamicRoutes,
        keys: StoredKeys,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._compat = compat
        self._rest = rest
        self._dynamic = dynamic

    def route(self, exchange: Exchange) -> Awaitable[Reply | None] | None:
        """Find the provider and read the request's model; runs once the request may pass.

        Raises GatewayError (400) for a provider that does not exist.
        """
        if exchange.steps:  # each that is no dynamic route has its target already
            return begin(exchange) if exchange.target is None else None
        if exchange.slug == SLUG:
            return self._route_compatible(exchange)
        self._settle(exchange)
        return None

    async def _route_compatible(self, exchange: Exchange) -> Reply | None:
        if not exchange.is_rest and asks_for_models(exchange.rest, exchange.method):
            return await self._compat.list_models(exchange)
        named = self._read(exchange)
        if named.prefix == DYNAMIC:
            await self._dynamic.enter(exchange, named)
            return None
        if exchange.is_rest:
            self._rest.enter(exchange, named)
        else:
            self._compat.enter(exchange, named)
        self._settle(exchange)
        return None

    def _settle(self, exchange: Exchange) -> None:
        if exchange.options.session_id is not None:
            refuse_session(exchange.options)
        target = self._settle_target(exchange)
        if exchange.is_rest:
            refuse_keyless(target, exchange.headers, exchange.key)

    def _read(self, exchange: Exchange) -> Named:
        if exchange.is_rest:
            return self._rest.read(exchange)
        return self._compat.read(exchange.method, exchange.rest, exchange.body)

    def _settle_target(self, exchange: Exchange) -> Target:
        target = self._directory.target(exchange.gateway.account_id, exchange.slug)
        if isinstance(target, str):
            raise GatewayError(400, INVALID_PROVIDER, f"Invalid provider: {target}")
        if target.more_credentials:
            for name, value in among(exchange.headers, target.more_credentials):
                exchange.secrets += secrets_in(name, value)
        stored_key = self._keys.choose(exchange, target, exchange.headers, exchange.query, exchange.options)
        if stored_key is not None:
            exchange.stored_key, exchange.key = stored_key, stored_key.key
        if target.placing is not None:
            target = _place(exchange, target)
        exchange.target = target
        body = exchange.body if exchange.compat is None else exchange.compat.body
        exchange.asked = target.provider.read_request(exchange.rest, exchange.content_type, body)
        return target


def _place(exchange: Exchange, target: Target) -> Target:
    request = Request(rest=exchange.rest, query=exchange.query, headers=exchange.headers, key=exchange.key)
    target, request = place(target, request, exchange.connection.headers)
    exchange.rest, exchange.query, exchange.headers = request.rest, request.query, request.headers
    exchange.key = request.key
    return target
