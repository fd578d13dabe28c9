"""The records that Gaugeway keeps, and the closed sets they speak in.

Each field has one line: what it is, its unit, where it comes from. Times are Unix milliseconds, money is
exact dollars, sizes are bytes. Cloudflare's wire word is the word here too.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from msgspec import Struct, field

from gaugeway.core.ids import time_ms
from gaugeway.core.votes import PanelAgreement

Metadata = dict[str, str | int | float | bool]


class Outcome(StrEnum):
    """How an exchange ended. Exactly one per log."""

    SUCCESS = "success"  # the upstream answered 2xx or 3xx and its answer reached the downstream whole
    CACHED = "cached"  # answered from the cache
    REFUSED = "refused"  # the gateway refused it: bad credentials, a bad header, an unknown provider
    RATE_LIMITED = "rate_limited"  # the gateway's rate limit
    SPEND_LIMITED = "spend_limited"  # a spend limit
    BLOCKED = "blocked"  # a safety check
    UPSTREAM_ERROR = "upstream_error"  # the upstream answered an error, could not be reached or spoke nonsense
    TIMEOUT = "timeout"  # the upstream did not answer in time
    STREAM_CUT = "stream_cut"  # the upstream broke off after its first byte, by HTTP's word or its stream's own
    CLIENT_GONE = "client_gone"  # the downstream hung up before it had the whole answer
    INTERNAL_ERROR = "internal_error"  # our own fault

    @property
    def is_success(self) -> bool:
        """The log's `success`."""
        return self in (Outcome.SUCCESS, Outcome.CACHED)


class Permission(StrEnum):
    """What an API token may do. Write includes Read (contract 1.1)."""

    READ = "AI Gateway Read"
    WRITE = "AI Gateway Write"
    RUN = "AI Gateway Run"


class ResultStatus(IntEnum):
    """The state of one evaluation result (DESIGN section 6)."""

    QUEUED = 0
    RUNNING = 1
    COMPLETED = 2
    COMPLETED_WITHOUT_LOGS = 3
    FAILED = 4
    CANCELLED = 5

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen to the result."""
        return self >= ResultStatus.COMPLETED


class Scope(Struct, frozen=True):
    """A gateway's full name. Logs, datasets and evaluations live in one."""

    account_id: str
    gateway_id: str


class Account(Struct, frozen=True, kw_only=True):
    """Who gateways and tokens belong to."""

    id: str  # 32 lower-case hex digits
    name: str
    created_at: int


class Token(Struct, frozen=True, kw_only=True):
    """An API token as it is kept: never its text, only the text's SHA-256."""

    id: str  # 32 hex digits, shown by `token list`
    account_id: str
    name: str
    sha256: bytes  # of the token's text
    permissions: tuple[Permission, ...]
    email: str  # what X-Auth-Email must say when the token is used as X-Auth-Key
    created_at: int
    expires_at: int | None = None

    def allows(self, permission: Permission) -> bool:
        """Whether the token grants a permission (Write grants Read)."""
        if permission is Permission.READ and Permission.WRITE in self.permissions:
            return True
        return permission in self.permissions


class Session(Struct, frozen=True, kw_only=True):
    """A browser that signed in with a token, as it is kept: never what its cookie says, only the SHA-256 of it."""

    sha256: bytes
    token_id: str  # it may do what this token may, and ends with it
    created_at: int
    expires_at: int


class Gateway(Struct, frozen=True, kw_only=True):
    """A gateway and its settings (contract 1.5)."""

    account_id: str
    id: str
    created_at: int
    modified_at: int
    cache_ttl: int = 0  # seconds; 0 is off
    cache_invalidate_on_update: bool = False
    collect_logs: bool = True
    rate_limiting_interval: int = 0  # seconds; 0 is off
    rate_limiting_limit: int = 0  # requests an interval; 0 is off
    rate_limiting_technique: str | None = None  # fixed | sliding
    authentication: bool = False
    log_management: int | None = 10_000_000  # logs kept
    log_management_strategy: str | None = "DELETE_OLDEST"  # or STOP_INSERTING
    logpush: bool = False
    logpush_public_key: str | None = None
    retry_max_attempts: int | None = None
    retry_delay: int | None = None  # ms
    retry_backoff: str | None = None  # constant | linear | exponential
    zdr: bool = False
    store_id: str | None = None
    workers_ai_billing_mode: str = "postpaid"
    byok_only: bool = False
    log_classification: bool = False
    is_default: bool = False
    otel: list[dict[str, Any]] | None = None
    dlp: dict[str, Any] | None = None
    guardrails: dict[str, Any] | None = None
    spend_limits: dict[str, Any] | None = None
    stripe: dict[str, Any] | None = None

    @property
    def scope(self) -> Scope:
        """The gateway's full name."""
        return Scope(self.account_id, self.id)


class CustomProvider(Struct, frozen=True, kw_only=True):
    """A provider that the account added; reached as `custom-{slug}` (contract 1.11)."""

    account_id: str
    id: str  # UUIDv7 text
    name: str
    slug: str
    base_url: str
    created_at: int
    modified_at: int
    description: str | None = None
    link: str | None = None
    enable: bool = False
    beta: bool = False
    curl_example: str | None = None
    js_example: str | None = None
    position: int | None = None
    headers: str | None = None  # a JSON object of extra upstream headers, as text


