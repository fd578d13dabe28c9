"""What the control plane is given to work with, and how an endpoint gets at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from msgspec import Struct

from gaugeway.core.annotations import AnnotationStore, Panel
from gaugeway.core.comparisons import Analyst
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.evals import EvalStore
from gaugeway.core.files import EvalFileStore
from gaugeway.core.items import CustomTypeStore, ItemStore
from gaugeway.core.judging import Forecast, ModelScorer
from gaugeway.core.model import Evaluation, Gateway, Permission, Scope, Token
from gaugeway.core.monitors import MonitorStore
from gaugeway.core.ports import (
    AnalyticsStore,
    CacheStore,
    Clock,
    ConfigStore,
    CounterStore,
    CustomProviderStore,
    DatasetStore,
    EvaluationStore,
    GatewayStore,
    LogSink,
    LogStore,
    LossJournal,
    RouteStore,
    SessionStore,
    TokenStore,
)
from gaugeway.core.price_rules import PriceRuleStore
from gaugeway.core.pricing import Priced
from gaugeway.core.provider import KeyUse
from gaugeway.core.replays import Call as ModelCall
from gaugeway.core.replays import Forecast as ReplayForecast
from gaugeway.core.replays import Replay, ReplayStore
from gaugeway.core.samples import AnyEvaluator, Scoring
from gaugeway.core.sandbox import Sandbox
from gaugeway.core.settings import Network
from gaugeway.core.shadows import DayForecast, Shadow, ShadowStore
from gaugeway.core.snapshots import Interchange, ParquetFiles, SnapshotStore
from gaugeway.core.spending import SpendLedger
from gaugeway.core.stored_keys import ProviderConfigStore


class Parts(Struct, frozen=True, kw_only=True):
    """Everything the management API is wired to. It opens and closes none of it."""

    config: ConfigStore
    tokens: TokenStore
    sessions: SessionStore
    gateways: GatewayStore
    custom_providers: CustomProviderStore
    routes: RouteStore
    datasets: DatasetStore
    evaluations: EvaluationStore
    snapshots: SnapshotStore
    interchange: Interchange
    parquet: ParquetFiles
    logs: LogStore
    analytics: AnalyticsStore
    cache: CacheStore
    counters: CounterStore
    ledger: SpendLedger
    price_rules: PriceRuleStore
    provider_configs: ProviderConfigStore
    sink: LogSink
    losses: LossJournal
    clock: Clock
    new_id: Callable[[], str]  # UUIDv7 text
    items: ItemStore
    custom_types: CustomTypeStore
    evaluators: Sequence[AnyEvaluator]
    sandbox: Sandbox
    open_scoring: Callable[[dict[int, tuple[str, dict[str, Any]]]], Scoring]
    """Where evaluators work that ask no model: their ids and parameters, by number."""
    analyst: Analyst
    annotations: AnnotationStore
    panel: Panel
    evals: EvalStore
    eval_files: EvalFileStore
    provider_slugs: Collection[str]  # of the built-in providers
    key_use: Callable[[str], KeyUse | None]  # how a provider takes a stored key, by its slug
    route_providers: Collection[str]  # the names of those that a dynamic route can ask
    public_url: Callable[[Request], str]  # where clients reach this server, e.g. http://127.0.0.1:8787
    private_hosts: frozenset[str] = frozenset()  # host names that may be on private addresses
    private_networks: tuple[Network, ...] = ()  # private addresses that requests may go to
    forecast: Callable[[Evaluation, Mapping[int, ModelScorer]], Awaitable[tuple[int, list[Forecast]]]]
    """How many logs an evaluation would select, and what its judges, by position, would cost."""
    replays: ReplayStore
    forecast_replay: Callable[[Replay], Awaitable[ReplayForecast]]
    """What a replay would cost."""
    shadows: ShadowStore
    forecast_shadow: Callable[[Shadow], Awaitable[DayForecast]]
    """What a day of a shadow would cost."""
    at_most: Callable[[Scope, ModelCall], Awaitable[Priced]]
    """What a call through a gateway can cost at most, or why nobody can tell."""
    on_shadow_changed: Callable[[], None] = lambda: None  # wakes its runner
    on_replay_created: Callable[[], None] = lambda: None  # wakes its runner
    monitors: MonitorStore
    on_monitor_changed: Callable[[], None] = lambda: None  # wakes who watches
    on_evaluation_created: Callable[[], None] = lambda: None  # wakes the runner
    on_snapshot_changed: Callable[[], None] = lambda: None  # wakes who makes snapshots, and sweeps after them
    on_eval_run_created: Callable[[], None] = lambda: None  # likewise

    def evaluator(self, evaluator_id: str) -> AnyEvaluator | None:
        """The installed evaluator of that id."""
        return next((each for each in self.evaluators if each.id == evaluator_id), None)


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
