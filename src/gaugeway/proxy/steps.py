"""Several targets, one after another: what is sent to each, and turning an exchange to the next.

A universal request's steps are targets or dynamic routes, which lead to several; a dynamic route may also be all
that a request asks for.
"""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Outcome
from gaugeway.core.provider import Request
from gaugeway.core.stored_keys import StoredKey
from gaugeway.proxy import placing
from gaugeway.proxy.cache_policy import NO_WISHES
from gaugeway.proxy.compat import Meant
from gaugeway.proxy.exchange import Exchange, Headers, Options, Step
from gaugeway.proxy.retrying import RetryPolicy


def place(meant: Meant, sent: Headers, stored_key: StoredKey | None) -> Meant:
    """The same request at the host that it names; `sent` are the headers as the client sent
    them; a `stored_key` is what it is sent with.

    Raises GatewayError (400) that says what was expected.
    """
    key = meant.key if stored_key is None else stored_key.key
    request = Request(rest=meant.rest, query=meant.query, headers=meant.headers, key=key)
    target, placed = placing.place(meant.target, request, sent)
    return meant._replace(
        target=target,
        rest=placed.rest,
        query=placed.query,
        headers=placed.headers,
        key=placed.key,
        stored_key=stored_key,
    )


def as_step(meant: Meant, *, body: bytes, options: Options, policy: RetryPolicy) -> Step:
    """The step that a provider's request makes; `body` is what the client sent for it, and what the log keeps."""
    provider = meant.target.provider
    upstream_body = body if meant.compat is None else meant.compat.body
    return Step(
        slug=provider.slug,
        rest=meant.rest,
        query=meant.query,
        headers=meant.headers,
        content_type=meant.content_type,
        body=body,
        options=options,
        policy=policy,
        target=meant.target,
        asked=provider.read_request(meant.rest, meant.content_type, upstream_body),
        compat=meant.compat,
        key=meant.key,
        stored_key=meant.stored_key,
    )


def enter(exchange: Exchange, step: Step, index: int) -> None:
    """Turn the exchange to a step: from here on it is a request for that target only."""
    exchange.step, exchange.policy, exchange.turn = index, step.policy, exchange.turn + 1
    exchange.slug, exchange.rest, exchange.query = step.slug, step.rest, step.query
    exchange.headers, exchange.content_type, exchange.body = step.headers, step.content_type, step.body
    exchange.options, exchange.target, exchange.asked = step.options, step.target, step.asked
    exchange.compat, exchange.key, exchange.stored_key = step.compat, step.key, step.stored_key


def may_go_on(exchange: Exchange) -> bool:
    """Whether another target may follow the one under way, where that fails."""
    if exchange.route is not None and exchange.route.may_go_on:
        return True
    return exchange.step + 1 < len(exchange.steps)


async def begin(exchange: Exchange) -> None:
    """Turn the exchange to its first target. Raises GatewayError where none of its steps leads to one."""
    await _enter_from(exchange, 0)
    if exchange.step:  # the first one is a route without a model for it; only the first one's answer is kept
        exchange.options.cache = replace(exchange.options.cache or NO_WISHES, skip=True)


async def go_on(exchange: Exchange) -> bool:
    """Turn the exchange to the next target; False where there is none. Raises GatewayError.

    What it raises is the answer: the last step is a route that leads to no model, or a limit cannot be counted.
    """
    if exchange.route is not None and await exchange.route.go_on(exchange):
        return True
    return await _enter_from(exchange, exchange.step + 1)


async def _enter_from(exchange: Exchange, first: int) -> bool:
    """Turn the exchange to the first step, from that one on, which leads to a target; False behind the last one."""
    for index in range(first, len(exchange.steps)):
        step = exchange.steps[index]
        exchange.route, exchange.budgets = None, ()  # those of a route hold until the next step
        if isinstance(step, Step):
            enter(exchange, step, index)
            return True
        try:
            await step.begin(exchange, index)
        except GatewayError as refusal:
            if index + 1 == len(exchange.steps) or refusal.outcome is Outcome.INTERNAL_ERROR:
                raise
        else:
            return True
    return False
