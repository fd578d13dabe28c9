"""The management API over real stores, in this process, with tokens of every kind and a log writer that waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import structs
from starlette.testclient import TestClient

from gaugeway.core import ids
from gaugeway.core.judging import Forecast
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import (
    Account,
    Attempt,
    Bodies,
    CustomCost,
    Logged,
    LogRecord,
    Outcome,
    Permission,
    RouteTaken,
    Scope,
    Token,
    Usage,
)
from gaugeway.core.ports import Retention
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call as ModelCall
from gaugeway.core.replays import Forecast as ReplayForecast
from gaugeway.core.replays import Replay
from gaugeway.core.settings import Settings
from gaugeway.core.shadows import DayForecast, Shadow
from gaugeway.evaluation.annotating.panel import StoredPanel
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evaluators import load as load_evaluators
from gaugeway.evaluation.interchange import Lines
from gaugeway.evaluation.parquet.files import ArrowFiles
from gaugeway.evaluation.sandbox.sandbox import PythonSandbox
from gaugeway.evaluation.sandbox.scoring import PartedScoring
from gaugeway.evaluation.scoring.beside import ScoringProcess
from gaugeway.management import Parts, create_app
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.stores import Stores, open_stores

EMAIL = "Somebody@Example.com"
NOW = 1_795_000_000_000  # 2026-11-18T11:06:40Z
REQUIRED: dict[str, Any] = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
PERMISSIONS = {
    "writer": (Permission.WRITE,),
    "reader": (Permission.READ,),
    "runner": (Permission.RUN,),
    "everything": tuple(Permission),
}


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def now_ms(self) -> int:
        return self.now


class WaitingSink:
    """A LogSink that writes nothing before somebody flushes; it can also be behind for good."""

    def __init__(self, write: Callable[[list[Logged]], None]) -> None:
        self._write = write
        self.waiting: list[Logged] = []
        self.stuck = False
        self.full = False  # that is why

    def is_full(self) -> bool:
        return self.full

    def put(self, logged: Logged) -> None:
        self.waiting.append(logged)

    async def flush(self, timeout_s: float | None = None) -> bool:
        assert timeout_s is not None, "an answer must not wait for ever"
        if self.stuck:
            return False
        batch, self.waiting = self.waiting, []
        if batch:
            self._write(batch)
        return True


class Lost:
    """A LossJournal that says what it is told to."""

    number = 0

    def lost(self, scope: Scope, until_ms: int) -> int:
        return self.number

    def total(self) -> int:
        return self.number


class Yardstick:
    """An evaluator that is only its description."""

    version = "1"
    unit = "USD"
    type = "aggregate"
    description = "What it says."
    direction = Direction.LOWER
    aggregates = ()

    def __init__(self, identifier: str) -> None:
        self.id = identifier
        self.name = identifier.title()

    def conclude(self, selected: object) -> Metric:
        return Metric(value=None, n=0)


async def no_forecast(_evaluation: object, _judges: object) -> tuple[int, list[Forecast]]:
    """There are no judges here."""
    return 0, []


async def no_replay_forecast(_replay: Replay) -> ReplayForecast:
    """There is nobody to be called here."""
    return ReplayForecast(items=0, sampled=0, without_tokens=0, candidates=())


async def no_shadow_forecast(_shadow: Shadow) -> DayForecast:
    """Likewise."""
    return DayForecast(days=1, logs=0, daily_items=0, sampled=0, without_tokens=0, candidates=())


async def no_price(_scope: Scope, call: ModelCall) -> Priced:
    """Only the call's own rates are known here."""
    return Priced(reason="nobody knows prices here") if call.rates is None else Priced(cost=Decimal(1))


