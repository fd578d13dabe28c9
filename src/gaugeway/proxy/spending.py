"""Spend limits: nothing goes upstream that a budget might have no room for (contract 5.9).

Before a request is sent to a target, the most that it can cost there is reserved in each rule that counts it; when
it is over, what it did cost takes that place. So budgets hold at any concurrency, where a request's output is
bounded. A gateway without spend limits does not come here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from decimal import Decimal
from time import monotonic

from msgspec.structs import replace

from gaugeway.core import price_list
from gaugeway.core.errors import GatewayError, SpendLimited, StoreUnusable
from gaugeway.core.model import Attempt, Gateway, LogRecord, Outcome, Usage
from gaugeway.core.money import from_pico, plain, to_pico
from gaugeway.core.ports import Clock
from gaugeway.core.pricing import REALTIME, PriceBook, Priced, is_read_only
from gaugeway.core.provider import Reported, sockets_of
from gaugeway.core.spending import Budget, Overspent, Rule, SpendLedger, as_texts, rules_of
from gaugeway.core.worst_case import Bound
from gaugeway.proxy.answers import BAD_HEADER, INTERNAL, SPEND_LIMITED
from gaugeway.proxy.estimating import FIRST_UNBILLED, has_come, with_estimate
from gaugeway.proxy.exchange import Exchange, Hold, SessionFigures, Target

MAX_REMEMBERED = 20_000
"""Gateways whose rules a process remembers."""

MAX_UNSETTLED = 100_000
"""Costs that wait for a store that cannot be used. Beyond it their reservations stay, which is the safe side."""

_NO_LIMIT = (1 << 63) - 1

TEND_EVERY_S = 5.0
SAY_EVERY_S = 60.0
_logger = logging.getLogger("uvicorn.error")


A_RESPONSE = Bound(tokens_in=None, tokens_out=None)
"""What one response of a session uses at most: the model's context window, both ways."""


