"""What the control plane is given to work with, and how an endpoint gets at it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated

from fastapi import Depends, Request
from msgspec import Struct

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Gateway, Permission, Scope, Token
from gaugeway.core.ports import (
    CacheStore,
    Clock,
    ConfigStore,
    CounterStore,
    CustomProviderStore,
    DatasetStore,
    EvaluationStore,
    Evaluator,
    GatewayStore,
    LogSink,
    LogStore,
    TokenStore,
)
from gaugeway.core.settings import Network


class Parts(Struct, frozen=True, kw_only=True):
    """Everything the management API is wired to. It opens and closes none of it."""

    config: ConfigStore
    tokens: TokenStore
    gateways: GatewayStore
    custom_providers: CustomProviderStore
    datasets: DatasetStore
    evaluations: EvaluationStore
    logs: LogStore
    cache: CacheStore
    counters: CounterStore
    sink: LogSink
    clock: Clock
    new_id: Callable[[], str]  # UUIDv7 text
    evaluators: Sequence[Evaluator]
    provider_slugs: Collection[str]  # of the built-in providers
    public_url: Callable[[Request], str]  # where clients reach this server, e.g. http://127.0.0.1:8787
    private_hosts: frozenset[str] = frozenset()  # host names that may be on private addresses
    private_networks: tuple[Network, ...] = ()  # private addresses that requests may go to
    on_evaluation_created: Callable[[], None] = lambda: None  # wakes the runner


class Call(Struct, frozen=True):
    """Who asks, and what the answer is made from. The token was checked before an endpoint sees it."""

    parts: Parts
    token: Token

    @property
    def account_id(self) -> str:
        """The account that the token, and therefore the path, belongs to."""
        return self.token.account_id

    @property
    def may_write(self) -> bool:
        """Whether the caller may also change what it reads."""
        return self.token.allows(Permission.WRITE)


_REPEATABLE = frozenset(("filters", "filters.key", "filters.operator", "filters.value"))


async def _current_call(request: Request) -> Call:
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen and name not in _REPEATABLE:
            raise BadInput("Given more than once, but only one value can count", ("query", name))
        seen.add(name)
    return Call(request.app.state.parts, request.state.token)


Caller = Annotated[Call, Depends(_current_call)]


def _named_gateway(call: Caller, gateway_id: str) -> Gateway:
    gateway = call.parts.gateways.get(Scope(call.account_id, gateway_id))
    if gateway is None:
        raise NotFound(f"there is no gateway {gateway_id!r}")
    return gateway


NamedGateway = Annotated[Gateway, Depends(_named_gateway)]
"""The gateway that the path names; 404/7002 where the caller's account has none of that id."""
