"""Forward: send the request to its target and get the beginning of an answer. The only caller of providers."""

from __future__ import annotations

import asyncio
from time import perf_counter

from gaugeway.core.errors import (
    BadInput,
    CircuitOpen,
    ConnectFailed,
    CredentialRefused,
    GatewayError,
    Side,
    UpstreamFailure,
    UpstreamTimeout,
)
from gaugeway.core.model import Attempt, Outcome
from gaugeway.core.ports import Clock
from gaugeway.core.pricing import is_read_only
from gaugeway.proxy.answers import BAD_CREDENTIALS, INVALID_PROVIDER, PROVIDER_FAILED
from gaugeway.proxy.connectors.seam import Connector, Incoming, Outgoing, Timers
from gaugeway.proxy.connectors.sockets import Declined, Opened, SocketConnector
from gaugeway.proxy.exchange import Exchange, Reply, Target
from gaugeway.proxy.failover import begin, persevere
from gaugeway.proxy.headers import for_downstream
from gaugeway.proxy.keying import Keying
from gaugeway.proxy.spending import Spending
from gaugeway.proxy.stored_keys import StoredKeys
from gaugeway.proxy.translating import compat_reply

MAX_REMEMBERED_PATHS = 4096
GIVEN_UP = "given up: the client had left, or the server was being stopped"


