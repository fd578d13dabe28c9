"""Dynamic routes: a request for the model `dynamic/{name}` goes through the deployed version (contract 5.4).

The way to the first model is found while routing; from there it goes on only where a model fails, before the first
byte went downstream, as any failover does (failover.py). Each model is a request of the OpenAI-compatible endpoint
with the model's name in place of the route's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from gaugeway.core.errors import GatewayError, RateLimited, StoreUnusable
from gaugeway.core.model import Attempt, Outcome, RouteTaken, Scope
from gaugeway.core.money import to_pico
from gaugeway.core.ports import Clock, KeyedCounterStore, Rate
from gaugeway.core.provider import Asked
from gaugeway.core.routes.elements import Conditional, Element, End, ModelElement, Percentage, RateElement, Start
from gaugeway.core.routes.graph import fraction_of
from gaugeway.core.routes.values import MISSING, RequestValues
from gaugeway.core.spending import Budget, SpendLedger
from gaugeway.proxy.answers import BAD_HEADER, INTERNAL, INVALID_PROVIDER, PROVIDER_FAILED, RATE_LIMITED
from gaugeway.proxy.compat import DYNAMIC, CompatEndpoint, Named
from gaugeway.proxy.compat import SLUG as COMPAT
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, secrets_in
from gaugeway.proxy.directory import CUSTOM_PREFIX, Directory, KnownRoute
from gaugeway.proxy.exchange import Exchange, Headers, Options, Step, Target
from gaugeway.proxy.limiting import SLIDING
from gaugeway.proxy.rest import RUN, as_run, refuse_keyless
from gaugeway.proxy.retrying import NO_WISHES, settle
from gaugeway.proxy.steps import as_step, enter, place
from gaugeway.proxy.stored_keys import StoredKeys

MAX_SHOWN = 256
"""Bytes of a value that rates of cost are kept by; of a longer one its hash."""

_BEARER = frozenset((b"authorization",))


class Asking(NamedTuple):
    """A request for a route, or a universal request's step that is one: what it says beside its body's fields."""

    query: bytes
    headers: Headers  # that may go upstream
    content_type: str
    body: bytes  # as it was sent, which the log keeps
    options: Options
    sent: Headers  # as the client sent them


class DynamicRoutes:
    """Sends requests on their way. `chance` gives numbers in [0, 1) for those that nothing sticks to."""

    def __init__(
        self,
        directory: Directory,
        compat: CompatEndpoint,
        keys: StoredKeys,
        *,
        counters: KeyedCounterStore,
        ledger: SpendLedger,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._keys = keys
        self._compat = compat
        self._counters = counters
        self._clock = clock
        self._chance = chance

    async def enter(self, exchange: Exchange, named: Named) -> None:
        """Turn the exchange to the first model that the route comes to.

        Raises GatewayError: 400 for a route that is not there, or that ends without a model; 429 where a rate
        ends it.
        """
        exchange.asked = Asked(model=f"{DYNAMIC}/{named.model}")  # until it is known which model answers
        asking = Asking(
            exchange.query,
            exchange.headers,
            exchange.content_type,
            exchange.body,
            exchange.options,
            exchange.connection.headers,
        )
        await self.walk(exchange.gateway.scope, named, asking).begin(exchange)

    def walk(self, scope: Scope, named: Named, asking: Asking) -> Walk:
        """The way of a request for a route, not yet begun; raises GatewayError (400) where there is none."""
        known = self._directory.route(scope, named.model)
        if isinstance(known, str):
            raise GatewayError(400, INVALID_PROVIDER, known)
        return Walk(self, known, named, asking)

    async def over_by(self, exchange: Exchange, walk: Walk, element: RateElement) -> int:
        """Count a request at a rate element; ms until there is room, 0 where there is."""
        wanted = element.properties
        try:
            if wanted.limit_type == "cost":
                return self._overspent_by(exchange, walk, element)
            rate = Rate(int(wanted.limit), wanted.window, wanted.technique == SLIDING)
            key = _counter_key(walk, element)
            return await asyncio.to_thread(self._counters.take, key, rate, self._clock.now_ms())
        except StoreUnusable as problem:
            message = f"The rate of the dynamic route's element {element.id!r} cannot be counted"
            raise GatewayError(503, INTERNAL, message, Outcome.INTERNAL_ERROR) from problem

    def _overspent_by(self, exchange: Exchange, walk: Walk, element: RateElement) -> int:
        """Whether a rate of cost is used up, by what was spent and what requests in flight may cost.

        Where it is not, what the request will cost is counted there (see spending.py).
        """
        wanted = element.properties
        budget = Budget(
            scope=walk.known.route.scope,
            rule_id=f"{walk.known.route.id}/{element.id}",
            partition=((wanted.key, _shown_value(walk, element).decode()),),
            limit=to_pico(round(Decimal(repr(wanted.limit)), 12)) or 1,
            window=wanted.window,
            sliding=wanted.technique == SLIDING,
        )
        overspent = self._ledger.look(budget, self._clock.now_ms())
        if overspent is not None:
            return overspent.wait_ms or 1
        exchange.budgets += (budget,)
        return 0

    def fraction(self, walk: Walk, element: Percentage) -> float:
        """A number in [0, 1): by chance, or by what the request's session always gets."""
        session = walk.asking.options.session_id
        return self._chance() if session is None else fraction_of(walk.known.route.id, element.id, session)

    def step(self, exchange: Exchange, walk: Walk, element: ModelElement) -> Step:
        """What a model is sent. Raises GatewayError (400) where it cannot be asked."""
        provider, model = self._model_of(walk, element)
        wanted = element.properties
        named = walk.named._replace(prefix=provider, model=model)
        asking = walk.asking
        headers = _credentials_of(self._compat.target(exchange.gateway.account_id, named), asking.headers)
        meant = self._compat.resolve(
            exchange.gateway.account_id,
            exchange.log_id,
            named,
            query=asking.query,
            headers=headers,
            content_type=asking.content_type,
        )
        if named.path == RUN:
            meant = as_run(meant)
        wishes = replace(
            asking.options.retry or NO_WISHES, max_attempts=wanted.retries + 1, timeout_ms=wanted.timeout
        )
        for name, value in meant.headers:
            if name in meant.target.more_credentials:
                exchange.secrets += secrets_in(name, value)
        stored_key = self._keys.choose(exchange, meant.target, meant.headers, meant.query, asking.options)
        if exchange.is_rest:
            refuse_keyless(meant.target, meant.headers, "" if stored_key is None else stored_key.key)
        return as_step(
            place(meant, asking.sent, stored_key),
            body=asking.body,
            options=asking.options,
            policy=settle(wishes, exchange.gateway),
        )

    def _model_of(self, walk: Walk, element: ModelElement) -> tuple[str, str]:
        """Provider and model: the element's own, or those that the request's metadata name."""
        wanted = element.properties
        path = walk.known.graph.keys[element.id]
        if path is None:
            return wanted.provider, wanted.model
        named = walk.values.get(path)
        if not isinstance(named, str):
            raise GatewayError(
                400,
                INVALID_PROVIDER,
                f"The route's element {element.id!r} needs {wanted.model}: {{provider}}/{{model}}",
            )
        provider, model = self._compat.split_model(msgspec.Raw(msgspec.json.encode(named)))
        if provider == DYNAMIC:
            raise GatewayError(400, INVALID_PROVIDER, f"{wanted.model}: a route cannot lead to another route")
        return provider, model


