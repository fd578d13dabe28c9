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
import sys
from collections.abc import Awaitable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gaugeway import providers
from gaugeway.core import ids, settings
from gaugeway.core.errors import GaugewayError
from gaugeway.core.pricing import PriceBook
from gaugeway.core.provider import KeyUse, Provider, key_use_of
from gaugeway.core.settings import Settings
from gaugeway.dashboard.pages import Pages
from gaugeway.evaluation.annotating.panel import StoredPanel
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evals.run import EvalParts
from gaugeway.evaluation.evals.runner import EvalRunner
from gaugeway.evaluation.evaluators import load as load_evaluators
from gaugeway.evaluation.freezing.freezer import Freezer
from gaugeway.evaluation.interchange import Lines
from gaugeway.evaluation.item_run import ItemParts
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.judging.embedding import Embedding
from gaugeway.evaluation.judging.expecting import Pricing
from gaugeway.evaluation.judging.forecast import Forecaster
from gaugeway.evaluation.monitoring.checking import Checker, CheckParts
from gaugeway.evaluation.monitoring.courier import Courier
from gaugeway.evaluation.monitoring.watch import Watch, WatchParts
from gaugeway.evaluation.parquet.files import ArrowFiles
from gaugeway.evaluation.projecting import project_forever
from gaugeway.evaluation.replaying.forecast import ReplayForecaster
from gaugeway.evaluation.replaying.run import ReplayParts
from gaugeway.evaluation.replaying.runner import ReplayRunner
from gaugeway.evaluation.replaying.sides import SideParts
from gaugeway.evaluation.runner import Runner
from gaugeway.evaluation.sandbox.sandbox import PythonSandbox
from gaugeway.evaluation.sandbox.scoring import PartedScoring
from gaugeway.evaluation.scoring.beside import ScoringProcess
from gaugeway.evaluation.scoring.wire import Scorers
from gaugeway.evaluation.shadowing.forecast import ShadowForecaster
from gaugeway.evaluation.shadowing.run import ShadowParts
from gaugeway.evaluation.shadowing.runner import ShadowRunner
from gaugeway.front_desk import FrontDesk, Receive, Scope, Send
from gaugeway.management.api import create_app
from gaugeway.management.evals_api import create_evals_app, create_files_app
from gaugeway.management.parts import Parts
from gaugeway.providers.custom import PREFIX, custom
from gaugeway.providers.dialects import DIALECTS
from gaugeway.proxy.assembly import assemble
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.compat import names_for_routes
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.breaking import Breaker, BreakingConnector
from gaugeway.proxy.connectors.dialling import Dialler
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.connectors.seam import Connector
from gaugeway.proxy.connectors.sockets import SocketConnector
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.judging import ProxyJudge
from gaugeway.proxy.notifying import WebhookNotifier
from gaugeway.proxy.own_calls import OwnCalls
from gaugeway.proxy.replaying import ProxyCaller
from gaugeway.proxy.run_tokens import RunTokens
from gaugeway.proxy.server import GatewayProtocol
from gaugeway.proxy.sockets.plane import SocketPlane
from gaugeway.proxy.spending import Spending
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import JournalOfLosses
from gaugeway.recorder.spawn import spawn_recorder
from gaugeway.stores import Stores, folder_of, open_stores
from gaugeway.system_clock import CLOCK

RECORDER_START_S = 15
"""How long a server process waits for its recorder before it takes requests: only then is a log durable within a
second of its answer."""

TURN_S = 0.0005
"""How long a thread beside the event loop (columns, evaluations) keeps the interpreter from it. A request waits so
long twice, when it comes and when its answer does: with Python's own 5 ms, 10 ms while such a thread computes.
"""

_logger = logging.getLogger("uvicorn.error")


