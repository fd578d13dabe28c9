"""The universal endpoint: one request that names several targets, tried in turn (contract 3.2).

Each step is sent with what it says itself, and with nothing that belongs to another one: of the outer
request's headers only those in `TRAVELLING` go along, and credentials are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from gaugeway.core.errors import BadInput, GatewayError
from gaugeway.proxy.admission import SHORTEST_SECRET, Authentication, unauthorized, without_own_key
from gaugeway.proxy.answers import BAD_HEADER, INVALID_PROVIDER, NO_ROUTE
from gaugeway.proxy.compat import DYNAMIC, CompatEndpoint, Meant, Named
from gaugeway.proxy.compat import SLUG as COMPAT
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, bare_credential, secrets_in
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.dynamic import Asking, DynamicRoutes, Walk, refuse_session
from gaugeway.proxy.exchange import Exchange, Headers, Step, Target
from gaugeway.proxy.headers import sort_request
from gaugeway.proxy.retrying import (
    MAX_ATTEMPTS,
    MAX_DELAY_MS,
    MAX_REQUEST_TIMEOUT_MS,
    NO_WISHES,
    RetryWishes,
    settle,
)
from gaugeway.proxy.steps import as_step, enter, place
from gaugeway.proxy.stored_keys import StoredKeys

MAX_STEPS = 20
MAX_STEP_HEADERS = 64 * 1024
"""Bytes of one step's headers."""

TRAVELLING = frozenset((b"user-agent", b"accept", b"accept-encoding", b"accept-language"))
"""The outer request's headers that go to every step's provider, unless the step says otherwise."""

OWN_CREDENTIAL = b"cf-aig-authorization"
OF_THE_REQUEST = frozenset((b"cf-aig-gateway-id", b"cf-aig-session-id"))
"""Gateway headers that cannot differ from step to step: they are settled before the steps are read."""

OF_THE_FIRST_STEP = frozenset((b"cf-aig-cache-ttl", b"cf-cache-ttl", b"cf-aig-cache-key", b"cf-aig-cache-streams"))
"""Only the first step's answer is looked up and kept: a later step's is what nobody wanted in the first place."""

_FRAMING = frozenset((b"content-length", b"connection"))
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ENDPOINT = re.compile(r"[\x21-\x7e]*")


class _Config(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    request_timeout: Annotated[int, Meta(ge=1, le=MAX_REQUEST_TIMEOUT_MS)] | None = None
    max_attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] | None = None
    retry_delay: Annotated[int, Meta(ge=0, le=MAX_DELAY_MS)] | None = None
    backoff: Literal["constant", "linear", "exponential"] | None = None


class _Sent(Struct, frozen=True, forbid_unknown_fields=True):
    """A step as it is sent."""

    provider: str
    endpoint: str
    query: Raw
    headers: dict[str, Raw] | None = None
    authorization: str | None = None  # Cloudflare's first spelling of a header of that name
    config: _Config | None = None


_sent = msgspec.json.Decoder(_Sent)
_list = msgspec.json.Decoder(list[Raw])


