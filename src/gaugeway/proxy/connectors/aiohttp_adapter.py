"""The seam on aiohttp: for HTTP proxies, for odd servers, and as the one our own connector is compared with.

Where it differs from our own, and cannot be made not to:
* Each request has a connection of its own. aiohttp does not notice bytes that come on an idle connection, and
  would take them for the beginning of the next request's answer.
* Bytes behind the end of an answer spoil the answer, where they come together with it.
* It reads leniently (a bare LF, folded headers, a space behind a chunk's size), as a browser would.
* It sends no header value that is not UTF-8, and no target that it would rewrite: those are refused.
* A head that drips in wins time, and so does an upstream that does not take the request.
"""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, Side, UpstreamFailure, UpstreamTimeout
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.connection import MOST_HEAD
from gaugeway.proxy.connectors.request import host_value, serialise_head
from gaugeway.proxy.connectors.seam import Outgoing

_READ_BUFFER = 128 * 1024  # aiohttp stops reading at twice this
_BODY_AS_FILE = 1024 * 1024  # from this size on aiohttp wants a file, which it sends piece by piece
_MOST_HEADERS = 1024
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

_Problem = (aiohttp.ClientError, HttpProcessingError, OSError)


class AiohttpAnswer:
    """The seam's Incoming, around aiohttp's response."""

    def __init__(
        self, response: aiohttp.ClientResponse, request: Outgoing, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self.status = response.status
        self.headers = headers
        self.whole: bytes | None = None
        self._response = response
        self._name = f"The upstream {request.host}:{request.port}"
        self._idle = request.timers.idle
        self._failure: UpstreamFailure | None = None
        if response.content.is_eof() and response.content.exception() is None:
            self.whole = response.content.read_nowait(-1)
        self._unread = self.whole or b""
        self._watch()

    async def read(self) -> bytes:
        """As the seam says."""
        if self._failure is not None:
            raise self._failure
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        try:
            async with asyncio.timeout(self._idle):
                return await self._response.content.readany()
        except TimeoutError as problem:
            text = f"{self._name} was silent for {self._idle:g} s in the middle of its answer."
            raise self._fail(UpstreamTimeout(text, side=Side.PROVIDER)) from problem
        except (*_Problem, RuntimeError) as problem:  # RuntimeError: the connector was closed
            text = f"{self._name} broke off in the middle of its answer ({_words(problem)})."
            raise self._fail(ProtocolBroken(text)) from problem
        except (asyncio.CancelledError, GeneratorExit):
            self.close()
            raise

    def close(self) -> None:
        """As the seam says."""
        if self._failure is None and not self._response.content.at_eof():
            self._fail(ProtocolBroken("The answer was let go of before its end."))

    def _watch(self) -> None:
        """End the body with its connection: after some malformed chunks aiohttp leaves its reader waiting."""
        connection = self._response.connection
        protocol = None if connection is None else connection.protocol
        closed = None if protocol is None else protocol.closed
        if closed is None:
            asyncio.get_running_loop().call_soon(self._connection_lost)
        else:
            closed.add_done_callback(self._connection_lost)

    def _connection_lost(self, closed: asyncio.Future[None] | None = None) -> None:
        problem = None if closed is None or closed.cancelled() else closed.exception()
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError(str(problem or "the connection was closed")))

    def _fail(self, failure: UpstreamFailure) -> UpstreamFailure:
        self._failure = failure
        _abort(self._response)
        return failure


class AiohttpConnector:
    """The seam's Connector, on aiohttp."""

    def __init__(
        self, guard: AddressGuard, ssl_context: ssl.SSLContext | None = None, *, trust_env: bool = False
    ) -> None:
        """With `trust_env` requests go through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name.

        Such a proxy resolves names itself: the guard then sees only hosts that are written as addresses.
        """
        self._guard = guard
        self._ssl = ssl_context
        self._proxies = getproxies() if trust_env else {}
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._closed = False

    async def open(self, request: Outgoing) -> AiohttpAnswer:
        """As the seam says."""
        host = host_value(request.scheme, request.host, request.port)
        serialise_head(request, host)  # refuses what our own connector refuses
        url = _url(request)
        headers = _text_headers(request, host)
        proxy = self._proxy_for(request)
        if request.guarded:
            refusal = self._guard.check_literal(request.host)
            if refusal is not None:
                raise ConnectFailed(refusal, side=Side.POLICY)
        session = self._session(guarded=request.guarded and proxy is None)
        timers = request.timers
        try:
            response = await session.request(
                request.method.decode(),
                url,
                data=_payload(request.body),
                headers=headers,
                proxy=proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=timers.connect, sock_read=timers.first_byte),
            )
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as problem:
            raise _failure(request, problem) from problem
        connection = response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = None  # from here on `read` keeps the time
        raw = [(name.lower(), value) for name, value in response.raw_headers]
        try:
            _check(request, response, raw)
        except ProtocolBroken:
            _abort(response)
            raise
        return AiohttpAnswer(response, request, raw)

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, guarded: bool) -> aiohttp.ClientSession:
        """One for guarded requests and one for the others."""
        if self._closed:
            raise ConnectFailed("No connection is made any more: the gateway is being stopped.")
        session = self._sessions.get(guarded)
        if session is None:
            session = self._sessions[guarded] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=True if self._ssl is None else self._ssl,  # True: the system's authorities
                    resolver=_GuardedResolver(self._guard, guarded=guarded),
                    use_dns_cache=False,
                    limit=0,
                    force_close=True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_NOT_ADDED,
                auto_decompress=False,
                read_bufsize=_READ_BUFFER,
                max_line_size=MOST_HEAD,
                max_field_size=MOST_HEAD,
                max_headers=_MOST_HEADERS,
            )
        return session

    def _proxy_for(self, request: Outgoing) -> str | None:
        proxy = self._proxies.get(request.scheme)
        return None if proxy is None or proxy_bypass(request.host) else proxy