class Application:
    """The data plane for what begins with /v1/ (see proxy/server.py), and ASGI's callable for everything else."""

    def __init__(self, chosen: Settings) -> None:
        self._settings = chosen
        self._opened: _Opened | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request, or run the lifespan: whose coroutine it is, without one of its own around it."""
        opened = self._opened
        if opened is not None and scope["type"] == "http":
            return opened.front(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        raise RuntimeError(f"the application cannot answer a {scope['type']} scope")

    @property
    def data_plane(self) -> DataPlane:
        """Answers one data plane request. There is one once the lifespan has begun."""
        if self._opened is None:
            raise RuntimeError("the application is not open")
        return self._opened.data_plane

    @property
    def socket_plane(self) -> SocketPlane:
        """Answers one request that asks for a WebSocket. Likewise."""
        if self._opened is None:
            raise RuntimeError("the application is not open")
        return self._opened.socket_plane

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
        settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._opened.close()
        await send({"type": "lifespan.shutdown.complete"})


def settle_memory() -> None:
    """Spare the garbage collector what is here for good, and have it look less often.

    A request leaves no cycles behind, so there is little to find; looking at everything after each 700 new
    objects would cost as much as several phases.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def create() -> Application:
    """The application for a server process, with its settings from the environment."""
    sys.setswitchinterval(TURN_S)
    return Application(settings.load())


