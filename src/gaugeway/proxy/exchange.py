"""The state of one request, from its first byte to its log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from msgspec import Struct, field

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Attempt, CustomCost, Gateway, Metadata, Outcome
from gaugeway.core.provider import Asked, Provider, Translated
from gaugeway.proxy.cache_policy import CacheWishes
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.flights import Filling
from gaugeway.proxy.retrying import RetryPolicy, RetryWishes
from gaugeway.proxy.transcript import Transcript

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class Connection(Protocol):
    """What the data plane needs of the downstream's connection beyond ASGI (see server.py)."""

    def on_hangup(self, callback: Callable[[], None] | None) -> None:
        """Call back once when the downstream leaves before it has the whole answer; None: no more."""
        ...

    def cut(self) -> None:
        """End the connection so that the downstream cannot take a broken answer for a whole one."""
        ...

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer at once; Content-Length is among the headers, where the answer may have a body."""
        ...


class Options(Struct, kw_only=True):
    """What the request's `cf-aig-*` headers ask for. None: not said, so the gateway's setting holds."""

    token: bytes | None = None
    collect_log: bool | None = None
    collect_log_payload: bool = True
    metadata: Metadata | None = None
    event_id: str | None = None
    custom_cost: CustomCost | None = None
    retry: RetryWishes | None = None
    cache: CacheWishes | None = None


class Target(Struct, frozen=True, kw_only=True):
    """Where a request may be sent."""

    provider: Provider
    scheme: str
    host: str
    port: int
    prefix: str  # the base URL's path, without a trailing slash
    guarded: bool  # private addresses are refused unless the settings allow them
    more_credentials: frozenset[bytes] = frozenset()  # headers that carry a key beside the usual ones
    headers: tuple[tuple[bytes, bytes], ...] = ()  # set on every request, in place of the client's
    secrets: tuple[bytes, ...] = ()  # credentials among these, to be kept out of the log


class Compat(Struct, kw_only=True):
    """What the OpenAI-compatible endpoint has made of a request; `exchange.body` stays what the client sent."""

    path: str  # as the client called it, from the gateway on
    provider: bytes  # for the answer's headers
    model: bytes
    body: bytes  # what goes upstream
    translated: Translated | None = None  # None: the provider speaks OpenAI's format
    native: Transcript | None = None  # the provider's own answer, where it is translated
    native_type: str = ""  # its content type


class Step(Struct, frozen=True, kw_only=True):
    """One of the targets that a universal request names: all that is sent there, and nothing of the others."""

    slug: str
    rest: str
    query: bytes
    headers: Headers
    content_type: str
    body: bytes
    options: Options
    policy: RetryPolicy
    target: Target
    asked: Asked
    compat: Compat | None = None


class Reply(Struct, kw_only=True):
    """What goes downstream: a whole body, or an upstream's answer as it comes."""

    status: int
    headers: Headers
    body: bytes | None = None
    incoming: Incoming | None = None

    def header(self, wanted: bytes) -> bytes:
        """A header's value by its lower-case name; empty where there is none."""
        return next((value for name, value in self.headers if name == wanted), b"")


class Exchange(Struct, kw_only=True):
    """One request with its answer, as it happens; dies with the request."""

    # receive
    scope: Scope
    connection: Connection
    receive: Receive
    log_id: bytes
    started: float  # time.perf_counter() at arrival, s
    gateway: Gateway
    slug: str  # the provider's, as the URL names it
    rest: str  # the raw path after the slug
    query: bytes
    headers: Headers  # what may go upstream
    options: Options
    method: str = "POST"
    content_type: str = ""
    user_agent: str | None = None
    declared_size: int | None = None  # Content-Length
    refusal: GatewayError | None = None  # found while its headers were read
    body: bytes = b""
    universal_size: int = 0  # bytes of a universal request's body, of which `body` is one step's query
    # authenticate
    secrets: list[bytes] = field(default_factory=list[bytes])  # credentials it carries, to be kept out of the log
    authenticated: bool = False
    # route
    target: Target | None = None
    asked: Asked = field(default_factory=Asked)
    compat: Compat | None = None  # of a request to the OpenAI-compatible endpoint
    steps: tuple[Step, ...] = ()  # of a universal request; slug … asked are those of the one under way
    # lookup
    cache_status: bytes | None = None  # HIT | MISS; None: the cache has no part in it
    filling: Filling | None = None  # its answer is to be kept
    # forward, relay
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    step: int = 0
    reply: Reply | None = None
    transcript: Transcript | None = None
    first_byte: float | None = None  # time.perf_counter(), s
    reply_started: bool = False  # something went downstream
    handed_over: int = 0  # bytes of the answer that its connection has taken
    gone: bool = False  # the downstream hung up
    # the end
    outcome: Outcome | None = None
    error: str | None = None

    @property
    def collects_log(self) -> bool:
        """Whether this request becomes a log: its header, else the gateway's setting."""
        said = self.options.collect_log
        return self.gateway.collect_logs if said is None else said

    def end(self, outcome: Outcome, error: str | None = None) -> None:
        """Settle how it ended. The first to know is right; later calls change nothing."""
        if self.outcome is None:
            self.outcome = outcome
            self.error = error
