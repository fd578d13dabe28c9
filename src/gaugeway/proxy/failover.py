"""More than one attempt: again at the same target, then at the next step's. Only before the first byte downstream.

A request that asks for none of this does not come here (see upstream.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from random import random
from time import perf_counter
from typing import Protocol

from gaugeway.core.errors import BadInput, GatewayError, UpstreamFailure
from gaugeway.core.ports import Clock
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.headers import BAD_HEADER
from gaugeway.proxy.retrying import (
    NO_WISHES,
    RetryPolicy,
    asked_for,
    is_retried,
    is_worth_retrying,
    settle,
    wait_ms,
)
from gaugeway.proxy.universal import enter


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
    policies = _policies(exchange)
    for index, policy in enumerate(policies):
        is_last_step = index + 1 == len(policies)
        if exchange.steps:
            enter(exchange, index)
        tried = await _try_target(exchange, policy, ask, clock, is_last_step=is_last_step)
        if is_last_step or _is_good(tried):
            if isinstance(tried, UpstreamFailure):
                raise tried
            return tried
        _let_go(tried)
    raise AssertionError("there is always a last step")


def _policies(exchange: Exchange) -> Sequence[RetryPolicy]:
    if exchange.steps:
        return [step.policy for step in exchange.steps]
    try:
        return [settle(exchange.options.retry or NO_WISHES, exchange.gateway)]
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
        _let_go(tried)
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


def _let_go(tried: Incoming | UpstreamFailure) -> None:
    """A failed attempt's answer that has not arrived whole costs its connection; one that has keeps it."""
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