class Spending:
    """What stands between routing and a provider where a gateway has spend limits."""

    def __init__(self, ledger: SpendLedger, prices: PriceBook, clock: Clock) -> None:
        self._ledger = ledger
        self._prices = prices
        self._clock = clock
        self._rules: dict[tuple[str, str], tuple[Gateway, tuple[Rule, ...]]] = {}
        self._waiting: deque[tuple[Hold, int]] = deque()
        self._are_prices_loaded = False
        self._said_at = -SAY_EVERY_S

    async def reserve(self, exchange: Exchange, target: Target) -> None:
        """Reserve the most that an attempt can cost at the exchange's target.

        Once for a target, and anew after an attempt there that has cost something, or may have: then what was
        reserved for it counts (see `_cost_of_failed`). Raises SpendLimited: 429/2045
        where a budget has no room; 400/7001 where the most that it can cost is not known, as it must not pass
        uncounted. And GatewayError (503) where nothing can be counted.
        """
        before = exchange.hold
        if before is not None:
            spent = self._cost_of_failed(exchange, before)
            if not spent and before.turn == exchange.turn and before.target is target:
                return
            exchange.hold = None
            self._settle(before, spent)
        rules = self._rules_of(exchange.gateway)
        reads_only = is_read_only(exchange.method) and not exchange.over_socket
        if reads_only or not (rules or exchange.budgets):
            return
        provider, model = target.provider.slug, exchange.asked.model
        metadata = as_texts(exchange.options.metadata)
        found = [rule.bucket(provider, model, metadata) for rule in rules]
        budgets = (*(bucket for bucket in found if bucket is not None), *exchange.budgets)
        if not budgets:
            return
        now = self._clock.now_ms()
        amount = await self._at_most(exchange, target, budgets, now)
        hold = Hold(
            id=exchange.log_id + bytes((len(exchange.attempts) & 0xFF, exchange.turn & 0xFF)),
            turn=exchange.turn,
            target=target,
            budgets=budgets,
            amount=amount,
            at_ms=now,
            after=len(exchange.attempts),
            custom_cost=exchange.options.custom_cost,
            model_type=exchange.asked.model_type,
        )
        try:
            refused = self._ledger.reserve(hold.id, _as_limits(budgets, exchange.budgets), amount, now)
        except StoreUnusable as problem:
            exchange.end(Outcome.INTERNAL_ERROR, f"the spend limits cannot be counted: {problem}")
            raise GatewayError(503, INTERNAL, "The gateway's spend limits cannot be counted") from problem
        if refused is not None:
            raise no_room(refused, provider, model, amount)
        exchange.hold = hold

    async def _at_most(self, exchange: Exchange, target: Target, budgets: tuple[Budget, ...], now: int) -> int:
        """In 10^-12 dollars."""
        if not self._are_prices_loaded:
            await asyncio.to_thread(price_list.load)
            self._are_prices_loaded = True
        body = exchange.body if exchange.compat is None else exchange.compat.body
        provider = target.provider.slug
        priced = self._prices.at_most(
            exchange.gateway.scope,
            provider,
            exchange.asked,
            body,
            at_ms=now,
            custom_cost=exchange.options.custom_cost,
            bound=A_RESPONSE if counts_responses(exchange, target) else None,
        )
        if priced.cost is None:
            what = (
                f"{provider}'s model {exchange.asked.model!r}"
                if exchange.asked.model
                else f"a request to {provider}"
            )
            message = f"Spend limit {budgets[0].described} cannot count {what}: {priced.reason}"
            raise SpendLimited(400, BAD_HEADER, message, message)
        return to_pico(priced.cost) or 0

    def _cost_of_failed(self, exchange: Exchange, hold: Hold) -> int:
        """What the failed attempts of a reservation count, in 10^-12 dollars: noted on them for the log.

        What they reported, which is nothing as a rule; all that was reserved where one was sent and gave no answer.
        A client that names the total of its request has counted them in.
        """
        said = hold.custom_cost
        if said is not None and said.total_cost is not None and exchange.options.custom_cost == said:
            return 0
        cost = self._reported(exchange, hold)
        for index in range(hold.after, len(exchange.attempts)):
            attempt = exchange.attempts[index]
            if attempt.may_be_billed or (attempt.usage is not None and attempt.cost is None):
                exchange.attempts[index] = replace(attempt, counted=from_pico(hold.amount))
                cost += hold.amount
        return cost

    def _reported(self, exchange: Exchange, hold: Hold) -> int:
        """What the failed attempts of a reservation cost by the usage they reported, as far as that has a price."""
        cost = 0
        for index in range(hold.after, len(exchange.attempts)):
            attempt = exchange.attempts[index]
            if attempt.usage is not None:
                priced = self._price_attempt(exchange, hold, attempt)
                exchange.attempts[index] = replace(attempt, cost=priced)
                cost += 0 if priced is None else to_pico(priced) or 0
        return cost

    def _price_attempt(self, exchange: Exchange, hold: Hold, attempt: Attempt) -> Decimal | None:
        gateway = exchange.gateway
        record = LogRecord(
            account_id=gateway.account_id,
            gateway_id=gateway.id,
            id=exchange.log_id,
            provider=attempt.provider,
            outcome=Outcome.UPSTREAM_ERROR,
            duration=0,
            model_type=hold.model_type,
            method=exchange.method,
        )
        return self._prices.price_attempt(record, attempt).cost

    def settle(self, exchange: Exchange, hold: Hold, record: LogRecord, answer: bytes) -> LogRecord:
        """Put what the exchange cost in the place of what was reserved; the record with that cost. Never raises.

        Where the provider reported no usage, it is estimated from what came. Where nothing came, or no cost can be
        told even so, the reservation counts in full, and the log says it.
        """
        exchange.hold = None
        if exchange.session is not None and exchange.session.counted is not None:
            return _with_session_cost(record, exchange.session)
        reported = self._reported(exchange, hold)
        record = replace(record, attempts=tuple(exchange.attempts))
        priced = self._prices.price_answer(record)
        may_cost = any(map(_may_cost, exchange.attempts[hold.after :]))
        is_whole = may_cost and (record.outcome is Outcome.SUCCESS or _says_it_failed(record))
        if priced.cost is None and (is_whole or has_come(record, exchange, answer)):
            estimated = with_estimate(record, exchange, answer)
            if estimated is not record:
                record, priced = estimated, self._prices.price_answer(estimated)
        if priced.cost is None and not may_cost:
            self._settle(hold, reported)
            return replace(record, cost_reason=priced.reason)
        counted = hold.amount if priced.cost is None else to_pico(priced.cost) or 0
        self._settle(hold, counted + reported)
        total = self._prices.price(record)
        if total.cost is not None:
            return replace(record, cost=total.cost, priced_by=total.by)
        most = ", the most it may be" if priced.cost is None else ""
        reason = f"{total.reason}; the spend limits count {plain(from_pico(counted))} dollars{most}"
        return replace(record, cost_reason=reason)

    # A session's responses (see session_spending.py).

    def hold_again(
        self, exchange: Exchange, like: Hold, number: int, *, without_limit: bool = False
    ) -> Hold | Overspent:
        """The same reservation once more, for another response; `without_limit` it only counts.

        Raises StoreUnusable.
        """
        now = self._clock.now_ms()
        hold = replace(like, id=exchange.log_id + number.to_bytes(4), at_ms=now)
        budgets = _as_limits(like.budgets, like.budgets) if without_limit else like.budgets
        return self._ledger.reserve(hold.id, budgets, hold.amount, now) or hold

    def is_of_now(self, hold: Hold) -> bool:
        """Whether it was made in the part of each window that it is now."""
        now = self._clock.now_ms()
        return all(budget.slot(hold.at_ms) == budget.slot(now) for budget in hold.budgets)

    def count(self, hold: Hold, cost: int) -> None:
        """Put a cost in the place of a reservation."""
        self._settle(hold, cost)

    def price_session(self, exchange: Exchange, reported: Reported) -> Priced:
        """What the responses of a session have cost so far."""
        gateway, asked = exchange.gateway, exchange.asked
        record = LogRecord(
            account_id=gateway.account_id,
            gateway_id=gateway.id,
            id=exchange.log_id,
            provider=exchange.slug,
            outcome=Outcome.SUCCESS,
            duration=0,
            model=asked.model,
            model_type=asked.model_type,
            method=exchange.method,
            usage=reported.usage or Usage(),
            response_model=None if reported.model == asked.model else reported.model,
            custom_cost=exchange.options.custom_cost,
        )
        return self._prices.price_answer(record)

    def _settle(self, hold: Hold, cost: int) -> None:
        try:
            self._ledger.settle(hold.id, hold.budgets, cost, hold.at_ms)
        except StoreUnusable as problem:
            self._say(f"costs wait to be counted under spend limits: {problem}")
            if len(self._waiting) < MAX_UNSETTLED:
                self._waiting.append((hold, cost))

    def _rules_of(self, gateway: Gateway) -> tuple[Rule, ...]:
        key = (gateway.account_id, gateway.id)
        known = self._rules.get(key)
        if known is None or known[0] is not gateway:
            if len(self._rules) >= MAX_REMEMBERED:
                self._rules.clear()
            known = self._rules[key] = (gateway, rules_of(gateway.scope, gateway.spend_limits))
        return known[1]

    async def tend_forever(self) -> None:
        """Every few seconds, tell that this process lives, and count what could not be counted before."""
        while True:
            await asyncio.sleep(TEND_EVERY_S)
            self._settle_waiting()
            try:
                await asyncio.to_thread(self._ledger.tend, self._clock.now_ms())
            except StoreUnusable as problem:
                self._say(f"the ledger of spend limits: {problem}")

    def _settle_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            self._settle(*self._waiting.popleft())

    def _say(self, text: str) -> None:
        if monotonic() - self._said_at >= SAY_EVERY_S:
            self._said_at = monotonic()
            _logger.warning(text)