class _GuardedResolver(AbstractResolver):
    """aiohttp's door to our guard. Hosts that are addresses do not come by here: `check_literal` has seen them."""

    def __init__(self, guard: AddressGuard, *, guarded: bool) -> None:
        self._guard = guard
        self._guarded = guarded

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  aiohttp's signature
    ) -> list[ResolveResult]:
        """Literal addresses that may be connected to."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._guard.resolve(host, port, guarded=self._guarded)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _url(request: Outgoing) -> URL:
    host = f"[{request.host}]" if ":" in request.host else request.host
    try:
        target = request.target.decode("ascii")
        url = URL(f"{request.scheme}://{host}:{request.port}{target}", encoded=True)
    except ValueError as problem:
        raise _cannot("a target that is not in ASCII or no URL") from problem
    if url.raw_path_qs != target or url.raw_fragment:
        raise _cannot("this target without rewriting it")
    return url


def _text_headers(request: Outgoing, host: bytes) -> CIMultiDict[str]:
    headers = CIMultiDict({"Host": host.decode(), "Connection": "close"})
    for name, value in request.headers:
        try:
            headers.add(name.decode("ascii").lower(), value.decode("utf-8"))  # by exact name aiohttp tells repeats
        except UnicodeDecodeError as problem:
            raise _cannot(f"the header {name.decode('latin-1')}, whose value is not UTF-8") from problem
    return headers


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    if not body:
        return None
    return io.BytesIO(body) if len(body) > _BODY_AS_FILE else body


def _check(request: Outgoing, response: aiohttp.ClientResponse, headers: list[tuple[bytes, bytes]]) -> None:
    """The limits that aiohttp does not hold."""
    name = f"The upstream {request.host}:{request.port}"
    if not 200 <= response.status < 600:
        raise ProtocolBroken(f"{name} answered with status {response.status}.", side=Side.PROVIDER)
    if sum(len(key) + len(value) + 4 for key, value in headers) > MOST_HEAD:
        raise ProtocolBroken(f"{name} sent more than {MOST_HEAD} bytes of headers.", side=Side.PROVIDER)
    codings = [value for key, value in headers if key == b"transfer-encoding"]
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
        raise ProtocolBroken(f"{name} used a transfer coding that was not asked for.", side=Side.PROVIDER)


def _failure(request: Outgoing, problem: Exception) -> UpstreamFailure:
    where = f"{request.host}:{request.port}"
    timers = request.timers
    if isinstance(problem, aiohttp.ConnectionTimeoutError):
        text = f"No connection to {where} within {timers.connect:g} s."
        return UpstreamTimeout(text, side=Side.NETWORK, safe_to_retry=True)
    if isinstance(problem, (aiohttp.ServerTimeoutError, TimeoutError)):
        text = f"The upstream {where} did not begin to answer within {timers.first_byte:g} s."
        return UpstreamTimeout(text, side=Side.PROVIDER)
    if isinstance(problem, aiohttp.ClientSSLError):
        return ConnectFailed(f"TLS with {where} failed: {_words(problem)}.", side=Side.PROVIDER)
    if isinstance(problem, aiohttp.ClientConnectorError):
        return ConnectFailed(f"No connection to {where}: {_words(problem)}.")
    if isinstance(problem, (aiohttp.InvalidURL, ValueError)):
        return ConnectFailed(f"The request was not sent: {_words(problem)}.", side=Side.POLICY)
    if isinstance(problem, (aiohttp.ServerDisconnectedError, OSError)):
        return ProtocolBroken(f"The upstream {where} closed the connection without an answer ({_words(problem)}).")
    text = f"The upstream {where} sent something that is not valid HTTP/1.1 ({_words(problem)})."
    return ProtocolBroken(text, side=Side.PROVIDER)


def _abort(response: aiohttp.ClientResponse) -> None:
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _cannot(what: str) -> ConnectFailed:
    return ConnectFailed(f"The request was not sent: the aiohttp connector cannot send {what}.", side=Side.POLICY)


def _words(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300] or type(problem).__name__