class Usage(Struct, frozen=True, kw_only=True, array_like=True):
    """What a provider reported that a request used. None: not reported, which is not 0.

    Each number counts once: tokens_in includes cached_tokens_in, cache_write_tokens and audio_tokens_in,
    tokens_out includes reasoning_tokens and audio_tokens_out, whatever the provider's own habit.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cached_tokens_in: int | None = None  # read from the provider's prompt cache
    cache_write_tokens: int | None = None  # written to it
    cache_write_1h_tokens: int | None = None  # the part of them written for an hour (Anthropic)
    reasoning_tokens: int | None = None
    audio_tokens_in: int | None = None
    audio_tokens_out: int | None = None
    reported_cost: Decimal | None = None  # dollars, where the provider itself says what it charged
    # The last three serve the price only; a store need not keep them.
    other_units: dict[str, int | float] | None = None
    """What else was reported that has a price of its own, by its name in genai-prices: `web_searches`,
    `input_image_tokens` (a part of tokens_in), `audio_seconds` ..."""
    price_context: dict[str, str] | None = None
    """What else decides the price: `service_tier`, `speed` ..., where the answer names it."""
    doubt: str | None = None
    """Why the figures are not all that was used, or cannot all be read: no price is put on them then."""


class CustomCost(Struct, frozen=True, kw_only=True):
    """What `cf-aig-custom-cost` asks for: rates in dollars a token, or one total (contract 4.1)."""

    per_token_in: Decimal | None = None
    per_token_out: Decimal | None = None
    per_cache_read_token: Decimal | None = None  # falls back to per_token_in
    per_cache_write_token: Decimal | None = None  # falls back to per_token_in
    total_cost: Decimal | None = None


class Attempt(Struct, frozen=True, kw_only=True, array_like=True):
    """One try at one upstream."""

    provider: str
    step: int  # which target it was, 0-based
    status_code: int | None  # None: no answer
    duration: int  # ms until its answer began, or it failed
    error: str | None = None
    may_be_billed: bool = False  # it was sent and gave no answer: whether its provider charges, nobody knows
    counted: Decimal | None = None  # dollars that spend limits count for such a one: the most it may have cost
    # Of a failed one whose answer reported usage and was followed by another attempt:
    usage: Usage | None = None
    model: str = ""
    custom_cost: CustomCost | None = None  # what was asked of it by cf-aig-custom-cost
    cost: Decimal | None = None  # dollars; part of the log's cost, where that is known


class RouteTaken(Struct, frozen=True, kw_only=True, array_like=True):
    """The way that a request went through a dynamic route."""

    name: str
    version_id: str  # of the version that was deployed then
    path: tuple[str, ...]  # ids of the elements it came to, in order


class Bodies(Struct, frozen=True, kw_only=True, array_like=True):
    """What went in and out, apart from the columns. None: not kept. Compressed in the store."""

    request: bytes | None = None
    response: bytes | None = None
    request_cut: bool = False  # longer than the size cap: only its beginning is kept
    response_cut: bool = False


class LogRecord(Struct, frozen=True, kw_only=True, array_like=True):
    """What is kept of an exchange. One per request that reached a gateway."""

    account_id: str
    gateway_id: str
    id: bytes  # UUIDv7; its time is when the request arrived
    provider: str  # slug, or "unknown"
    outcome: Outcome
    duration: int  # ms from the request's arrival to the answer's last byte
    model: str = ""  # as the request named it; "" where it named none
    model_type: str | None = None
    path: str = ""  # after the provider's slug, without the query (which may carry a key)
    method: str = "POST"
    request_type: str | None = None
    status_code: int | None = None  # what the downstream was sent
    step: int = 0  # which target answered, 0-based
    event_id: str | None = None  # the client's cf-aig-event-id; None: none sent
    user_agent: str | None = None
    authentication: bool = False  # the request carried a valid gateway token
    first_byte_ms: int | None = None  # from arrival to the upstream's first body byte
    usage: Usage = field(default_factory=Usage)
    usage_estimated: bool = False  # the figures are ours, because the provider's never came
    response_model: str | None = None  # the model the provider says it used, where it differs
    cost: Decimal | None = None  # dollars; None: not known, and cost_reason says why
    cost_reason: str | None = None  # why the cost is not known
    usage_saved: Usage | None = None  # of a cached answer when it was new; serves cost_saved only, not stored
    cost_saved: Decimal | None = (
        None  # dollars that a cached answer would have cost; None: not cached, or not known
    )
    custom_cost: CustomCost | None = None  # what cf-aig-custom-cost asked for
    request_content_type: str | None = None
    response_content_type: str | None = None
    request_size: int = 0  # bytes of the body
    response_size: int = 0  # bytes of the body as they reached the downstream
    metadata: Metadata | None = None
    attempts: tuple[Attempt, ...] = ()
    error: str | None = None  # what went wrong, in words
    bodies_lost: bool = False  # bodies were to be kept, but the recorder's queue was full
    feedback: int | None = None  # -1 | 1; None: none (0 is stored as None)
    score: float | None = None  # 0-100
    route: RouteTaken | None = None  # of a request for a dynamic route
    priced_by: str | None = (
        None  # whose prices the cost is by: an edition of public ones, a rule, a header, the provider
    )
    byok_alias: str | None = None  # the alias of the stored key it was sent with; None: the request's own, or none

    @property
    def created_at(self) -> int:
        """When the request arrived, ms."""
        return time_ms(self.id)

    @property
    def success(self) -> bool:
        """Whether the downstream got a good answer, whole."""
        return self.outcome.is_success

    @property
    def cached(self) -> bool:
        """Whether the answer came from the cache."""
        return self.outcome is Outcome.CACHED

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)


class Logged(Struct, frozen=True, array_like=True):
    """A log with its bodies, on the way to the store."""

    record: LogRecord
    bodies: Bodies | None = None


class RawFilter(Struct, frozen=True):
    """A filter as it was sent and is shown again: {key, operator, value}."""

    key: str
    operator: str
    value: list[str | int | float | bool | None]


class Join(StrEnum):
    """How a group joins its filters. An extension, as groups are."""

    ALL_OF = "all_of"
    ANY_OF = "any_of"
    NONE_OF = "none_of"


class RawGroup(NamedTuple):
    """A group of filters as it was sent and is shown again: {"any_of": [...]} and the like.

    A tuple, as it is kept as an array: so a version that knows no groups cannot take one for a filter, and says
    that the dataset cannot be read.
    """

    join: Join
    filters: list[RawCriterion]


RawCriterion = RawFilter | RawGroup
"""What a list of filters may hold."""


class Dataset(Struct, frozen=True, kw_only=True):
    """A saved set of filters over a gateway's logs (contract 1.6)."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str
    enable: bool
    filters: list[RawCriterion]
    created_at: int
    modified_at: int

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)