def _with_session_cost(record: LogRecord, session: SessionFigures) -> LogRecord:
    """A session's log, with what has been counted and settled for it as its responses ended."""
    if record.cost_reason is None:
        if session.priced_by is None:
            return record  # no response has ended
        return replace(record, cost=from_pico(session.cost), priced_by=session.priced_by)
    counted = plain(from_pico(session.counted or 0))
    return replace(record, cost_reason=f"{record.cost_reason}; the spend limits count {counted} dollars")


def _as_limits(budgets: tuple[Budget, ...], counted: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """The budgets, those without a limit that only count: they have let the request through already."""
    if not counted:
        return budgets
    return tuple(replace(one, limit=_NO_LIMIT) if one in counted else one for one in budgets)


def _says_it_failed(record: LogRecord) -> bool:
    """Whether a provider answered an error under a good status: it may have worked for it like for any other."""
    return record.outcome is Outcome.UPSTREAM_ERROR and (record.status_code or FIRST_UNBILLED) < FIRST_UNBILLED


def _may_cost(attempt: Attempt) -> bool:
    """Whether a provider may charge for an attempt: it answered well, or was sent it and gave no answer."""
    return attempt.may_be_billed or (attempt.status_code or FIRST_UNBILLED) < FIRST_UNBILLED


def counts_responses(exchange: Exchange, target: Target) -> bool:
    """Whether it is a session whose responses are counted one by one, unless its client says its total."""
    said = exchange.options.custom_cost
    if exchange.asked.model_type != REALTIME or (said is not None and said.total_cost is not None):
        return False
    sockets = sockets_of(target.provider)
    return sockets is not None and sockets.counts_responses(exchange.rest)


def no_room(refused: Overspent, provider: str, model: str, amount: int) -> SpendLimited:
    """The refusal where a budget has no room for so much more (10^-12 dollars)."""
    message = f"Spend limit exceeded: {refused.budget.described} for {provider} {model}".rstrip()
    most, spent, held = (plain(from_pico(part)) for part in (amount, refused.spent, refused.reserved))
    of = "".join(f", {key} {value!r}" for key, value in refused.budget.partition)
    detail = (
        f"{message}: this request may cost up to ${most};"
        f" ${spent} of the limit are spent, and ${held} reserved for requests in flight{of}"
    )
    return SpendLimited(429, SPEND_LIMITED, message, detail, refused.wait_ms)
