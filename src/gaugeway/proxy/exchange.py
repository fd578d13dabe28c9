"""The state of one request, from its first byte to its log."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Attempt, CustomCost, Gateway, Metadata, Outcome, RouteTaken
from gaugeway.core.ports import CachedAnswer
from gaugeway.core.provider import Asked, Headers, Placing, Provider, Reported, Translated
from gaugeway.core.spending import Budget
from gaugeway.core.stored_keys import StoredKey
from gaugeway.proxy.cache_policy import CacheWishes
from gaugeway.proxy.connectors.seam import Incoming
from gaugeway.proxy.flights import Filling
from gaugeway.proxy.retrying import RetryPolicy, RetryWishes
from gaugeway.proxy.transcript import Transcript


class Connection(Protocol):
    """A request's end of the downstream's connection (see downstream.py)."""

    method: str
    path: bytes  # raw
    query: bytes  # raw, without its question mark
    headers: Headers  # names in lower case
    is_http_1_0: bool
    more_body: bool  # more of the request's body is to come than `read` has given
    hung_up: bool  # the downstream left before it had the whole answer; the task that answers is cancelled then

    @property
    def is_full(self) -> bool:
        """Whether the downstream reads more slowly than it is written to: await `drained` before more."""
        ...

    def take_arrived(self) -> bytes:
        """What has arrived of the body since, without waiting."""
        ...

    async def read(self) -> bytes:
        """What has arrived of the body since, which is nothing only at its end. Cancelled by a hang-up."""
        ...

    def cut(self) -> None:
        """End the connection so that the downstream cannot take a broken answer for a whole one."""
        ...

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer at once; Content-Length is among the headers, where the answer may have a body."""
        ...

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body comes in pieces, in chunks where its length is not named."""
        ...

    def send(self, piece: bytes) -> None:
        """Send the next piece, which is not empty."""
        ...

    async def drained(self) -> None:
        """Wait until the downstream has taken enough of what was sent."""
        ...

    def finish(self) -> None:
        """The answer came to its clean end."""
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
    gateway_id: str | None = None  # of REST inference only
    session_id: str | None = None  # what the shares of a dynamic route stick to
    byok_alias: str | None = None  # which of the stored keys is to be spent
    no_wholesale: bool = False  # nothing but a key of its own or a stored one will do


class Credential(NamedTuple):
    """What may be a token of ours."""

    secret: bytes
    header: tuple[bytes, bytes] | None  # that would carry it upstream; None: it was `cf-aig-authorization`


class Address(NamedTuple):
    """A base URL, taken apart."""

    scheme: str
    host: str
    port: int
    prefix: str  # its path, without a trailing slash

    @classmethod
    def of(cls, url: str) -> Address:
        """Those of a URL."""
        split = urlsplit(url)
        port = split.port or (443 if split.scheme == "https" else 80)
        return cls(split.scheme, split.hostname or "", port, split.path.rstrip("/"))


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
    placing: Placing | None = None  # the host is the request's to name (see placing.py)


class Compat(Struct, kw_only=True):
    """What the OpenAI-compatible endpoint has made of a request; `exchange.body` stays what the client sent."""

    path: str  # as the client called it, from the gateway on
    provider: bytes  # for the answer's headers
    model: bytes
    body: bytes  # what goes upstream
    translated: Translated | None = None  # None: the provider speaks OpenAI's format
    native: Transcript | None = None  # the provider's own answer, where it is translated
    native_type: str = ""  # its content type
    form: bytes = b"compat"  # what tells answers to one request apart that are given in several formats


class Hold(Struct, frozen=True, kw_only=True):
    """What is reserved in a gateway's spend limits for one target of a request."""

    id: bytes
    turn: int  # see Exchange.turn
    target: Target
    budgets: tuple[Budget, ...]
    amount: int  # 10^-12 dollars
    at_ms: int
    after: int  # attempts that were made before it
    custom_cost: CustomCost | None  # what cf-aig-custom-cost asks for there
    model_type: str | None


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
    key: str = ""
    stored_key: StoredKey | None = None