class Universal:
    """Reads universal requests."""

    def __init__(
        self,
        directory: Directory,
        compat: CompatEndpoint,
        keys: StoredKeys,
        authentication: Authentication,
        routes: DynamicRoutes,
    ) -> None:
        self._authentication = authentication
        self._directory = directory
        self._keys = keys
        self._compat = compat
        self._routes = routes

    def unpack(self, exchange: Exchange, body: bytes) -> None:
        """Set the exchange's steps, and it on its way to the first of them.

        The body itself is not kept: it holds the steps' credentials. Raises GatewayError (400) for a body that
        is no list of steps, naming the step and its field.
        """
        exchange.universal_size = len(body)
        if not exchange.authenticated:
            self._look_for_token(exchange, body)
        sent = _split(body)
        exchange.steps = tuple(self._read_step(exchange, index, raw) for index, raw in enumerate(sent))
        if all(isinstance(step, Step) for step in exchange.steps):
            refuse_session(exchange.options)
        if isinstance(exchange.steps[0], Step):  # where a route leads is found out once the request may pass
            enter(exchange, exchange.steps[0], 0)

    def _look_for_token(self, exchange: Exchange, body: bytes) -> None:
        """Take the token that one of the steps has for the request's; what else is wrong with them is told later.

        Raises GatewayError (401) where the request must have one.
        """
        found: list[bytes] = []
        try:
            for raw in _split(body):
                for name, value in _header_pairs(_sent.decode(raw)):
                    if name in CREDENTIAL_HEADERS or name == OWN_CREDENTIAL:
                        found.append(bare_credential(value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadInput, GatewayError):
            pass  # those before it count
        for secret in found:
            self._authentication.authenticate_by(exchange, secret)
        if exchange.owes_token and not exchange.authenticated:
            exchange.secrets += [secret for secret in found if len(secret) >= SHORTEST_SECRET]
            raise unauthorized()

    def _read_step(self, exchange: Exchange, index: int, raw: Raw) -> Step | Walk:
        try:
            sent = _sent.decode(raw)
            return self._prepare(exchange, sent, is_first=index == 0)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise _bad_step(index, BAD_HEADER, _field_first(str(problem))) from None
        except BadInput as problem:
            raise _bad_step(index, BAD_HEADER, f"{'.'.join(map(str, problem.path))}: {problem.message}") from None
        except GatewayError as problem:
            raise _bad_step(index, problem.code, problem.message) from None

    def _prepare(self, exchange: Exchange, sent: _Sent, *, is_first: bool) -> Step | Walk:
        target = None if sent.provider == COMPAT else self._find_target(exchange, sent.provider)
        pairs = said = list(_header_pairs(sent))
        if not is_first:
            _refuse_wishes_of_the_first(pairs)
        pairs = self._take_credentials(exchange, pairs, _NONE if target is None else target.more_credentials)
        sorted_headers = sort_request(pairs, copy(exchange.options))
        options, headers = sorted_headers.options, sorted_headers.upstream
        if sent.config is not None:
            options.retry = _configured(options.retry or NO_WISHES, sent.config)
        own = {name for name, _ in headers}
        headers += [pair for pair in exchange.headers if pair[0] in TRAVELLING and pair[0] not in own]
        content_type = sorted_headers.content_type
        if b"content-type" not in own:
            content_type = "application/json"
            headers.append((b"content-type", b"application/json"))
        rest, query = self._split_endpoint(exchange, sent.endpoint)
        body = bytes(sent.query)
        if target is None:
            named = self._compat.read("POST", rest, body)
            if named.prefix == DYNAMIC:
                return self._routes.walk(
                    exchange.gateway.scope,
                    named,
                    Asking(query, headers, content_type, body, options, said),
                )
            meant = self._resolve(exchange, named, query=query, headers=headers, content_type=content_type)
        else:
            meant = Meant(target, rest, query, headers, content_type, None)
        meant = place(meant, said, self._keys.choose(exchange, meant.target, meant.headers, meant.query, options))
        _check_path(meant, exchange.gateway.account_id)
        policy = settle(options.retry or NO_WISHES, exchange.gateway)
        return as_step(meant, body=body, options=options, policy=policy)

    def _resolve(
        self, exchange: Exchange, named: Named, *, query: bytes, headers: Headers, content_type: str
    ) -> Meant:
        """The provider's request that a step of the OpenAI-compatible endpoint stands for."""
        gateway = exchange.gateway
        meant = self._compat.resolve(
            gateway.account_id, exchange.log_id, named, query=query, headers=headers, content_type=content_type
        )
        own = self._take_credentials(exchange, meant.headers, meant.target.more_credentials)
        return meant._replace(headers=own)

    def _find_target(self, exchange: Exchange, slug: str) -> Target:
        target = self._directory.target(exchange.gateway.account_id, slug)
        if isinstance(target, str):
            raise GatewayError(400, INVALID_PROVIDER, f"provider: {target}")
        return target

    def _take_credentials(self, exchange: Exchange, pairs: Headers, more: frozenset[bytes]) -> Headers:
        """The headers without tokens of ours; every credential is noted, to be kept out of the log."""
        kept: Headers = []
        for name, value in pairs:
            is_credential = name in CREDENTIAL_HEADERS or name in more or name == OWN_CREDENTIAL
            noted = [self._note(exchange, secret) for secret in secrets_in(name, value)] if is_credential else []
            if not any(noted):
                kept.append((name, value))
        return kept

    def _note(self, exchange: Exchange, secret: bytes) -> bool:
        """Remember a secret; whether it is a token of ours."""
        if len(secret) >= SHORTEST_SECRET and secret not in exchange.secrets:
            exchange.secrets.append(secret)
        return self._directory.token(secret) is not None

    def _split_endpoint(self, exchange: Exchange, endpoint: str) -> tuple[str, bytes]:
        if not _ENDPOINT.fullmatch(endpoint):
            raise BadInput("holds a space, a control character or a letter beyond ASCII: percent-encode it", _AT)
        if "#" in endpoint or "://" in endpoint.partition("?")[0]:
            raise BadInput("expected the path after the provider's own address, such as v1/messages", _AT)
        path, _, query = endpoint.lstrip("/").partition("?")
        return path, without_own_key(query.encode(), lambda secret: self._note(exchange, secret))


_AT = ("endpoint",)
_NONE: frozenset[bytes] = frozenset()


def check_form(exchange: Exchange) -> None:
    """Refuse what is no universal request before its body is read; raises GatewayError."""
    if exchange.rest:
        raise GatewayError(404, NO_ROUTE, "Could not route: the path names no provider between its slashes")
    if exchange.method != "POST":
        raise GatewayError(405, NO_ROUTE, f"The universal endpoint takes POST, not {exchange.method}")
    if exchange.query:
        raise GatewayError(
            400, BAD_HEADER, "The universal endpoint takes no query: put it behind a step's endpoint"
        )


def _split(body: bytes) -> list[Raw]:
    """The steps, each still as JSON. A single object is taken for a list of one."""
    try:
        sent = [Raw(body)] if body.lstrip()[:1] == b"{" else _list.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        message = f"The body must be a JSON list of steps {{provider, endpoint, query, headers}}: {problem}"
        raise GatewayError(400, BAD_HEADER, message) from None
    if not 1 <= len(sent) <= MAX_STEPS:
        raise GatewayError(400, BAD_HEADER, f"Expected 1 to {MAX_STEPS} steps, not {len(sent)}")
    return sent


def _header_pairs(sent: _Sent) -> Iterator[tuple[bytes, bytes]]:
    """The step's headers as they travel: names in lower case, values as text."""
    seen: set[str] = set()
    size = 0
    for name, raw in (sent.headers or {}).items():
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name[:64]!r} is no header name", ("headers",))
        if lower in seen:
            raise BadInput("is given twice", ("headers", lower))
        seen.add(lower)
        value = _as_text(lower, raw)
        size += len(lower) + len(value)
        if size > MAX_STEP_HEADERS:
            raise BadInput(f"are larger than {MAX_STEP_HEADERS} bytes", ("headers",))
        if lower.encode() in OF_THE_REQUEST:
            raise BadInput("belongs to the whole request: send it as a header of that", ("headers", lower))
        if lower.encode() not in _FRAMING:
            yield lower.encode(), value
    if sent.authorization is not None and "authorization" not in seen:
        yield b"authorization", _checked_value("authorization", sent.authorization)