class Installation:
    """Stores and an app over them, for all the tests of a module; each test has an account of its own."""

    def __init__(self, folder: Path, stores: Stores, private_upstreams: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.stores = stores
        self.clock = SetClock()
        self.sink = WaitingSink(self._append)
        self.losses = Lost()
        self.woken = 0
        self._make_id = ids.Uuid7(lambda: self.clock.now_ms() * 1_000_000, os.urandom)
        settings = Settings(private_upstreams=list(private_upstreams))
        self.parts = Parts(
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
            sink=self.sink,
            losses=self.losses,
            clock=self.clock,
            new_id=self.new_id,
            evaluators=[Yardstick("cost"), Yardstick("speed"), Yardstick("human_feedback")],
            sandbox=(off := PythonSandbox(wanted=False)),
            open_scoring=lambda scorers: PartedScoring(scorers, off, ScoringProcess),
            analyst=LogAnalyst(stores.logs, load_evaluators(), stores.items),
            annotations=stores.annotations,
            evals=stores.evals,
            eval_files=stores.eval_files,
            panel=StoredPanel(stores.annotations, stores.items),
            provider_slugs={"openai", "anthropic"},
            key_use=lambda slug: (
                HeaderKey() if slug in {"openai", "anthropic"} or slug.startswith("custom-") else None
            ),
            route_providers={"openai", "anthropic"},
            public_url=lambda _request: "http://gaugeway.example/",
            private_hosts=settings.private_hosts(),
            private_networks=settings.private_networks(),
            forecast=no_forecast,
            replays=stores.replays,
            monitors=stores.monitors,
            on_monitor_changed=self._wake,
            forecast_replay=no_replay_forecast,
            on_replay_created=self._wake,
            shadows=stores.shadows,
            forecast_shadow=no_shadow_forecast,
            at_most=no_price,
            on_shadow_changed=self._wake,
            on_evaluation_created=self._wake,
            on_snapshot_changed=self._wake,
        )
        self.client = TestClient(create_app(self.parts))

    @contextmanager
    def with_parts(self, **parts: Any) -> Iterator[TestClient]:
        """The same API with other parts."""
        yield TestClient(create_app(structs.replace(self.parts, **parts)))

    def new_id(self) -> str:
        return ids.to_text(self.make_id())

    def make_id(self) -> bytes:
        return self._make_id()

    def _wake(self) -> None:
        self.woken += 1

    def _append(self, batch: list[Logged]) -> None:
        self.stores.logs.append(batch, lambda _scope: Retention(None, None))


class ControlPlane:
    """The API as one account sees it, and the store behind it."""

    def __init__(self, installation: Installation) -> None:
        installation.clock.now = NOW
        installation.woken = 0
        installation.sink.stuck = installation.sink.full = False
        self.installation = installation
        self.stores = installation.stores
        self.parts = installation.parts
        self.clock = installation.clock
        self.sink = installation.sink
        self.client = installation.client
        self.account_id = os.urandom(16).hex()
        self.other_account_id = os.urandom(16).hex()
        self.prefix = f"/client/v4/accounts/{self.account_id}/ai-gateway"
        for account_id in (self.account_id, self.other_account_id):
            self.stores.accounts.create(Account(id=account_id, name=account_id, created_at=1))
        for name, permissions in PERMISSIONS.items():
            self.add_token(name, permissions)
        self.add_token("stranger", tuple(Permission), account_id=self.other_account_id)

    def scope(self, gateway_id: str = "main") -> Scope:
        """The full name of one of the account's gateways."""
        return Scope(self.account_id, gateway_id)

    def text_of(self, token: str) -> str:
        """The text of the token with that name."""
        return f"{token}-{self.account_id}"

    def add_token(
        self, name: str, permissions: tuple[Permission, ...], *, account_id: str | None = None, **fields: Any
    ) -> Token:
        """Keep a token; `text_of(name)` is its text."""
        digest = sha256(self.text_of(name).encode()).digest()
        token = Token(
            id=digest.hex()[:32],
            account_id=account_id or self.account_id,
            name=name,
            sha256=digest,
            permissions=permissions,
            email=EMAIL,
            created_at=1,
            **fields,
        )
        self.stores.tokens.create(token)
        return token

    def call(self, method: str, path: str, body: Any = None, *, token: str = "writer", **more: Any) -> Any:
        """A request; a path that does not begin with /client is the account's."""
        url = path if path.startswith("/client") or path == "/openapi.json" else self.prefix + path
        headers = {"authorization": f"Bearer {self.text_of(token)}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.client.request(method, url, headers=headers, **more)

    def get(self, path: str, **params: Any) -> Any:
        """The whole answer to a GET that must succeed."""
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, path: str, body: Any) -> Any:
        """The result of a POST that must succeed."""
        answer = self.call("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def make_gateway(self, gateway_id: str = "main", **settings: Any) -> str:
        self.make("/gateways", {"id": gateway_id, **REQUIRED, **settings})
        return gateway_id

    def log(
        self, *, at: int | None = None, gateway_id: str = "main", bodies: Bodies | None = None, **fields: Any
    ) -> str:
        """Hand a log over to the sink; its id."""
        identifier = self.installation.make_id() if at is None else ids.first_at(at)[:6] + b"\x70" + os.urandom(9)
        plain: dict[str, Any] = {
            "account_id": self.account_id,
            "gateway_id": gateway_id,
            "id": identifier,
            "provider": "openai",
            "outcome": Outcome.SUCCESS,
            "duration": 100,
            "model": "gpt-5",
            "path": "v1/chat/completions",
            "status_code": 200,
        }
        self.sink.put(Logged(LogRecord(**plain | fields), bodies))
        return ids.to_text(identifier)


def errors(answer: Any, status: int = 400) -> list[dict[str, Any]]:
    """The errors of an answer that must be one."""
    assert answer.status_code == status, answer.text
    envelope = answer.json()
    assert envelope["success"] is False
    assert envelope["result"] == {}
    assert envelope["messages"] == []
    return envelope["errors"]


def error(answer: Any, status: int = 400) -> tuple[int, list[Any], str]:
    """The only error of an answer: code, path, message."""
    (only,) = errors(answer, status)
    return only["code"], only.get("path", []), only["message"]


@contextmanager
def installation(folder: Path, *private_upstreams: str) -> Iterator[Installation]:
    """An API over a new data folder."""
    stores = open_stores(folder)
    try:
        yield Installation(folder, stores, private_upstreams)
    finally:
        stores.close()


A_FULL_LOG: dict[str, Any] = {
    "model_type": "chat",
    "request_type": "Universal",
    "step": 1,
    "event_id": "my-event",
    "user_agent": "curl/8",
    "authentication": True,
    "first_byte_ms": 40,
    "usage": Usage(tokens_in=10, tokens_out=5, cached_tokens_in=3, reasoning_tokens=2),
    "response_model": "gpt-5-2026-01-01",
    "cost": Decimal("0.000123456789"),
    "custom_cost": CustomCost(total_cost=Decimal("0.000123456789")),
    "request_content_type": "application/json",
    "response_content_type": "application/json",
    "request_size": 11,
    "response_size": 12,
    "metadata": {"user": "ann", "n": 1, "beta": True},
    "attempts": (Attempt(provider="openai", step=0, status_code=500, duration=7, error="broken"),),
    "route": RouteTaken(name="my-route", version_id="v1", path=("start", "m")),
    "feedback": 1,
    "score": 80.0,
}