class Walk:
    """A RouteWalk: where a request is on its way."""

    def __init__(self, routes: DynamicRoutes, known: KnownRoute, named: Named, asking: Asking) -> None:
        self.known = known
        self.named = named
        self.asking = asking
        self.values = RequestValues(named.body, asking.headers, asking.options.metadata)
        self.all_failed = False
        self.may_go_on = True
        self._routes = routes
        self._next = known.graph.start.id
        self._path: list[str] = []
        self._models = 0  # that it has come to
        self._step: int | None = None  # of a universal request, that it is
        self._wait_ms = 0  # of the last rate that was used up
        self._refusal: GatewayError | None = None  # of the last model that could not be asked

    @property
    def name(self) -> str:
        """As a model is named."""
        return f"{DYNAMIC}/{self.known.route.name}"

    @property
    def taken(self) -> RouteTaken:
        """See RouteWalk."""
        route = self.known.route
        return RouteTaken(name=route.name, version_id=route.version.id, path=tuple(self._path))

    async def begin(self, exchange: Exchange, step: int | None = None) -> None:
        """See RouteWalk."""
        exchange.route, self._step = self, step
        if step is not None:
            _enter_unknown(exchange, self, step)
        if not await self.go_on(exchange):
            raise self._no_model(exchange)

    async def go_on(self, exchange: Exchange) -> bool:
        """See RouteWalk."""
        while True:
            element = self.known.graph.elements[self._next]
            self._path.append(element.id)
            if isinstance(element, End):
                self.all_failed = True
                return False
            if isinstance(element, ModelElement):
                self._next = element.outputs.fallback.element_id
                if self._ask(exchange, element):
                    return True
            else:
                self._next = await self._choose(exchange, element)

    async def _choose(self, exchange: Exchange, element: Element) -> str:
        """The id of the element that comes next."""
        match element:
            case Start():
                return element.outputs.next.element_id
            case Conditional():
                holds = self.known.graph.conditions[element.id](self.values)
                return (element.outputs.true_ if holds else element.outputs.false_).element_id
            case Percentage():
                return self.known.graph.choose(element, self._routes.fraction(self, element))
            case RateElement():
                self._wait_ms = await self._routes.over_by(exchange, self, element)
                return (element.outputs.fallback if self._wait_ms else element.outputs.success).element_id
            case _:
                raise AssertionError("models and ends are no crossroads")

    def _ask(self, exchange: Exchange, element: ModelElement) -> bool:
        """Turn the exchange to a model; False where it cannot be asked, which is an attempt that failed."""
        index = self._models if self._step is None else self._step
        self._models += 1
        self.may_go_on = self.known.graph.leads_to_model(element.outputs.fallback.element_id)
        try:
            step = self._routes.step(exchange, self, element)
        except GatewayError as refusal:
            self._refusal = refusal
            _note_refusal(exchange, element.properties.provider, index, refusal)
            return False
        enter(exchange, step, index)
        return True

    def _no_model(self, exchange: Exchange) -> GatewayError:
        """What a request gets that has come to an end before any model was asked."""
        if self._refusal is not None:
            return self._refusal
        if self._wait_ms:
            message = f"Rate limited by {self._path[-2]!r} of the route {self.name}"
            refusal: GatewayError = RateLimited(429, RATE_LIMITED, message, self._wait_ms)
        else:
            where = f"its end {self._path[-1]!r} without a model"
            refusal = GatewayError(
                400, PROVIDER_FAILED, f"The dynamic route {self.name!r} led this request to {where}"
            )
        if self._step is not None:  # another step may follow, and its answer not tell
            _note_refusal(exchange, COMPAT, self._step, refusal)
        return refusal


