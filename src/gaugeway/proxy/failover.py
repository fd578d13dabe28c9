"""More than one attempt: again at the same target, then at the next step's. Only before the first byte downstream.

A request that asks for none of this does not come here (see upstream.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from random import random
from time import perf_counter
from typing import Protocol

from msgspec.structs import replace

from gaugeway.core.errors import BadInput, GatewayError, RateLimited, SpendLimited, UpstreamFailure
from gaugeway.core.model import Attempt
from gaugeway.core.ports import Clock
from gaugeway.proxy.answers import BAD_HEADER
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.retrying import (
    NO_WISHES,
    RetryPolicy,
    asked_for,
    is_retried,
    is_worth_retrying,
    settle,
    wait_ms,
)
from gaugeway.proxy.steps import go_on, may_go_on

MAX_ERROR = 1024 * 1024
"""Bytes that an error's compressed body is read to."""


class Ask(Protocol):
    """One attempt at the exchange's target, noted on it (see Upstream.ask)."""

    def __call__(self, exchange: Exchange, limit: float | None, *, to_first_byte: bool) -> Awaitable[Incoming]:
        """`limit` in seconds; raises UpstreamFailure."""
        ...


async def persevere(exchange: Exchange, ask: Ask, clock: Clock) -> Incoming:
    """The first good answer of any attempt at any step, else the last one's, whatever it says.

    Raises the last attempt's UpstreamFailure where that brought no answer, and GatewayError (400) for wishes
    that cannot be fulfilled.
    """
    while True:
        try:
            tried = await _try_target(exchange, _policy(exchange), ask, clock, is_last_step=not may_go_on(exchange))
        except (SpendLimited, RateLimited) as refused:
            if not may_go_on(exchange):
                raise
            _note_refusal(exchange, refused)
            if not await go_on(exchange):
                raise
            continue
        index, use = len(exchange.attempts) - 1, _use_of(exchange, tried)
        try:
            is_last = _is_good(tried) or not await go_on(exchange)
        except BaseException:
            _let_go(exchange, tried, index, use)
            raise
        if is_last:
            if isinstance(tried, UpstreamFailure):
                raise tried
            return tried
        _let_go(exchange, tried, index, use)


def _note_refusal(exchange: Exchange, refused: SpendLimited | RateLimited) -> None:
    """A step that there is no room for is passed over, and seen on the log as an attempt never made."""
    attempt = Attempt(
        provider=exchange.slug, step=exchange.step, status_code=None, duration=0, error=refused.message
    )
    exchange.attempts.append(attempt)


def _policy(exchange: Exchange) -> RetryPolicy:
    if exchange.policy is not None:
        return exchange.policy
    try:
        return settle(exchange.options.retry or NO_WISHES, exchange.gateway)
    except BadInput as problem:
        raise GatewayError(400, BAD_HEADER, problem.message) from problem


async def _try_target(
    exchange: Exchange, policy: RetryPolicy, ask: Ask, clock: Clock, *, is_last_step: bool
) -> Incoming | UpstreamFailure:
    """Up to the policy's attempts at one target; what came of the last one."""
    failed = 0
    while True:
        is_last = is_last_step and failed + 1 == policy.attempts
        try:
            tried = await ask(exchange, policy.limit(last=is_last), to_first_byte=not is_last)
        except UpstreamFailure as failure:
            tried = failure.with_traceback(None)  # which would lead back to this frame, and keep all of it
        failed += 1
        if _is_good(tried) or failed == policy.attempts:
            return tried
        wait = _wait_ms(policy, failed, tried, clock)
        if wait is None:
            return tried
        _let_go(exchange, tried, len(exchange.attempts) - 1, _use_of(exchange, tried))
        await asyncio.sleep(wait / 1000)


def _wait_ms(policy: RetryPolicy, failed: int, tried: Incoming | UpstreamFailure, clock: Clock) -> float | None:
    """Milliseconds before the next attempt; None where none is to be made."""
    hint = None
    if isinstance(tried, UpstreamFailure):
        if not is_worth_retrying(tried):
            return None
    elif not is_retried(tried.status):
        return None
    else:
        hint = asked_for(tried.status, tried.headers, clock.now_ms())
    return wait_ms(policy, failed, hint, random())  # noqa: S311  it spreads clients, it keeps no secret


def _is_good(tried: Incoming | UpstreamFailure) -> bool:
    return not isinstance(tried, UpstreamFailure) and tried.status < 400


def _use_of(exchange: Exchange, tried: Incoming | UpstreamFailure) -> Attempt | None:
    """The last attempt, with what its answer reports to have used; None where that is nothing, or not here yet.

    To be read while the exchange is still turned to its target.
    """
    if isinstance(tried, UpstreamFailure) or not tried.whole or _is_good(tried) or exchange.target is None:
        return None
    said = dict(tried.headers)
    body, coding = tried.whole, said.get(b"content-encoding", b"").strip().lower()
    if coding not in (b"", b"identity"):
        body, _, _ = decode_body(coding, body, MAX_ERROR)
    kind = said.get(b"content-type", b"").decode("latin-1")
    reported = exchange.target.provider.read_response(exchange.rest, kind, body)
    if reported.usage is None:
        return None
    return replace(
        exchange.attempts[-1],
        usage=reported.usage,
        model=reported.model or exchange.asked.model,
        custom_cost=exchange.options.custom_cost,
    )


def _let_go(exchange: Exchange, tried: Incoming | UpstreamFailure, index: int, use: Attempt | None) -> None:
    """Another takes the place of a failed attempt, which keeps what it has used.

    An answer that has not arrived whole costs its connection; one that has keeps it.
    """
    if use is not None:
        exchange.attempts[index] = use
    if not isinstance(tried, UpstreamFailure):
        tried.close()


class Begun:
    """An answer of which the first piece was read ahead, to know that it comes at all; else as it was."""

    def __init__(self, incoming: Incoming, first: bytes) -> None:
        self.whole: bytes | None = None
        self.status = incoming.status
        self.headers = incoming.headers
        self._incoming = incoming
        self._first: bytes | None = first

    async def read(self) -> bytes:
        """As the seam says."""
        first, self._first = self._first, None
        return await self._incoming.read() if first is None else first

    def close(self) -> None:
        """As the seam says."""
        self._incoming.close()


async def begin(exchange: Exchange, incoming: Incoming) -> Incoming:
    """The same answer once its first byte is there; raises what `read` raises, and lets go of it then."""
    if incoming.whole is not None:
        return incoming
    try:
        first = await incoming.read()
    except BaseException:
        incoming.close()
        raise
    if first:
        exchange.first_byte = perf_counter()
    return Begun(incoming, first)
