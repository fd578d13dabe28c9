"""The hall of a server process, with all the keys: settings become one ASGI application.

A lifespan opens everything long-lived and closes it again. uvicorn loads it by name, once per process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import socket
from collections.abc import Awaitable
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway import providers
from gaugeway.core import ids, settings
from gaugeway.core.errors import GaugewayError
from gaugeway.core.settings import Settings
from gaugeway.evaluation.evaluators import load as load_evaluators
from gaugeway.evaluation.runner import Runner
from gaugeway.management.api import create_app
from gaugeway.management.parts import Parts
from gaugeway.providers.custom import custom
from gaugeway.proxy.assembly import assemble
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.breaking import BreakingConnector
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.connectors.seam import Connector
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.exchange import Receive, Scope, Send
from gaugeway.proxy.server import GatewayProtocol
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import JournalOfLosses
from gaugeway.recorder.spawn import spawn_recorder
from gaugeway.stores import Stores, folder_of, open_stores
from gaugeway.system_clock import CLOCK

RECORDER_START_S = 15
"""How long a server process waits for its recorder before it takes requests: only then is a log durable within a
second of its answer."""

_logger = logging.getLogger("uvicorn.error")


class Application:
    """The one ASGI callable: /v1/ is the data plane, everything else the management API."""

    def __init__(self, chosen: Settings) -> None:
        self._settings = chosen
        self._opened: _Opened | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request, or run the lifespan: whose coroutine it is, without one of its own around it."""
        opened = self._opened
        if opened is not None and scope["type"] == "http":
            if scope["path"].startswith("/v1/"):
                return opened.data_plane(scope, receive, send)
            return opened.front(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        raise RuntimeError(f"the application cannot answer a {scope['type']} scope")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._opened = await _open(self._settings)
        except GaugewayError as problem:
            await send({"type": "lifespan.startup.failed", "message": str(problem)})
            return
        if not await self._opened.sink.flush(RECORDER_START_S):
            # Requests are answered all the same; /readyz tells, and logs wait in memory, within their bound.
            _logger.warning("the recorder has not started within %d s; see /readyz", RECORDER_START_S)
        _settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._opened.close()
        await send({"type": "lifespan.shutdown.complete"})


def _settle_memory() -> None:
    """Spare the garbage collector what is here for good, and have it look less often.

    A request leaves no cycles behind, so there is little to find; looking at everything after each 700 new
    objects would cost as much as several phases.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def create() -> Application:
    """The application for a server process, with its settings from the environment."""
    return Application(settings.load())


class _Opened(Struct):
    """Everything long-lived of one server process."""

    stores: Stores
    connector: Connector
    sink: RecorderClient
    caching: Caching
    running: tuple[asyncio.Task[None], ...]
    data_plane: DataPlane
    front: FrontDesk

    async def close(self) -> None:
        """Close in the order of need: first who asks, then what they used, the queue of logs last."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await self.connector.aclose()
        await self.caching.aclose()
        await self.sink.aclose()
        self.stores.close()


async def _open(chosen: Settings) -> _Opened:
    """Make and wire everything that a server process needs."""
    stores = open_stores(chosen.data, cache_bytes=chosen.cache_bytes)
    GatewayProtocol.max_header_bytes = chosen.max_header_bytes
    new_id = ids.Uuid7(CLOCK.now_ms, os.urandom)
    sink = _sink(chosen)
    connector = _connector(chosen)
    caching = Caching(stores.cache, CLOCK)
    built_in = providers.load()
    evaluators = load_evaluators()
    directory = Directory(
        config=stores.config,
        gateways=stores.gateways,
        tokens=stores.tokens,
        custom_providers=stores.custom_providers,
        providers=built_in,
        make_custom=lambda added: custom(added.slug, added.base_url),
        upstreams=chosen.upstreams,
    )
    runner = Runner(
        evaluations=stores.evaluations,
        logs=stores.logs,
        sink=sink,
        evaluators=evaluators,
        clock=CLOCK,
        losses=JournalOfLosses(folder_of(chosen.data).resolve()),
        owner=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
    )
    management = create_app(
        Parts(
            config=stores.config,
            tokens=stores.tokens,
            gateways=stores.gateways,
            custom_providers=stores.custom_providers,
            datasets=stores.datasets,
            evaluations=stores.evaluations,
            logs=stores.logs,
            cache=stores.cache,
            counters=stores.counters,
            sink=sink,
            clock=CLOCK,
            new_id=lambda: ids.to_text(new_id()),
            evaluators=evaluators,
            provider_slugs=tuple(built_in),
            public_url=lambda request: chosen.public_url or str(request.base_url),
            private_hosts=chosen.private_hosts(),
            private_networks=chosen.private_networks(),
            on_evaluation_created=runner.wake,
        )
    )
    return _Opened(
        stores=stores,
        connector=connector,
        sink=sink,
        caching=caching,
        running=(asyncio.create_task(runner.run_forever()), asyncio.create_task(caching.sweep_forever())),
        data_plane=assemble(
            directory=directory,
            connector=connector,
            gateways=stores.gateways,
            counters=stores.counters,
            caching=caching,
            sink=sink,
            clock=CLOCK,
            new_id=new_id,
            chosen=chosen,
        ),
        front=FrontDesk(management, sink, JournalOfLosses(folder_of(chosen.data).resolve())),
    )


def _sink(chosen: Settings) -> RecorderClient:
    data = folder_of(chosen.data).resolve()
    sink = RecorderClient(data, spawn_recorder(chosen, data), chosen.log_queue_bytes)
    sink.start()
    return sink


def _connector(chosen: Settings) -> Connector:
    connector = _plain_connector(chosen)
    if not chosen.circuit_breaker_failures:
        return connector
    return BreakingConnector(connector, chosen.circuit_breaker_failures, chosen.circuit_breaker_seconds)


def _plain_connector(chosen: Settings) -> Connector:
    guard = AddressGuard(chosen.private_networks(), chosen.private_hosts())
    if chosen.connector == "aiohttp":
        from gaugeway.proxy.connectors.aiohttp_adapter import AiohttpConnector

        return AiohttpConnector(guard)
    return NativeConnector(guard)


class FrontDesk:
    """What is not the data plane: health, and else the management API."""

    def __init__(self, management: Any, sink: RecorderClient, losses: JournalOfLosses) -> None:
        self._management = management
        self._sink = sink
        self._losses = losses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if path == "/":
            await _answer(send, 200, WELCOME.encode(), b"text/plain; charset=utf-8")
        elif path == "/healthz":
            await _answer(send, 200, b'{"status":"ok"}')
        elif path == "/readyz":
            await self._tell_ready(send)
        else:
            await self._management(scope, receive, send)

    async def _tell_ready(self, send: Send) -> None:
        """Whether logs get through, and how many did not."""
        state = self._sink.state()
        told = {
            "ready": state.connected and state.trouble is None,
            "trouble": state.trouble,
            "logs_held_bytes": state.held_bytes,
            "logs_unacknowledged": state.unacknowledged,
            "logs_without_bodies": state.bodies_lost,
            "logs_lost_since_start": state.lost,
            "logs_lost_ever": await asyncio.to_thread(self._losses.total),
        }
        await _answer(send, 200 if told["ready"] else 503, msgspec.json.encode(told))


WELCOME = """Gaugeway is running.

data plane      /v1/{account_id}/{gateway_id}/{provider}/...
management API  /client/v4/...   described at /docs and by /openapi.json
health          /healthz, /readyz
"""


async def _answer(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