class _Opened(Struct):
    """Everything long-lived of one server process."""

    stores: Stores
    connector: Connector
    webhooks: Connector
    sink: RecorderClient
    caching: Caching
    running: tuple[asyncio.Task[None], ...]
    data_plane: DataPlane
    own_tokens: RunTokens
    socket_plane: SocketPlane
    front: FrontDesk

    async def close(self) -> None:
        """Close in the order of need: first who asks, then what they used, the queue of logs last."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await self.own_tokens.aclose()
        await self.connector.aclose()
        await self.webhooks.aclose()
        await self.caching.aclose()
        await self.sink.aclose()
        self.stores.close()


async def _open(chosen: Settings) -> _Opened:
    """Make and wire everything that a server process needs."""
    stores = open_stores(
        chosen.data,
        cache_bytes=chosen.cache_bytes,
        master_key=chosen.master_key,
        previous_master_key=chosen.previous_master_key,
    )
    GatewayProtocol.max_header_bytes = chosen.max_header_bytes
    new_id = ids.Uuid7(CLOCK.now_ns, os.urandom)
    sink = _sink(chosen)
    losses = JournalOfLosses(folder_of(chosen.data).resolve())
    breaker = _breaker(chosen)
    connector = _connector(chosen, breaker)
    caching = Caching(stores.cache, stores.flight_locks, CLOCK)
    built_in = providers.load()
    prices = PriceBook({slug: provider.price_id for slug, provider in built_in.items()}, stores.price_rules.known)
    spending = Spending(stores.ledger, prices, CLOCK)
    evaluators = load_evaluators()
    directory = Directory(
        config=stores.config,
        gateways=stores.gateways,
        tokens=stores.tokens,
        custom_providers=stores.custom_providers,
        routes=stores.routes,
        provider_configs=stores.provider_configs,
        providers=built_in,
        make_custom=lambda added: custom(added.slug, added.base_url),
        upstreams=chosen.upstreams,
    )
    data_plane, socket_plane = assemble(
        directory=directory,
        connector=connector,
        sockets=SocketConnector(Dialler(_guard(chosen)), chosen.max_socket_message, breaker),
        gateways=stores.gateways,
        counters=stores.counters,
        keyed_counters=stores.keyed_counters,
        caching=caching,
        spending=spending,
        ledger=stores.ledger,
        sink=sink,
        clock=CLOCK,
        new_id=new_id,
        chosen=chosen,
        dialects=DIALECTS,
    )
    own_tokens = RunTokens(stores.tokens, CLOCK)
    own_calls = OwnCalls(
        data_plane=data_plane,
        tokens=own_tokens,
        ledger=stores.ledger,
        prices=prices,
        logs=stores.logs,
        sink=sink,
        clock=CLOCK,
    )
    judge, caller = ProxyJudge(own_calls), ProxyCaller(own_calls)
    embedding = Embedding(caller, stores.verdicts, CLOCK)
    asking = Asking(judge, stores.verdicts, CLOCK, embedding)
    pricing = Pricing(asking, caller, stores.logs)
    sandbox = await asyncio.to_thread(_sandbox, chosen)

    def open_scoring(scorers: Scorers) -> PartedScoring:
        return PartedScoring(scorers, sandbox, ScoringProcess)

    owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    sides = SideParts(
        logs=stores.logs,
        sink=sink,
        caller=caller,
        evaluators={one.id: one for one in evaluators},
        open_scoring=open_scoring,
        asking=asking,
    )
    replays = ReplayRunner(
        ReplayParts(store=stores.replays, sides=sides, expected=stores.snapshots.expected), CLOCK, owner
    )
    shadows = ShadowRunner(
        ShadowParts(
            store=stores.shadows,
            sides=replace(sides, caller=ProxyCaller(own_calls, b"gaugeway-shadow")),
            clock=CLOCK,
        ),
        owner,
    )
    eval_runs = EvalRunner(
        EvalParts(store=stores.evals, logs=stores.logs, sink=sink, caller=caller, clock=CLOCK, sandbox=sandbox),
        owner,
    )
    runner = Runner(
        evaluations=stores.evaluations,
        logs=stores.logs,
        sink=sink,
        evaluators=evaluators,
        clock=CLOCK,
        losses=losses,
        item_parts=ItemParts(items=stores.items, open_scoring=open_scoring, asking=asking, sandbox=sandbox),
        snapshots=stores.snapshots,
        owner=owner,
    )
    analyst = LogAnalyst(stores.logs, evaluators, stores.items)
    webhooks = _plain_connector(chosen)
    courier = Courier(stores.notices, WebhookNotifier(webhooks, CLOCK), CLOCK, owner)
    watch = Watch(
        WatchParts(
            monitors=stores.monitors,
            evaluations=stores.evaluations,
            checker=Checker(
                CheckParts(
                    monitors=stores.monitors,
                    evaluations=stores.evaluations,
                    logs=stores.logs,
                    items=stores.items,
                    analyst=analyst,
                    evaluators=evaluators,
                )
            ),
            clock=CLOCK,
            new_id=lambda: ids.to_text(new_id()),
            on_evaluation_created=runner.wake,
            on_notice_created=courier.wake,
        ),
        owner,
    )
    freezer = Freezer(
        snapshots=stores.snapshots,
        logs=stores.logs,
        frozen_scopes=stores.frozen_scopes,
        sink=sink,
        clock=CLOCK,
        losses=losses,
        owner=owner,
    )
    parts = Parts(
        losses=losses,
        config=stores.config,
        tokens=stores.tokens,
        sessions=stores.sessions,
        gateways=stores.gateways,
        custom_providers=stores.custom_providers,
        routes=stores.routes,
        datasets=stores.datasets,
        evaluations=stores.evaluations,
        snapshots=stores.snapshots,
        interchange=Lines(),
        parquet=ArrowFiles(),
        items=stores.items,
        custom_types=stores.custom_types,
        logs=stores.logs,
        analytics=stores.analytics,
        cache=stores.cache,
        counters=stores.counters,
        ledger=stores.ledger,
        price_rules=stores.price_rules,
        provider_configs=stores.provider_configs,
        sink=sink,
        clock=CLOCK,
        new_id=lambda: ids.to_text(new_id()),
        evaluators=evaluators,
        sandbox=sandbox,
        open_scoring=open_scoring,
        analyst=analyst,
        annotations=stores.annotations,
        panel=StoredPanel(stores.annotations, stores.items),
        provider_slugs=tuple(built_in),
        key_use=lambda slug: _key_use(built_in, slug),
        route_providers=names_for_routes(built_in),
        public_url=lambda request: chosen.public_url or str(request.base_url),
        private_hosts=chosen.private_hosts(),
        private_networks=chosen.private_networks(),
        forecast=Forecaster(stores.logs, sink, pricing, stores.snapshots).forecast,
        on_evaluation_created=runner.wake,
        on_snapshot_changed=freezer.wake,
        replays=stores.replays,
        forecast_replay=ReplayForecaster(
            stores.logs,
            sink,
            caller,
            pricing=pricing,
            evaluators={one.id: one for one in evaluators},
            expected=stores.snapshots.expected,
        ).forecast,
        on_replay_created=replays.wake,
        monitors=stores.monitors,
        on_monitor_changed=watch.wake,
        shadows=stores.shadows,
        forecast_shadow=ShadowForecaster(
            stores.logs,
            sink,
            caller,
            CLOCK,
            pricing=pricing,
            evaluators={one.id: one for one in evaluators},
        ).forecast,
        at_most=caller.at_most,
        on_shadow_changed=shadows.wake,
        evals=stores.evals,
        eval_files=stores.eval_files,
        on_eval_run_created=eval_runs.wake,
    )
    return _Opened(
        stores=stores,
        connector=connector,
        webhooks=webhooks,
        sink=sink,
        caching=caching,
        running=tuple(
            asyncio.create_task(work)
            for work in (
                runner.run_forever(),
                freezer.run_forever(),
                replays.run_forever(),
                shadows.run_forever(),
                eval_runs.run_forever(),
                watch.run_forever(),
                courier.run_forever(),
                caching.sweep_forever(),
                spending.tend_forever(),
                project_forever(stores.columns),
            )
        ),
        data_plane=data_plane,
        own_tokens=own_tokens,
        socket_plane=socket_plane,
        front=FrontDesk(
            management=create_app(parts),
            evals=create_evals_app(parts),
            files=create_files_app(parts),
            pages=Pages(),
            sink=sink,
            losses=losses,
            data=folder_of(chosen.data).resolve(),
        ),
    )


def _key_use(built_in: Mapping[str, Provider], slug: str) -> KeyUse | None:
    if slug.startswith(PREFIX):
        return key_use_of(custom(slug.removeprefix(PREFIX), "https://a.custom.provider"))  # all take keys alike
    provider = built_in.get(slug)
    return None if provider is None else key_use_of(provider)


def _sandbox(chosen: Settings) -> PythonSandbox:
    sandbox = PythonSandbox(wanted=chosen.python_evaluators)
    if chosen.python_evaluators and sandbox.refusal:
        _logger.warning("%s", sandbox.refusal)
    elif chosen.python_evaluators:
        walls = ", ".join(["a seccomp filter", "limits", *sandbox.layers])
        _logger.warning("Python that users write is run by this server, shut in by: %s", walls)
    return sandbox


def _sink(chosen: Settings) -> RecorderClient:
    data = folder_of(chosen.data).resolve()
    sink = RecorderClient(data, spawn_recorder(chosen, data), chosen.log_queue_bytes)
    sink.start()
    return sink


def _guard(chosen: Settings) -> AddressGuard:
    return AddressGuard(chosen.private_networks(), chosen.private_hosts())


def _connector(chosen: Settings, breaker: Breaker | None) -> Connector:
    connector = _plain_connector(chosen)
    return connector if breaker is None else BreakingConnector(connector, breaker)


def _breaker(chosen: Settings) -> Breaker | None:
    if not chosen.circuit_breaker_failures:
        return None
    return Breaker(chosen.circuit_breaker_failures, chosen.circuit_breaker_seconds)


def _plain_connector(chosen: Settings) -> Connector:
    guard = _guard(chosen)
    if chosen.connector == "aiohttp":
        from gaugeway.proxy.connectors.aiohttp_adapter import AiohttpConnector

        return AiohttpConnector(guard)
    return NativeConnector(guard)
