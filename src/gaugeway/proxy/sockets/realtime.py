"""Realtime: a client's WebSocket passed on to a provider's, as one exchange with one log.

The phases are those of every request (pipeline.py), as far as a session has them: authenticate, route, admit,
forward, relay, record. The provider's handshake comes before the client's is granted, so whatever goes wrong until
then is an ordinary HTTP answer.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from typing import cast
from urllib.parse import parse_qsl, urlencode

from msgspec.structs import replace

from gaugeway.core.errors import GatewayError, SpendLimited
from gaugeway.core.model import Outcome
from gaugeway.core.pricing import REALTIME
from gaugeway.core.provider import Sockets, sockets_of
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.answers import INTERNAL, NO_ROUTE, PROVIDER_FAILED, error_reply
from gaugeway.proxy.compat import SLUG as COMPAT
from gaugeway.proxy.connectors.sockets import Declined, Opened
from gaugeway.proxy.credentials import SHORTEST_SECRET
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.ending import settle_hangup, settle_whole
from gaugeway.proxy.exchange import Exchange, Reply
from gaugeway.proxy.headers import for_downstream
from gaugeway.proxy.limiting import RateLimiting
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay, with_own_headers
from gaugeway.proxy.routing import Routing
from gaugeway.proxy.session_spending import ResponseTally, SessionSpending
from gaugeway.proxy.sockets.minutes import Minutes
from gaugeway.proxy.sockets.session import Session
from gaugeway.proxy.sockets.switched import SocketRequest
from gaugeway.proxy.spending import Spending, counts_responses
from gaugeway.proxy.upstream import Upstream

ALIASES = {"google": "google-ai-studio"}
"""Cloudflare's names for realtime only."""

_SECRET_PARAMETERS = frozenset(
    ("key", "api_key", "apikey", "api-key", "xi-api-key", "token", "access_token", "fal_jwt_token", "signature")
)
"""Query parameters whose values are kept out of logs, whatever the provider."""


class Realtime:
    """Takes one session from its handshake to its log."""

    def __init__(
        self,
        *,
        directory: Directory,
        authentication: Authentication,
        routing: Routing,
        rate_limiting: RateLimiting,
        upstream: Upstream,
        relay: Relay,
        recording: Recording,
        spending: Spending,
        log_body_cap: int,
        max_message: int,
        idle: float,
    ) -> None:
        self._directory = directory
        self._authentication = authentication
        self._routing = routing
        self._rate_limiting = rate_limiting
        self._upstream = upstream
        self._relay = relay
        self._recording = recording
        self._spending = spending
        self._cap = log_body_cap
        self._max_message = max_message
        self._idle = idle

    async def run(self, exchange: Exchange, request: SocketRequest, protocols: list[str]) -> None:
        """From the handshake to the log. `protocols`: the subprotocols offered, without the gateway's own."""
        opened: Opened | None = None
        try:
            answer = await self._answer(exchange, protocols)
            if isinstance(answer, Opened):
                opened = answer
                await self._pass_on(exchange, request, opened)
            else:
                await self._relay.relay(exchange, answer)
        except asyncio.CancelledError:
            if not exchange.gone:  # the server is stopping
                exchange.end(Outcome.INTERNAL_ERROR, "the server was stopped while the session was open")
                raise
            settle_hangup(exchange)
        except Exception as defect:  # noqa: BLE001  whatever it is, it is logged and answered
            traceback.print_exception(defect, file=sys.stderr)
            exchange.end(Outcome.INTERNAL_ERROR, f"a defect in the gateway: {type(defect).__name__}")
            if not exchange.reply_started:
                problem = GatewayError(500, INTERNAL, "Internal error of the gateway")
                await self._relay.relay(exchange, error_reply(problem))
        finally:
            if opened is not None and exchange.session is None:
                opened.end.abort()
            self._recording.record(exchange)

    async def _answer(self, exchange: Exchange, protocols: list[str]) -> Opened | Reply:
        """The provider's WebSocket, or what the client is told in its place."""
        try:
            if exchange.refusal is not None:
                raise exchange.refusal
            return await self._open(exchange, protocols)
        except GatewayError as problem:
            exchange.end(problem.outcome, problem.detail if isinstance(problem, SpendLimited) else problem.message)
            return error_reply(problem)

    async def _open(self, exchange: Exchange, protocols: list[str]) -> Opened | Reply:
        exchange.slug = ALIASES.get(exchange.slug, exchange.slug)
        found = self._directory.target(exchange.gateway.account_id, exchange.slug)
        sockets = None if isinstance(found, str) else sockets_of(found.provider)
        model = ""
        if sockets is not None:
            protocols = _take_keys(exchange, protocols, sockets)
            exchange.rest, exchange.query, model = sockets.place(exchange.rest, exchange.query)
        _note_secrets(exchange)
        self._authentication.authenticate(exchange)
        if exchange.slug == COMPAT:
            message = "Could not route: compat has no WebSockets; name the provider in the path"
            raise GatewayError(404, NO_ROUTE, message)
        self._routing.route(exchange)  # which has to wait for nothing: only compat's has
        exchange.asked = replace(exchange.asked, model=model or exchange.asked.model, model_type=REALTIME)
        limited = self._rate_limiting.admit(exchange)
        if limited is not None:
            return limited
        answer = await self._upstream.open_socket(exchange, protocols)
        return _declined(exchange, answer) if isinstance(answer, Declined) else answer

    async def _pass_on(self, exchange: Exchange, request: SocketRequest, opened: Opened) -> None:
        headers = [pair for pair in for_downstream(opened.headers) if not pair[0].startswith(b"sec-websocket-")]
        exchange.reply = Reply(status=101, headers=headers)
        headers = with_own_headers(exchange, exchange.reply)
        exchange.reply_started = True
        own = (name for name in request.protocols if name not in opened.offered)
        protocol = opened.protocol or next(own, None)  # a browser that offers some wants one of them chosen
        client = request.accept(headers, protocol, self._max_message, relayed=True)
        target = exchange.target
        minutes = Minutes(self._cap, None if target is None else sockets_of(target.provider))
        spending = self._count_responses(exchange, minutes)
        session = Session(exchange, client, opened.end, minutes, idle=self._idle, spending=spending)
        request.connection.on_stop = session.stop
        if request.connection.is_stopping:
            session.stop()
        await session.run()

    def _count_responses(self, exchange: Exchange, minutes: Minutes) -> SessionSpending | None:
        """Where spend limits hold a reservation for its first response: what takes it over."""
        hold, target, tally = exchange.hold, exchange.target, minutes.tally
        if hold is None or target is None or not counts_responses(exchange, target):
            return None
        exchange.hold = None
        return SessionSpending(self._spending, exchange, cast("ResponseTally", tally), hold)