def _note_refusal(exchange: Exchange, provider: str, step: int, refusal: GatewayError) -> None:
    """What was never sent is seen on the log as an attempt that failed."""
    attempt = Attempt(provider=provider, step=step, status_code=None, duration=0, error=refusal.message)
    exchange.attempts.append(attempt)


def _enter_unknown(exchange: Exchange, walk: Walk, step: int) -> None:
    """Turn the exchange to a universal request's step of which it is not known yet where it leads."""
    asking = walk.asking
    exchange.step, exchange.slug, exchange.rest = step, COMPAT, walk.named.path
    exchange.query, exchange.headers, exchange.content_type = asking.query, asking.headers, asking.content_type
    exchange.body, exchange.options, exchange.asked = asking.body, asking.options, Asked(model=walk.name)
    exchange.target = exchange.compat = exchange.stored_key = None
    exchange.key = ""


def refuse_session(options: Options) -> None:
    """Refuse a session's name where nothing could stick to it; raises GatewayError (400)."""
    if options.session_id is not None:
        message = "Header cf-aig-session-id: only dynamic routes stick to a session, and this is none; leave it out"
        raise GatewayError(400, BAD_HEADER, message)


def _counter_key(walk: Walk, element: RateElement) -> bytes:
    """What counts together: the same value at the element's key. Requests without one are one, too."""
    parts = (walk.known.route.id.encode(), element.id.encode(), element.properties.key.encode())
    return sha256(b"\0".join((*parts, _shown_value(walk, element)))).digest()


def _shown_value(walk: Walk, element: RateElement) -> bytes:
    """The value at an element's key, as JSON, or its hash where it is long: nothing else gives the same."""
    path = walk.known.graph.keys[element.id]
    value = MISSING if path is None else walk.values.get(path)
    if value is MISSING:
        return b"-"
    shown = msgspec.json.encode(value, order="deterministic")
    return b"=" + shown if len(shown) <= MAX_SHOWN else b"#" + sha256(shown).hexdigest().encode()


def _credentials_of(target: Target, headers: Headers) -> Headers:
    """The headers without the keys that are meant for other providers of the route."""
    provider = target.provider
    own = _BEARER if provider.slug.startswith(CUSTOM_PREFIX) else provider.credential_headers | _BEARER
    return [pair for pair in headers if pair[0] not in CREDENTIAL_HEADERS or pair[0] in own]
