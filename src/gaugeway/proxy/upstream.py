"""Forward: send the request to its target and get the beginning of an answer. The only caller of providers."""

from __future__ import annotations

import asyncio
from time import perf_counter

from gaugeway.core.errors import (
    BadInput,
    CircuitOpen,
    ConnectFailed,
    GatewayError,
    Side,
    UpstreamFailure,
    UpstreamTimeout,
)
from gaugeway.core.model import Attempt, Outcome
from gaugeway.core.ports import Clock
from gaugeway.proxy.answers import INVALID_PROVIDER, PROVIDER_FAILED
from gaugeway.proxy.connectors.seam import Connector, Incoming, Outgoing, Timers
from gaugeway.proxy.exchange import Exchange, Reply, Target
from gaugeway.proxy.failover import begin, persevere
from gaugeway.proxy.headers import for_downstream
from gaugeway.proxy.translating import compat_reply

MAX_REMEMBERED_PATHS = 4096
GIVEN_UP = "given up: the client had left, or the server was being stopped"


class Upstream:
    """The phase that asks the provider."""

    def __init__(self, connector: Connector, timers: Timers, clock: Clock) -> None:
        self._connector = connector
        self._timers = timers
        self._clock = clock
        self._paths: dict[tuple[str, str, str, str], bytes] = {}

    async def forward(self, exchange: Exchange) -> Reply:
        """One attempt at the target, or as many as are asked for; the provider's answer, whatever its status.

        Raises GatewayError where there is no answer: 502/2005 (504 for a timeout), with the failure in words.
        """
        if exchange.steps or exchange.options.retry is not None or exchange.gateway.retry_max_attempts is not None:
            return await self._persevere(exchange)
        target = exchange.target
        assert target is not None  # noqa: S101  routing settles it or refuses
        began = perf_counter()
        try:
            incoming = await self._connector.open(self._outgoing(exchange, target))
        except UpstreamFailure as failure:
            self._note_attempt(exchange, target, began, None, failure.message)
            raise as_gateway_error(failure, target) from failure
        except asyncio.CancelledError:
            self._note_attempt(exchange, target, began, None, GIVEN_UP)
            raise
        self._note_attempt(exchange, target, began, incoming.status, None)
        if exchange.compat is not None:
            try:
                return await compat_reply(exchange, exchange.compat, incoming)
            except UpstreamFailure as failure:
                raise as_gateway_error(failure, target) from failure
        return _reply(incoming)

    async def _persevere(self, exchange: Exchange) -> Reply:
        try:
            incoming = await persevere(exchange, self.ask, self._clock)
            return (
                _reply(incoming)
                if exchange.compat is None
                else await compat_reply(exchange, exchange.compat, incoming)
            )
        except UpstreamFailure as failure:
            assert exchange.target is not None  # noqa: S101  it is the one that failed
            raise as_gateway_error(failure, exchange.target) from failure

    async def ask(self, exchange: Exchange, limit: float | None, *, to_first_byte: bool) -> Incoming:
        """One attempt, noted on the exchange; the answer, with `to_first_byte` once that has come.

        A `limit` (seconds) counts from here to the first byte too. Raises UpstreamFailure.
        """
        target = exchange.target
        assert target is not None  # noqa: S101  routing settles it or refuses
        outgoing = self._outgoing(exchange, target)
        began, status, error = perf_counter(), None, None
        try:
            async with asyncio.timeout(limit):
                incoming = await self._connector.open(outgoing)
                status = incoming.status
                if status < 400 and (to_first_byte or limit is not None):
                    incoming = await begin(exchange, incoming)
        except TimeoutError as late:
            error = f"No answer within {round((limit or 0) * 1000)} ms, the request's own timeout."
            raise UpstreamTimeout(error, side=Side.PROVIDER) from late
        except UpstreamFailure as failure:
            error = failure.message
            raise
        except asyncio.CancelledError:
            error = GIVEN_UP
            raise
        finally:
            self._note_attempt(exchange, target, began, status, error)
        return incoming

    def _outgoing(self, exchange: Exchange, target: Target) -> Outgoing:
        raw = self._path(target, exchange.rest, exchange.gateway.account_id)
        headers = exchange.headers
        if target.headers:
            replaced = {name for name, _ in target.headers}
            headers = [pair for pair in headers if pair[0] not in replaced] + list(target.headers)
        return Outgoing(
            method=exchange.method.encode(),
            scheme=target.scheme,
            host=target.host,
            port=target.port,
            target=raw + b"?" + exchange.query if exchange.query else raw,
            headers=headers,
            body=exchange.body if exchange.compat is None else exchange.compat.body,
            timers=self._timers,
            guarded=target.guarded,
        )

    def _path(self, target: Target, rest: str, account_id: str) -> bytes:
        """The path at the upstream; remembered, as clients ask for the same few over and over."""
        key = (target.provider.slug, target.prefix, rest, account_id)
        path = self._paths.get(key)
        if path is None:
            try:
                path = (target.prefix + target.provider.upstream_path(rest, account_id)).encode("latin-1")
            except BadInput as problem:
                raise GatewayError(400, INVALID_PROVIDER, problem.message) from problem
            if len(self._paths) >= MAX_REMEMBERED_PATHS:
                self._paths.clear()
            self._paths[key] = path
        return path

    def _note_attempt(
        self, exchange: Exchange, target: Target, began: float, status: int | None, error: str | None
    ) -> None:
        exchange.attempts.append(
            Attempt(
                provider=target.provider.slug,
                step=exchange.step,
                status_code=status,
                duration=round((perf_counter() - began) * 1000),
                error=error,
            )
        )


def _reply(incoming: Incoming) -> Reply:
    return Reply(
        status=incoming.status,
        headers=for_downstream(incoming.headers),
        body=incoming.whole,
        incoming=incoming,
    )


def as_gateway_error(failure: UpstreamFailure, target: Target) -> GatewayError:
    """What the downstream is told of a failed attempt, and how the exchange ended."""
    message = f"Failed to get response from provider {target.provider.slug}: {failure.message}"
    if isinstance(failure, UpstreamTimeout):
        return GatewayError(504, PROVIDER_FAILED, message, Outcome.TIMEOUT)
    if isinstance(failure, CircuitOpen):
        return GatewayError(503, PROVIDER_FAILED, message, Outcome.UPSTREAM_ERROR)
    if isinstance(failure, ConnectFailed) and failure.side is Side.POLICY:
        return GatewayError(400, PROVIDER_FAILED, message, Outcome.REFUSED)
    return GatewayError(502, PROVIDER_FAILED, message, Outcome.UPSTREAM_ERROR)