def _take_keys(exchange: Exchange, protocols: list[str], sockets: Sockets) -> list[str]:
    """Move a key out of the query or the subprotocols into its header; what is left of the subprotocols."""
    found = ""
    kept: list[str] = []
    is_key = False
    for name in protocols:
        prefix = next((prefix for prefix in sockets.key_protocols if name.startswith(prefix)), None)
        if is_key:
            found, is_key = name, False
        elif prefix is not None:
            found = name.removeprefix(prefix)
        elif sockets.key_after and name == sockets.key_after:
            is_key = True
        else:
            kept.append(name)
    pairs = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True)
    if any(name in sockets.key_parameters for name, _ in pairs):
        found = found or next(value for name, value in pairs if name in sockets.key_parameters)
        others = [(name, value) for name, value in pairs if name not in sockets.key_parameters]
        exchange.query = urlencode(others).encode()
    header, before = sockets.key_header
    if found and not any(name == header for name, _ in exchange.headers):
        exchange.headers = [*exchange.headers, (header, before + found.encode("latin-1", "replace"))]
    if len(found) >= SHORTEST_SECRET:
        exchange.secrets.append(found.encode("latin-1", "replace"))
    return kept


def _note_secrets(exchange: Exchange) -> None:
    for name, value in parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True):
        if name.lower() in _SECRET_PARAMETERS and len(value) >= SHORTEST_SECRET:
            exchange.secrets.append(value.encode("latin-1", "replace"))


def _declined(exchange: Exchange, answer: Declined) -> Reply:
    """The provider's own answer goes on as it is; one that is neither a WebSocket nor an error cannot."""
    if answer.status < 300:
        message = (
            f"Failed to get response from provider {exchange.slug}: it answered {answer.status} in place of 101"
        )
        raise GatewayError(502, PROVIDER_FAILED, message, Outcome.UPSTREAM_ERROR)
    framing = (b"content-length", b"transfer-encoding")
    headers = [
        pair
        for pair in for_downstream(answer.headers)
        if pair[0] not in framing and not pair[0].startswith(b"sec-websocket-")
    ]
    reply = Reply(status=answer.status, headers=headers, body=answer.body)
    if answer.status < 400:
        exchange.end(Outcome.UPSTREAM_ERROR, f"the provider answered {answer.status} in place of 101")
    else:
        settle_whole(exchange, reply)
    return reply