class Upstream:
    """The phase that asks the provider."""

    def __init__(
        self,
        connector: Connector,
        timers: Timers,
        clock: Clock,
        *,
        spending: Spending,
        keying: Keying,
        keys: StoredKeys,
        sockets: SocketConnector,
    ) -> None:
        self._connector = connector
        self._keying = keying
        self._keys = keys
        self._sockets = sockets
        self._timers = timers
        self._clock = clock
        self._spending = spending
        self._paths: dict[tuple[str, str, str, str], bytes] = {}

    async def forward(self, exchange: Exchange) -> Reply:
        """One attempt at the target, or as many as are asked for; the provider's answer, whatever its status.

        Raises GatewayError where there is no answer: 502/2005 (504 for a timeout), with the failure in words; and
        429/2045 where a spend limit has no room for the request.
        """
        options, gateway = exchange.options, exchange.gateway
        if exchange.policy is not None or options.retry is not None or gateway.retry_max_attempts is not None:
            return await self._persevere(exchange)
        target = exchange.target
        assert target is not None  # noqa: S101  routing settles it or refuses
        # a dynamic route, which may count costs too, is persevered with
        if exchange.gateway.spend_limits is not None or exchange.stored_key is not None:
            await self._admit(exchange, target)
        began, sent = perf_counter(), False
        outgoing = self._outgoing(exchange, target)
        try:
            if exchange.key:
                await self._keying.authorise(exchange, target.provider, exchange.key, outgoing)
            sent = True
            incoming = await self._connector.open(outgoing)
        except UpstreamFailure as failure:
            billed = sent and _may_be_billed(failure)
            self._note_attempt(exchange, target, began, None, failure.message, may_be_billed=billed)
            raise as_gateway_error(failure, target) from failure
        except asyncio.CancelledError:
            self._note_attempt(exchange, target, began, None, GIVEN_UP, may_be_billed=sent)
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

        A `limit` (seconds) counts from here to the first byte too. Raises UpstreamFailure, and SpendLimited or
        RateLimited where there is no room for it.
        """
        target = exchange.target
        assert target is not None  # noqa: S101  routing settles it or refuses
        is_limited = exchange.gateway.spend_limits is not None or exchange.stored_key is not None
        if is_limited or exchange.budgets or exchange.hold is not None:  # what the step before has reserved
            await self._admit(exchange, target)
        outgoing = self._outgoing(exchange, target)
        began, status, error = perf_counter(), None, None
        sent = billed = False
        try:
            async with asyncio.timeout(limit):
                if exchange.key:
                    await self._keying.authorise(exchange, target.provider, exchange.key, outgoing)
                sent = True
                incoming = await self._connector.open(outgoing)
                status = incoming.status
                if status < 400 and (to_first_byte or limit is not None):
                    incoming = await begin(exchange, incoming)
        except TimeoutError as late:
            error, billed = f"No answer within {round((limit or 0) * 1000)} ms, the request's own timeout.", sent
            raise UpstreamTimeout(error, side=Side.PROVIDER) from late
        except UpstreamFailure as failure:
            error, billed = failure.message, sent and _may_be_billed(failure)
            raise
        except asyncio.CancelledError:
            error, billed = GIVEN_UP, sent
            raise
        finally:
            self._note_attempt(exchange, target, began, status, error, may_be_billed=billed)
        return incoming

    async def open_socket(self, exchange: Exchange, protocols: list[str]) -> Opened | Declined:
        """A WebSocket to the target, in one attempt; or the provider's answer where it is none.

        Raises GatewayError, as `forward` does.
        """
        target = exchange.target
        assert target is not None  # noqa: S101  routing settles it or refuses
        if exchange.gateway.spend_limits is not None or exchange.stored_key is not None:
            await self._admit(exchange, target)
        began = perf_counter()
        outgoing = self._outgoing(exchange, target)
        wishes = exchange.options.retry
        limit = None if wishes is None or wishes.timeout_ms is None else wishes.timeout_ms / 1000
        try:
            async with asyncio.timeout(limit):
                if exchange.key:
                    await self._keying.authorise(exchange, target.provider, exchange.key, outgoing)
                answer = await self._sockets.open(outgoing, protocols)
        except TimeoutError as late:
            message = f"No answer within {round((limit or 0) * 1000)} ms, the request's own timeout."
            self._note_attempt(exchange, target, began, None, message)
            raise as_gateway_error(UpstreamTimeout(message), target) from late
        except UpstreamFailure as failure:
            self._note_attempt(exchange, target, began, None, failure.message)
            raise as_gateway_error(failure, target) from failure
        except asyncio.CancelledError:
            self._note_attempt(exchange, target, began, None, GIVEN_UP)
            raise
        status = 101 if isinstance(answer, Opened) else answer.status
        self._note_attempt(exchange, target, began, status, None)
        return answer

    async def _admit(self, exchange: Exchange, target: Target) -> None:
        """Count the request where its stored key or its gateway's spend limits are limited: once for each target.

        Raises RateLimited and SpendLimited.
        """
        key = exchange.stored_key
        if key is not None and exchange.counted_key != (key.config.id, exchange.turn):
            await self._keys.admit(key)
            exchange.counted_key = (key.config.id, exchange.turn)
        if exchange.gateway.spend_limits is not None or exchange.budgets or exchange.hold is not None:
            await self._spending.reserve(exchange, target)

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
        self,
        exchange: Exchange,
        target: Target,
        began: float,
        status: int | None,
        error: str | None,
        *,
        may_be_billed: bool = False,
    ) -> None:
        exchange.attempts.append(
            Attempt(
                provider=target.provider.slug,
                step=exchange.step,
                status_code=status,
                duration=round((perf_counter() - began) * 1000),
                error=error,
                may_be_billed=may_be_billed and not is_read_only(exchange.method),
            )
        )


def _may_be_billed(failure: UpstreamFailure) -> bool:
    """Whether the provider may have acted on the request that failed so."""
    return not failure.safe_to_retry and failure.side is not Side.POLICY


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
    if isinstance(failure, CredentialRefused):
        return GatewayError(401, BAD_CREDENTIALS, message, Outcome.REFUSED)
    if isinstance(failure, ConnectFailed) and failure.side is Side.POLICY:
        return GatewayError(400, PROVIDER_FAILED, message, Outcome.REFUSED)
    return GatewayError(502, PROVIDER_FAILED, message, Outcome.UPSTREAM_ERROR)