def _refuse_wishes_of_the_first(pairs: Headers) -> None:
    for name, _ in pairs:
        if name in OF_THE_FIRST_STEP:
            message = "only the first step's answer is cached: send it with the request, or in that step"
            raise BadInput(message, ("headers", name.decode()))


def _as_text(name: str, raw: Raw) -> bytes:
    """A header's value: a text is itself, a number, boolean, list or object its JSON."""
    value = msgspec.json.decode(raw)
    if value is None:
        raise BadInput("null is no value; leave the header out", ("headers", name))
    if isinstance(value, str):
        return _checked_value(name, value)
    return bytes(raw).strip() if isinstance(value, int | float) else msgspec.json.encode(value)


def _checked_value(name: str, value: str) -> bytes:
    if _UNPRINTABLE.search(value):
        raise BadInput("holds a control character", ("headers", name))
    return value.strip().encode()


def _configured(wishes: RetryWishes, config: _Config) -> RetryWishes:
    said = {
        "timeout_ms": config.request_timeout,
        "max_attempts": config.max_attempts,
        "delay_ms": config.retry_delay,
        "backoff": config.backoff,
    }
    return replace(wishes, **{name: value for name, value in said.items() if value is not None})


def _check_path(meant: Meant, account_id: str) -> None:
    try:
        meant.target.provider.upstream_path(meant.rest, account_id)
    except BadInput as problem:
        raise BadInput(problem.message, _AT) from problem


def _field_first(message: str) -> str:
    """`Expected int - at $.config.x` → `config.x: Expected int`."""
    problem, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {problem}" if where else problem


def _bad_step(index: int, code: int, message: str) -> GatewayError:
    return GatewayError(400, code, f"Step {index}: {message}")
