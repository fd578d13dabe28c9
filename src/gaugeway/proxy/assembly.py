"""Puts the data plane's parts together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import random

from gaugeway.core.ports import Clock, CounterStore, GatewayStore, KeyedCounterStore, LogSink
from gaugeway.core.provider import Dialect
from gaugeway.core.settings import Settings
from gaugeway.core.spending import SpendLedger
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.compat import CompatEndpoint
from gaugeway.proxy.connectors.seam import Connector, Timers
from gaugeway.proxy.connectors.sockets import SocketConnector
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.dynamic import DynamicRoutes
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.exchange import Address
from gaugeway.proxy.key_tokens import KeyTokens
from gaugeway.proxy.keying import Keying
from gaugeway.proxy.limiting import RateLimiting
from gaugeway.proxy.pipeline import Pipeline
from gaugeway.proxy.receiving import Receiving
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay
from gaugeway.proxy.rest import RestEndpoint
from gaugeway.proxy.routing import Routing
from gaugeway.proxy.sockets.plane import SocketPlane
from gaugeway.proxy.sockets.realtime import Realtime
from gaugeway.proxy.sockets.universal import UniversalSockets
from gaugeway.proxy.spending import Spending
from gaugeway.proxy.stored_keys import StoredKeys
from gaugeway.proxy.universal import Universal
from gaugeway.proxy.upstream import Upstream


def assemble(
    *,
    directory: Directory,
    connector: Connector,
    sockets: SocketConnector,
    gateways: GatewayStore,
    counters: CounterStore,
    keyed_counters: KeyedCounterStore,
    caching: Caching,
    spending: Spending,
    ledger: SpendLedger,
    sink: LogSink,
    clock: Clock,
    new_id: Callable[[], bytes],
    chosen: Settings,
    dialects: Mapping[str, Dialect],
    chance: Callable[[], float] = random,
) -> tuple[DataPlane, SocketPlane]:
    """The data plane, and the one of WebSockets, over these stores, connectors and this sink.

    `chance` splits traffic of dynamic routes.
    """
    timers = Timers(connect=chosen.connect_timeout, first_byte=chosen.first_byte_timeout, idle=chosen.idle_timeout)
    compat = CompatEndpoint(directory, clock, dialects)
    tokens = KeyTokens(connector, timers, clock, {name: Address.of(url) for name, url in chosen.upstreams.items()})
    keys = StoredKeys(directory, keyed_counters, clock)
    authentication, rate_limiting = Authentication(directory, clock), RateLimiting(counters, clock)
    relay, recording = Relay(chosen.max_log_body), Recording(sink, chosen.max_log_body, spending)
    routes = DynamicRoutes(
        directory, compat, keys, counters=keyed_counters, ledger=ledger, clock=clock, chance=chance
    )
    routing = Routing(directory, compat, RestEndpoint(compat), routes, keys)
    upstream = Upstream(
        connector, timers, clock, spending=spending, keying=Keying(tokens, clock), keys=keys, sockets=sockets
    )
    pipeline = Pipeline(
        authentication=authentication,
        receiving=Receiving(chosen.max_request_body, Universal(directory, compat, keys, authentication, routes)),
        routing=routing,
        caching=caching,
        rate_limiting=rate_limiting,
        upstream=upstream,
        relay=relay,
        recording=recording,
    )
    data_plane = DataPlane(directory=directory, pipeline=pipeline, gateways=gateways, clock=clock, new_id=new_id)
    universal = UniversalSockets(
        data_plane,
        pipeline,
        authentication=authentication,
        relay=relay,
        recording=recording,
        max_message=chosen.max_request_body,
        idle=chosen.idle_timeout,
    )
    realtime = Realtime(
        directory=directory,
        authentication=authentication,
        routing=routing,
        rate_limiting=rate_limiting,
        upstream=upstream,
        relay=relay,
        recording=recording,
        spending=spending,
        log_body_cap=chosen.max_log_body,
        max_message=chosen.max_socket_message,
        idle=chosen.idle_timeout,
    )
    return data_plane, SocketPlane(data_plane, universal, realtime)
