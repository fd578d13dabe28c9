"""Receive: the data plane's door. URL form and headers become an Exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter

from gaugeway.core.errors import Conflict, GatewayError, StoreUnusable
from gaugeway.core.model import Gateway, Permission
from gaugeway.core.ports import Clock, GatewayStore
from gaugeway.proxy.answers import (
    BAD_HEADER,
    INTERNAL,
    NO_GATEWAY,
    NO_ROUTE,
    UNAUTHORIZED,
    error_reply,
    rest_error_reply,
    send_plainly,
)
from gaugeway.proxy.compat import SLUG as COMPAT
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.exchange import Connection, Exchange, Options
from gaugeway.proxy.headers import Sorted, sort_request
from gaugeway.proxy.heads import Head, Heads, head_of
from gaugeway.proxy.pipeline import Pipeline
from gaugeway.proxy.rest import take_token

DEFAULT_GATEWAY = "default"
_NO_SUCH_FORM = "Could not route: the path must be /v1/{account_id}/{gateway_id}/{provider}/..."
_GATEWAY_IN_URL = "Header cf-aig-gateway-id: is for REST inference only; here the gateway is in the URL"
_log = logging.getLogger("gaugeway.proxy")

Run = Callable[[Exchange], Awaitable[None]]


class DataPlane:
    """`/v1/{account}/{gateway}/{provider}/{rest}`: one straight function from request to pipeline."""

    def __init__(
        self,
        *,
        directory: Directory,
        pipeline: Pipeline,
        gateways: GatewayStore,
        clock: Clock,
        new_id: Callable[[], bytes],
    ) -> None:
        self._directory = directory
        self._pipeline = pipeline
        self._gateways = gateways
        self._clock = clock
        self._new_id = new_id
        self._heads = Heads()

    async def __call__(self, connection: Connection, run: Run | None = None) -> None:
        """Answer one HTTP request below /v1/. `run`: what its Exchange goes through in place of the pipeline."""
        started = perf_counter()
        log_id = self._new_id()
        self._directory.refresh()
        parts = connection.path.decode("latin-1").split("/", 5)  # "", v1, account, gateway, provider, rest
        is_rest = parts[1] == "client"  # "", client, v4, accounts, account, ai/…
        refusal: GatewayError | None = None
        try:
            head, size = _rest_head(connection) if is_rest else self._heads.sort(connection.headers)
        except GatewayError as problem:
            if is_rest:  # which gateway it is for was among those headers
                send_plainly(rest_error_reply(problem), connection)
                return
            head, size, refusal = head_of(Sorted([], Options())), None, problem
        options = head.options
        try:
            if is_rest:
                gateway = await self._rest_gateway(parts[4], options)
            else:
                known = self._directory.gateway(parts[2], parts[3]) if len(parts) > 3 and parts[3] else None
                gateway = known or await self._gateway_of_url(parts, options)
        except GatewayError as unreachable:  # it reached no gateway, so there is nobody to log it for
            send_plainly(rest_error_reply(unreachable) if is_rest else error_reply(unreachable), connection)
            return
        except StoreUnusable as problem:  # which file and why is for the operator
            _log.error("a request could not be answered: %s", problem)
            message = (
                "The gateway's store cannot be used at the moment; its operator finds the reason on its stderr"
            )
            unusable = GatewayError(503, INTERNAL, message)
            send_plainly(rest_error_reply(unusable) if is_rest else error_reply(unusable), connection)
            return
        exchange = Exchange(
            connection=connection,
            log_id=log_id,
            started=started,
            gateway=gateway,
            slug=COMPAT if is_rest else parts[4] if len(parts) > 4 else "",
            rest=parts[5] if len(parts) > 5 else "",
            query=connection.query,
            headers=head.upstream,
            options=options,
            method=connection.method,
            content_type=head.content_type,
            user_agent=head.user_agent,
            declared_size=size,
            credentials=head.credentials,
            secrets=head.secrets,
            refusal=refusal,
            is_rest=is_rest,
        )
        if options.gateway_id is not None and not is_rest and refusal is None:
            exchange.refusal = GatewayError(400, BAD_HEADER, _GATEWAY_IN_URL)
        await (self._pipeline.run if run is None else run)(exchange)

    async def _gateway_of_url(self, parts: list[str], options: Options) -> Gateway:
        if len(parts) < 4 or not parts[3]:
            raise GatewayError(404, NO_ROUTE, _NO_SUCH_FORM)
        return await self._find_gateway(parts[2], parts[3], options)

    async def _rest_gateway(self, account_id: str, options: Options) -> Gateway:
        """The gateway that a header names, else `default`. Only who may use it learns whether it is there."""
        try:
            return await self._find_gateway(account_id, options.gateway_id or DEFAULT_GATEWAY, options)
        except GatewayError:
            if not self._may_run(account_id, options):
                raise GatewayError(401, UNAUTHORIZED, "Unauthorized") from None
            raise

    def _may_run(self, account_id: str, options: Options) -> bool:
        token = None if options.token is None else self._directory.token(options.token)
        if token is None or token.account_id != account_id or not token.allows(Permission.RUN):
            return False
        return token.expires_at is None or token.expires_at > self._clock.now_ms()

    async def _find_gateway(self, account_id: str, gateway_id: str, options: Options) -> Gateway:
        gateway = self._directory.gateway(account_id, gateway_id)
        if gateway is None and gateway_id == DEFAULT_GATEWAY:
            gateway = await self._make_default(account_id, options)
        if gateway is None:
            raise GatewayError(
                400, NO_GATEWAY, f"Please configure AI Gateway: there is no gateway {gateway_id!r} in this account"
            )
        return gateway

    async def _make_default(self, account_id: str, options: Options) -> Gateway | None:
        """The first authenticated request that names it creates the gateway `default` (contract 1.5)."""
        if not self._may_run(account_id, options):
            return None
        now = self._clock.now_ms()
        gateway = Gateway(
            account_id=account_id,
            id=DEFAULT_GATEWAY,
            created_at=now,
            modified_at=now,
            authentication=True,
            is_default=True,
        )
        try:
            await asyncio.to_thread(self._gateways.create, gateway)
        except Conflict:  # another request was first
            return await asyncio.to_thread(self._gateways.get, gateway.scope)
        return gateway


def _rest_head(connection: Connection) -> tuple[Head, int | None]:
    found = sort_request(connection.headers)
    take_token(found)
    return head_of(found), found.content_length