class SnapshotRef(Struct, frozen=True, kw_only=True):
    """Which snapshot something was computed over: all that its figures depend on."""

    id: str
    name: str
    dataset_id: str
    hash: str
    items: int
    frozen: str
    expected_version: int = 0
    expected_hash: str = ""


class Result(Struct, frozen=True, kw_only=True):
    """One evaluation type's figure in an evaluation (contract 1.7)."""

    id: str  # UUIDv7 text
    evaluation_id: str
    evaluation_type_id: str
    created_at: int
    modified_at: int
    status: ResultStatus = ResultStatus.QUEUED
    status_description: str = "queued"
    result: str = ""  # plain decimal; "" is no value
    total_logs: int = 0  # logs the figure was computed from
    skipped: int = 0  # logs selected that lack what the evaluator needs
    failed: int = 0  # logs on which the evaluator failed
    low: str = ""  # the 95 % interval's lower end, plain decimal; "" where it cannot be known
    high: str = ""  # and its upper end
    interval_method: str = ""  # how the interval was computed; "" where there is none
    interval_note: str = ""  # why there is none, for people
    unit: str = ""  # of result, low and high
    direction: str = ""  # which way is better: core.metrics.Direction; "" until concluded
    pending: int = 0  # of an item-wise evaluator: logs that are still to be judged
    evaluator_id: str = ""  # of a custom evaluation type: the evaluator behind it; "" where the type's id names it
    parameters: dict[str, Any] = field(default_factory=dict)  # what the custom type gave it, as it was at creation
    agreement: PanelAgreement | None = None  # of a panel of judges: how far its members agree


class WatchedWindow(Struct, frozen=True, kw_only=True):
    """The span of time of a monitor's that an evaluation is about, and how much of it may be judged."""

    monitor_id: str
    window_id: str
    after_ms: int  # only logs created after this moment
    until_ms: int  # and up to this one
    share: float = 1.0  # of the logs, for evaluators that look at each
    max_items: int | None = None  # and how many of them at most; None: no bound of the monitor's
    daily_max_cost: Decimal | None = None  # dollars that all judges of the monitor may spend in a day of UTC


class Evaluation(Struct, frozen=True, kw_only=True):
    """Datasets judged by evaluation types at one moment (contract 1.7)."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str
    created_at: int  # also the snapshot's end: logs created up to this moment count
    modified_at: int
    datasets: list[Dataset]  # as they were at creation
    results: list[Result]
    total_logs: int = 0  # distinct logs selected
    cluster_by: str = ""  # what logs that are alike have in common (query.Grouping), for the intervals; "": nothing
    snapshot: SnapshotRef | None = None  # whose frozen logs it is about, in place of its datasets' live ones
    window: WatchedWindow | None = None  # of the monitor that made it; None: it was made by hand

    @property
    def processed(self) -> bool:
        """Whether every result is terminal."""
        return all(result.status.is_terminal for result in self.results)

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def source(self) -> Scope:
        """Where the logs are that it is about: the gateway's, or a snapshot's frozen ones."""
        return self.scope if self.snapshot is None else Scope(self.account_id, self.snapshot.frozen)
