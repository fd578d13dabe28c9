"""Receive: the ASGI callable of the data plane. URL form, headers and body become an Exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter

from gaugeway.core.errors import Conflict, GatewayError, StoreUnusable
from gaugeway.core.model import Gateway, Permission
from gaugeway.core.ports import Clock, GatewayStore
from gaugeway.proxy.answers import INTERNAL, NO_GATEWAY, NO_ROUTE, error_reply
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.exchange import Exchange, Options, Receive, Scope, Send
from gaugeway.proxy.headers import Sorted, sort_request
from gaugeway.proxy.pipeline import Pipeline

DEFAULT_GATEWAY = "default"
_log = logging.getLogger("gaugeway.proxy")


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request below /v1/."""
        started = perf_counter()
        log_id = self._new_id()
        self._directory.refresh()
        parts = scope["raw_path"].decode("latin-1").split("/", 5)  # "", v1, account, gateway, provider, rest
        refusal: GatewayError | None = None
        try:
            sorted_headers = sort_request(scope["headers"])
        except GatewayError as problem:
            sorted_headers, refusal = Sorted([], Options()), problem
        try:
            gateway = await self._find_gateway(parts, sorted_headers.options)
        except GatewayError as unreachable:  # it reached no gateway, so there is nobody to log it for
            await _answer_plainly(unreachable, send)
            return
        except StoreUnusable as problem:  # which file and why is for the operator
            _log.error("a request could not be answered: %s", problem)
            message = (
                "The gateway's store cannot be used at the moment; its operator finds the reason on its stderr"
            )
            await _answer_plainly(GatewayError(503, INTERNAL, message), send)
            return
        exchange = Exchange(
            scope=scope,
            connection=scope["extensions"].pop("gaugeway.connection"),  # it leads back to the scope
            log_id=log_id,
            started=started,
            gateway=gateway,
            slug=parts[4] if len(parts) > 4 else "",
            rest=parts[5] if len(parts) > 5 else "",
            query=scope["query_string"],
            headers=sorted_headers.upstream,
            options=sorted_headers.options,
            method=scope["method"],
            content_type=sorted_headers.content_type,
            user_agent=sorted_headers.user_agent,
            declared_size=sorted_headers.content_length,
            receive=receive,
            refusal=refusal,
        )
        await self._pipeline.run(exchange, send)

    async def _find_gateway(self, parts: list[str], options: Options) -> Gateway:
        if len(parts) < 4 or not parts[3]:
            raise GatewayError(
                404, NO_ROUTE, "Could not route: the path must be /v1/{account_id}/{gateway_id}/{provider}/..."
            )
        account_id, gateway_id = parts[2], parts[3]
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
        token = None if options.token is None else self._directory.token(options.token)
        now = self._clock.now_ms()
        if token is None or token.account_id != account_id or not token.allows(Permission.RUN):
            return None
        if token.expires_at is not None and token.expires_at <= now:
            return None
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


async def _answer_plainly(refusal: GatewayError, send: Send) -> None:
    reply = error_reply(refusal)
    body = reply.body or b""
    headers = [*reply.headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
