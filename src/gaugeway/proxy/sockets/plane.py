"""The WebSockets' door: `/v1/{account}/{gateway}` speaks the universal protocol, `…/{provider}` the provider's."""

from __future__ import annotations

from functools import partial

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.sockets.realtime import Realtime
from gaugeway.proxy.sockets.switched import SocketRequest
from gaugeway.proxy.sockets.universal import UniversalSockets

TOKEN_PROTOCOL = "cf-aig-authorization."  # noqa: S105  what stands before one
"""A subprotocol in which browsers, which cannot set headers, bring the gateway's token."""

_TOKEN_HEADER = b"cf-aig-authorization"


class SocketPlane:
    """Answers one request that asks for a WebSocket."""

    def __init__(self, data_plane: DataPlane, universal: UniversalSockets, realtime: Realtime) -> None:
        self._data_plane = data_plane
        self._universal = universal
        self._realtime = realtime

    async def __call__(self, request: SocketRequest) -> None:
        """From its handshake to its end."""
        refusal: GatewayError | None = None
        try:
            request.check()
        except GatewayError as problem:
            refusal = problem
        own = [name for name in request.protocols if name.startswith(TOKEN_PROTOCOL)]
        if own and not any(name == _TOKEN_HEADER for name, _ in request.headers):
            token = own[0].removeprefix(TOKEN_PROTOCOL)
            request.headers = [*request.headers, (_TOKEN_HEADER, token.encode("latin-1"))]
        others = [name for name in request.protocols if name not in own]
        await self._data_plane(request, partial(self._run, request, others, refusal))

    async def _run(
        self, request: SocketRequest, protocols: list[str], refusal: GatewayError | None, exchange: Exchange
    ) -> None:
        exchange.over_socket = True
        exchange.refusal = refusal or exchange.refusal
        if exchange.slug:
            await self._realtime.run(exchange, request, protocols)
        else:
            await self._universal.run(exchange, request)
