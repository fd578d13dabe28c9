"""Puts the data plane's parts together."""

from __future__ import annotations

from collections.abc import Callable

from gaugeway.core.ports import Clock, CounterStore, GatewayStore, LogSink
from gaugeway.core.settings import Settings
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.compat import CompatEndpoint
from gaugeway.proxy.connectors.seam import Connector, Timers
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.limiting import RateLimiting
from gaugeway.proxy.pipeline import Pipeline
from gaugeway.proxy.receiving import Receiving
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay
from gaugeway.proxy.routing import Routing
from gaugeway.proxy.universal import Universal
from gaugeway.proxy.upstream import Upstream


def assemble(
    *,
    directory: Directory,
    connector: Connector,
    gateways: GatewayStore,
    counters: CounterStore,
    caching: Caching,
    sink: LogSink,
    clock: Clock,
    new_id: Callable[[], bytes],
    chosen: Settings,
) -> DataPlane:
    """The data plane over these stores, this connector and this sink."""
    timers = Timers(connect=chosen.connect_timeout, first_byte=chosen.first_byte_timeout, idle=chosen.idle_timeout)
    compat = CompatEndpoint(directory, clock)
    pipeline = Pipeline(
        authentication=Authentication(directory, clock),
        receiving=Receiving(chosen.max_request_body, Universal(directory, compat)),
        routing=Routing(directory, compat),
        caching=caching,
        rate_limiting=RateLimiting(counters, clock),
        upstream=Upstream(connector, timers, clock),
        relay=Relay(chosen.max_log_body),
        recording=Recording(sink, chosen.max_log_body),
    )
    return DataPlane(directory=directory, pipeline=pipeline, gateways=gateways, clock=clock, new_id=new_id)