class RouteWalk(Protocol):
    """A request on its way through a dynamic route (see dynamic.py)."""

    @property
    def name(self) -> str:
        """`dynamic/{name}`."""
        ...

    @property
    def taken(self) -> RouteTaken:
        """The way so far, for the log."""
        ...

    @property
    def all_failed(self) -> bool:
        """Whether it came to its end, and no model has answered well."""
        ...

    @property
    def may_go_on(self) -> bool:
        """Whether another model may follow the one under way, where that fails."""
        ...

    async def begin(self, exchange: Exchange, step: int | None = None) -> None:
        """Turn the exchange to the first model; `step`: the one of a universal request that the route is.

        Raises GatewayError where it comes to none: 429 where a rate is used up, else 400.
        """
        ...

    async def go_on(self, exchange: Exchange) -> bool:
        """Turn the exchange to the next model; False where none follows. Raises GatewayError."""
        ...


class Reply(Struct, kw_only=True):
    """What goes downstream: a whole body, or an upstream's answer as it comes."""

    status: int
    headers: Headers
    body: bytes | None = None
    incoming: Incoming | None = None

    def header(self, wanted: bytes) -> bytes:
        """A header's value by its lower-case name; empty where there is none."""
        return next((value for name, value in self.headers if name == wanted), b"")


class SessionFigures(Struct, kw_only=True):
    """What passed through a WebSocket session, and what it used."""

    sent: int = 0  # bytes of messages from the client
    received: int = 0  # bytes of messages from the provider
    reported: Reported = field(default_factory=Reported)
    gap: str | None = None  # why these figures are not all that was used
    sent_cut: bool = False  # not all of the client's text is in `exchange.body`
    received_cut: bool = False
    # Under spend limits that count its responses, in 10^-12 dollars:
    cost: int = 0  # of those that reported it
    counted: int | None = None  # with what is counted for the others; None: it was not counted so
    priced_by: str | None = None


class Exchange(Struct, kw_only=True):
    """One request with its answer, as it happens; dies with the request."""

    # receive
    connection: Connection
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
    over_socket: bool = False  # it came in a WebSocket's message, or became a WebSocket
    session: SessionFigures | None = None  # of a WebSocket passed on to a provider
    is_rest: bool = False  # REST inference: it must be authenticated, and errors have another shape
    body: bytes = b""
    universal_size: int = 0  # bytes of a universal request's body, of which `body` is one step's query
    # authenticate
    credentials: tuple[Credential, ...] = ()  # in its headers
    secrets: list[bytes] = field(default_factory=list[bytes])  # credentials it carries, to be kept out of the log
    authenticated: bool = False
    owes_token: bool = (
        False  # it may pass only if one of its steps has a token; nothing else is to be told till then
    )
    # route
    target: Target | None = None
    asked: Asked = field(default_factory=Asked)
    compat: Compat | None = None  # of a request to the OpenAI-compatible endpoint
    key: str = ""  # becomes its credential when it is sent (see keying.py)
    stored_key: StoredKey | None = None  # the one that it is, where it is not the request's own
    counted_key: tuple[str, int] | None = None  # the stored key and turn that were counted last
    steps: tuple[Step | RouteWalk, ...] = ()  # of a universal request; slug … asked are the one's under way
    route: RouteWalk | None = None  # of a request, or a step under way, for a dynamic route; likewise
    turn: int = 0  # counts the targets that steps and routes have turned it to; 0: the request's only one
    policy: RetryPolicy | None = None  # of the step under way; None: the request's and its gateway's
    # lookup
    hit: CachedAnswer | None = None  # what the cache had
    cache_status: bytes | None = None  # HIT | MISS; None: the cache has no part in it
    filling: Filling | None = None  # its answer is to be kept
    budgets: tuple[
        Budget, ...
    ] = ()  # of a dynamic route's rates of cost: its cost is counted there, whatever it is
    hold: Hold | None = None  # what spend limits have reserved for the target under way
    # forward, relay
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    step: int = 0
    reply: Reply | None = None
    transcript: Transcript | None = None
    first_byte: float | None = None  # time.perf_counter(), s
    reply_started: bool = False  # something went downstream
    handed_over: int = 0  # bytes of the answer that its connection has taken
    # the end
    outcome: Outcome | None = None
    error: str | None = None

    @property
    def gone(self) -> bool:
        """Whether the downstream hung up."""
        return self.connection.hung_up

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
