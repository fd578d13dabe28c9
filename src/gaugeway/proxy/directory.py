"""What the data plane looks up on its way, remembered until anything changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.core.model import CustomProvider, Gateway, Scope, Token
from gaugeway.core.ports import ConfigStore, CustomProviderStore, GatewayStore, RouteStore, TokenStore
from gaugeway.core.provider import Provider, placing_of
from gaugeway.core.routes.graph import Graph, read_graph
from gaugeway.core.routes.records import Route
from gaugeway.core.stored_keys import KeysByProvider, ProviderConfigStore
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, secrets_in
from gaugeway.proxy.exchange import Address, Target

K = TypeVar("K")
V = TypeVar("V")

MAX_REMEMBERED = 20_000
"""Entries of each kind, absent ones included, so that made-up names cannot fill the memory."""

MAX_TOKEN = 1024
"""Bytes of a credential that is remembered; longer ones are no tokens of ours, but may fill the memory."""

CUSTOM_PREFIX = "custom-"

_MAY_BE_SECRET = re.compile(rb"auth|key|token|secret|cookie|pass|credential|signature|session")
"""In the names of headers whose values are credentials; others, like a version or a content type, are not, and
taking those out of a log would garble it."""


class KnownRoute(Struct, frozen=True):
    """A dynamic route as it is deployed, ready to be followed."""

    route: Route
    graph: Graph


class Directory:
    """Gateways, tokens, targets and dynamic routes by name.

    A change in any process is seen at the next look-up: the store's version is compared each time, which
    costs less than a microsecond. A miss reads the store there and then, some ten microseconds.
    """

    def __init__(
        self,
        *,
        config: ConfigStore,
        gateways: GatewayStore,
        tokens: TokenStore,
        custom_providers: CustomProviderStore,
        routes: RouteStore,
        provider_configs: ProviderConfigStore,
        providers: Mapping[str, Provider],
        make_custom: Callable[[CustomProvider], Provider],
        upstreams: Mapping[str, str],
    ) -> None:
        self._config = config
        self._gateway_store = gateways
        self._token_store = tokens
        self._custom_store = custom_providers
        self._route_store = routes
        self._key_store = provider_configs
        self._keys: dict[tuple[str, str], KeysByProvider] = {}
        self._providers = providers
        self._make_custom = make_custom
        self._upstreams = upstreams
        self._version = -1
        self._gateways: dict[tuple[str, str], Gateway | None] = {}
        self._tokens: dict[bytes, Token | None] = {}
        self._targets: dict[tuple[str, str], Target | str] = {}
        self._routes: dict[tuple[Scope, str], KnownRoute | str] = {}

    def refresh(self) -> None:
        """Forget everything if anything has changed. Once at each request's start."""
        version = self._config.version()
        if version != self._version:
            self._version = version
            self._gateways.clear()
            self._tokens.clear()
            self._targets.clear()
            self._routes.clear()
            self._keys.clear()

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The built-in providers by slug."""
        return self._providers

    def gateway(self, account_id: str, gateway_id: str) -> Gateway | None:
        """The gateway of that name."""
        key = (account_id, gateway_id)
        if key in self._gateways:
            return self._gateways[key]
        found = self._gateway_store.get(Scope(account_id, gateway_id))
        return _remember(self._gateways, key, found)

    def token(self, text: bytes) -> Token | None:
        """The token with that text, expired or not.

        Remembered by its text, as a hash each time would cost more than all the rest of the look-up.
        """
        if text in self._tokens:
            return self._tokens[text]
        token = self._token_store.find(sha256(text).digest())
        return token if len(text) > MAX_TOKEN else _remember(self._tokens, text, token)

    def target(self, account_id: str, slug: str) -> Target | str:
        """Where requests for a provider go, or a sentence saying why they cannot."""
        key = (account_id, slug)
        if key in self._targets:
            return self._targets[key]
        return _remember(self._targets, key, self._find_target(account_id, slug))

    def route(self, scope: Scope, name: str) -> KnownRoute | str:
        """The gateway's dynamic route of that name, or a sentence saying why it cannot be followed."""
        key = (scope, name)
        if key in self._routes:
            return self._routes[key]
        return _remember(self._routes, key, self._find_route(scope, name))

    def stored_keys(self, gateway: Gateway) -> KeysByProvider:
        """The provider keys that the gateway keeps, opened. Raises StoreUnusable where they cannot be."""
        key = (gateway.account_id, gateway.id)
        found = self._keys.get(key)
        return _remember(self._keys, key, self._key_store.keys(gateway.scope)) if found is None else found

    def _find_route(self, scope: Scope, name: str) -> KnownRoute | str:
        route = self._route_store.find(scope, name)
        if route is None:
            return f"There is no dynamic route {name!r} in this gateway"
        try:
            return KnownRoute(route, read_graph(route.version.elements))
        except BadInput as problem:  # kept by another version of the gateway, with other rules
            return f"The dynamic route {name!r} cannot be followed by this version: {problem.message}"

    def _find_target(self, account_id: str, slug: str) -> Target | str:
        if slug.startswith(CUSTOM_PREFIX):
            custom = self._custom_store.find(account_id, slug.removeprefix(CUSTOM_PREFIX))
            if custom is None:
                return f"There is no custom provider {slug.removeprefix(CUSTOM_PREFIX)!r} in this account"
            if not custom.enable:
                return f"The custom provider {custom.slug!r} is not enabled: set enable to true"
            return self._as_target(self._make_custom(custom), _extra_headers(custom))
        provider = self._providers.get(slug)
        return f"There is no provider {slug!r}" if provider is None else self._as_target(provider)

    def _as_target(self, provider: Provider, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Target:
        override = self._upstreams.get(provider.slug)
        address = Address.of(override or provider.base_url)
        return Target(
            provider=provider,
            scheme=address.scheme,
            host=address.host,
            port=address.port,
            prefix=address.prefix,
            guarded=override is None,
            more_credentials=provider.credential_headers - CREDENTIAL_HEADERS,
            headers=headers,
            secrets=_secrets_among(headers),
            placing=placing_of(provider),
        )


def _secrets_among(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[bytes, ...]:
    return tuple(
        secret for name, value in headers if _MAY_BE_SECRET.search(name) for secret in secrets_in(name, value)
    )


def _remember(cache: dict[K, V], key: K, value: V) -> V:
    if len(cache) >= MAX_REMEMBERED:
        cache.clear()
    cache[key] = value
    return value


def _extra_headers(custom: CustomProvider) -> tuple[tuple[bytes, bytes], ...]:
    if not custom.headers:
        return ()
    pairs = msgspec.json.decode(custom.headers, type=dict[str, str])
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items())
