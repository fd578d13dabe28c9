"""Calls that the program itself makes of models, through its own data plane and within a purse.

They are authenticated, limited, logged and priced like any client's. The most that a call can cost is reserved
before it is sent, and settled by what its log says.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct

from gaugeway.core import ids, price_list
from gaugeway.core.judging import DAILY_CAP, SPEND_CAP
from gaugeway.core.model import CustomCost, LogRecord, Outcome, Scope, Usage
from gaugeway.core.money import from_pico, plain, to_pico
from gaugeway.core.ports import Clock, LogSink, LogStore
from gaugeway.core.pricing import PriceBook, Priced
from gaugeway.core.provider import Asked, Headers
from gaugeway.core.spending import Budget, NoRoom, SpendLedger
from gaugeway.proxy.compat import ALIASES, DYNAMIC
from gaugeway.proxy.exchange import Connection
from gaugeway.proxy.inward import InwardAnswer, call_inward
from gaugeway.proxy.run_tokens import RunTokens

FLUSH_S = 10.0
_NEVER_SENT = (400, 401, 403, 404)


class OwnCall(Struct, frozen=True, kw_only=True):
    """What is asked of whom."""

    endpoint: str  # of the OpenAI-compatible endpoint: chat/completions, responses, messages, embeddings
    body: bytes
    agent: bytes  # who asks, as the log's user agent
    metadata: Mapping[str, str]
    rates: CustomCost | None = None  # where no price is known
    headers: tuple[tuple[bytes, bytes], ...] = ()  # further ones


class OwnAnswer(Struct, frozen=True):
    """What came of it."""

    answer: InwardAnswer
    record: LogRecord | None  # its log; None: there is none


class OwnCalls:
    """Sends them."""

    def __init__(
        self,
        *,
        data_plane: Callable[[Connection], Awaitable[None]],
        tokens: RunTokens,
        ledger: SpendLedger,
        prices: PriceBook,
        logs: LogStore,
        sink: LogSink,
        clock: Clock,
    ) -> None:
        self._data_plane = data_plane
        self._tokens = tokens
        self._ledger = ledger
        self._prices = prices
        self._logs = logs
        self._sink = sink
        self._clock = clock

    async def send(
        self, scope: Scope, call: OwnCall, purse: Budget, most: Decimal, daily: Budget | None = None
    ) -> OwnAnswer:
        """Send it; NoRoom where the purse has none for the most that it can cost. Nothing is sent then.

        `daily` must have room for it beside the purse.
        """
        headers = await self._headers(scope, call)
        now = self._clock.now_ms()
        hold = secrets.token_bytes(18)
        budgets = (purse,) if daily is None else (purse, daily)
        refused = self._ledger.reserve(hold, budgets, to_pico(most) or 0, now)
        if refused is not None:
            cap = SPEND_CAP if refused.budget == purse else DAILY_CAP
            dollars = plain(from_pico(refused.budget.limit))
            raise NoRoom(f"{cap} {dollars} dollars has no room for another call of up to {plain(most)}")
        cost: Decimal | None = most  # what counts where nobody knows, after a death included
        try:
            path = f"/v1/{scope.account_id}/{scope.gateway_id}/compat/{call.endpoint}"
            answer = await call_inward(self._data_plane, path.encode(), headers, call.body)
            record = await self._record(scope, answer)
            cost = _cost_of(answer, record)
        finally:
            self._ledger.settle(hold, budgets, to_pico(most if cost is None else cost) or 0, now)
        return OwnAnswer(answer, record)

    async def at_most(
        self, scope: Scope, model: str, endpoint: str, body: bytes, rates: CustomCost | None
    ) -> Priced:
        """What a call of "{provider}/{model}" can cost at most, or why nobody can tell."""
        prefix, _, name = model.partition("/")
        if prefix == DYNAMIC:
            return Priced(reason="what a dynamic route costs at most cannot be told")
        await asyncio.to_thread(price_list.load)
        return self._prices.at_most(
            scope,
            ALIASES.get(prefix, prefix),
            Asked(model=name, model_type=_kind_of(endpoint)),
            body,
            at_ms=self._clock.now_ms(),
            custom_cost=rates,
        )

    def would_cost(self, scope: Scope, model: str, endpoint: str, usage: Usage, rates: CustomCost | None) -> Priced:
        """What a call of that usage costs, or why nobody can tell."""
        prefix, _, name = model.partition("/")
        record = LogRecord(
            account_id=scope.account_id,
            gateway_id=scope.gateway_id,
            id=ids.first_at(self._clock.now_ms()),
            provider=ALIASES.get(prefix, prefix),
            outcome=Outcome.SUCCESS,
            duration=0,
            model=name,
            model_type=_kind_of(endpoint),
            usage=usage,
            custom_cost=rates,
        )
        return self._prices.price(record)

    async def _headers(self, scope: Scope, call: OwnCall) -> Headers:
        token = await self._tokens.text(scope.account_id)
        headers = [
            (b"content-type", b"application/json"),
            (b"user-agent", call.agent),
            (b"cf-aig-authorization", b"Bearer " + token.encode()),
            (b"cf-aig-metadata", msgspec.json.encode(call.metadata)),
            *call.headers,
        ]
        if call.rates is not None:
            headers.append((b"cf-aig-custom-cost", _rates_header(call.rates)))
        return headers

    async def _record(self, scope: Scope, answer: InwardAnswer) -> LogRecord | None:
        log_id = ids.from_text(answer.headers.get(b"cf-aig-log-id", b"").decode("latin-1"))
        if log_id is None:
            return None
        await self._sink.flush(FLUSH_S)
        return await asyncio.to_thread(self._logs.get, scope, log_id)


def _kind_of(endpoint: str) -> str:
    """The kind of model that answers there, as prices know it."""
    return "embeddings" if endpoint == "embeddings" else "chat"


def _cost_of(answer: InwardAnswer, record: LogRecord | None) -> Decimal | None:
    """What the log says that the call cost; None where it does not say, or there is none."""
    if record is not None:
        return record.cost
    known = b"cf-aig-log-id" in answer.headers
    return Decimal(0) if not known and answer.status in _NEVER_SENT else None


def _rates_header(rates: CustomCost) -> bytes:
    """The value of cf-aig-custom-cost."""
    # as numbers, and without an exponent's sign that a header's reader may not know
    told = f'{{"per_token_in": {plain(rates.per_token_in or Decimal(0))},'
    return f'{told} "per_token_out": {plain(rates.per_token_out or Decimal(0))}}}'.encode()
