"""REST inference (contract 3.1): `/client/v4/accounts/{account}/ai/…`, for any model of any provider by its author.

`ai/v1/…` takes what the OpenAI-compatible endpoint takes; `ai/run` takes a provider's own request as `input`, and
gives the provider's answer as the `result` of Cloudflare's envelope. The gateway's token travels where a provider's
key does elsewhere, so a key has to come another way, and a request without one is refused before it is sent.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import GatewayError
from gaugeway.core.provider import StreamTranslation, Translated, compatible_of
from gaugeway.proxy.answers import BAD_FORMAT, INVALID_PROVIDER, NO_KEY, NO_ROUTE
from gaugeway.proxy.compat import (
    CHAT,
    DYNAMIC,
    EMBEDDINGS,
    MESSAGES,
    POSTED,
    RESPONSES,
    CompatEndpoint,
    Meant,
    Named,
    decode_fields,
    own_headers,
)
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, bare_credential
from gaugeway.proxy.exchange import Compat, Exchange, Headers, Target
from gaugeway.proxy.headers import Sorted
from gaugeway.proxy.soundness import is_error

PATH = re.compile(rb"/client/v4/accounts/[^/]+/ai/")
"""How paths of REST inference begin."""

AUTHORS = {"google": "google-ai-studio"}
"""Names of models' authors that are not their provider's (others: compat.ALIASES)."""

RUN = "ai/run"
V1 = "ai/v1/"
"""Cloudflare's code for a model that needs a key of one's own, or credits."""

_WORKERS_AI, _WORKERS_AI_MODEL = "workers-ai", "@cf/"


class _Passed:
    """A stream that goes through as it is."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def end(self) -> bytes:
        return b""


class RunCall(Struct, frozen=True, kw_only=True):
    """A `core.provider.Translated` of `ai/run`: the provider's own request; its answer in Cloudflare's envelope."""

    path: str
    body: bytes
    is_stream: bool
    is_enveloped: bool  # by the provider itself
    query: bytes = b""
    stream_type: bytes = b"text/event-stream"
    translated: Translated | None = None  # where it is OpenAI's request, and the provider speaks another format

    def answer(self, body: bytes) -> bytes:
        """See Translated. What is no JSON goes through as it is, and so does an error under a good status."""
        if self.is_enveloped:
            return body
        if self.translated is not None:
            body = self.translated.answer(body)
        try:
            if is_error(body):
                return body
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return body
        return b'{"result":' + body + b',"success":true,"errors":[],"messages":[]}'

    def error(self, body: bytes) -> bytes:
        """See Translated: the provider's own."""
        return body if self.translated is None else self.translated.error(body)

    def stream(self) -> StreamTranslation:
        """See Translated."""
        return _Passed() if self.translated is None else self.translated.stream()


class _Input(Struct):
    model: str
    input: dict[str, Raw]


_input = msgspec.json.Decoder(_Input)


class RestEndpoint:
    """Turns REST requests into requests for providers."""

    def __init__(self, compat: CompatEndpoint) -> None:
        self._compat = compat

    def read(self, exchange: Exchange) -> Named:
        """What a request names. Raises GatewayError: 404 for a path that is not there, 400 for a body."""
        path = exchange.rest
        if path != RUN and not path.startswith(V1):
            raise GatewayError(404, NO_ROUTE, f"Could not route to {path[:64]}: there are {RUN} and {V1}…")
        if exchange.method != "POST":
            raise GatewayError(405, NO_ROUTE, f"{path} takes POST, not {exchange.method}")
        if path != RUN:
            endpoint = path.removeprefix(V1)
            while endpoint.startswith("v1/"):  # Anthropic's clients add it to their base URL
                endpoint = endpoint.removeprefix("v1/")
            if endpoint not in POSTED:
                there = ", ".join((*(V1 + each for each in POSTED), RUN))
                raise GatewayError(404, NO_ROUTE, f"There is no {path[:64]}; there are {there}")
            return self._named(path, endpoint, decode_fields(exchange.body), exchange.body)
        try:
            sent = _input.decode(exchange.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise GatewayError(400, BAD_FORMAT, f"Expected {{model, input}}: {problem}") from None
        fields = {"model": Raw(msgspec.json.encode(sent.model)), "input": Raw(msgspec.json.encode(sent.input))}
        if exchange.query:
            raise GatewayError(400, BAD_FORMAT, f"{RUN} takes no query")
        named = self._named(path, RUN, fields, exchange.body)
        return _chat_of_route(named, sent.input) if named.prefix == DYNAMIC else named._replace(fields=sent.input)

    def _named(self, path: str, endpoint: str, fields: dict[str, Raw], body: bytes) -> Named:
        prefix, model = self._compat.split_model(_author_as_provider(fields.get("model")))
        return Named(path, endpoint, fields, body, prefix, model)

    def enter(self, exchange: Exchange, named: Named) -> None:
        """Set the exchange on its way. Raises GatewayError, as CompatEndpoint.resolve does."""
        if named.endpoint == RUN:
            self._compat.take(exchange, self._run(exchange, named))
        else:
            self._compat.enter(exchange, named)

    def _run(self, exchange: Exchange, named: Named) -> Meant:
        target = self._compat.target(exchange.gateway.account_id, named)
        provider = target.provider
        path, body = _native(named, provider.slug, compatible_of(provider).chat, compatible_of(provider).embeddings)
        asked = provider.read_request(path, "application/json", body)
        is_stream = asked.stream or path.endswith("?alt=sse")
        path, _, query = path.partition("?")
        call = RunCall(
            path=path,
            query=query.encode(),
            body=body,
            is_stream=is_stream,
            is_enveloped=provider.slug == _WORKERS_AI,
        )
        compat = Compat(
            path=RUN,
            provider=provider.slug.encode(),
            model=named.model.encode(),
            body=body,
            translated=call,
            form=b"run",
        )
        headers = own_headers(exchange.headers, compatible_of(provider).translation)
        return Meant(target, path, call.query, headers, "application/json", compat)


def _chat_of_route(named: Named, fields: dict[str, Raw]) -> Named:
    """A route's models may be any provider's, so that only OpenAI's chat is the same request for all of them."""
    if "messages" not in fields:
        message = (
            f"input: a dynamic route takes messages at {RUN}; ask for others at"
            f" {V1}{EMBEDDINGS}, {V1}{RESPONSES} or {V1}{MESSAGES}"
        )
        raise GatewayError(400, BAD_FORMAT, message)
    fields = {**fields, "model": Raw(msgspec.json.encode(f"{DYNAMIC}/{named.model}"))}
    return named._replace(endpoint=CHAT, fields=fields, body=msgspec.json.encode(fields))


def as_run(meant: Meant) -> Meant:
    """The same chat completion asked for at `ai/run`: its answer is the `result` of Cloudflare's envelope."""
    compat, provider = meant.compat, meant.target.provider
    assert compat is not None  # noqa: S101  a route's models are asked at the compatible endpoint
    inner, headers = compat.translated, meant.headers
    if inner is None:  # its answer is read here, as a translated one is
        is_stream = provider.read_request(meant.rest, "application/json", compat.body).stream
        call = RunCall(
            path=meant.rest, query=meant.query, body=compat.body, is_stream=is_stream, is_enveloped=False
        )
        headers = own_headers(headers, None)
    else:
        call = RunCall(
            path=inner.path,
            query=inner.query,
            body=inner.body,
            is_stream=inner.is_stream,
            is_enveloped=False,
            stream_type=inner.stream_type,
            translated=inner,
        )
    compat.translated, compat.form = call, b"run"
    return meant._replace(headers=headers, content_type="application/json")


def refuse_keyless(target: Target, headers: Headers, key: str) -> None:
    """Refuse a request that has no key of its provider's, its own or a stored one; raises GatewayError (402).

    A custom provider's own headers may hold one.
    """
    names = target.provider.credential_headers
    if target.headers or key or any(name in names or name in CREDENTIAL_HEADERS for name, _ in headers):
        return
    wanted = ", ".join(sorted(name.decode() for name in names))
    message = (
        f"There is no key for {target.provider.slug}: nothing is billed through the gateway. Store one in it, or"
        f" send the provider's own ({wanted}), and the gateway's token in cf-aig-authorization where both would be"
        " in authorization"
    )
    raise GatewayError(402, NO_KEY, message)


def take_token(sent: Sorted) -> None:
    """A bearer token is the gateway's here, unless `cf-aig-authorization` is; it goes nowhere else."""
    if sent.options.token is not None:
        return
    kept: Headers = []
    for name, value in sent.upstream:
        if name == b"authorization" and sent.options.token is None:
            sent.options.token = bare_credential(value)
        else:
            kept.append((name, value))
    sent.upstream = kept


def _author_as_provider(named: Raw | None) -> Raw | None:
    """The model's name with the provider in place of the author; what is no text stays as it is."""
    if named is None:
        return None
    try:
        text = msgspec.json.decode(named, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return named
    if text.startswith(_WORKERS_AI_MODEL):
        text = f"{_WORKERS_AI}/{text}"
    author, slash, model = text.partition("/")
    return Raw(msgspec.json.encode(AUTHORS.get(author, author) + slash + model))


def _native(named: Named, slug: str, chat: str | None, embeddings: str | None) -> tuple[str, bytes]:
    """Path and body of the provider's own request: the one that the input's fields belong to."""
    model, fields = named.model, named.fields
    if slug == _WORKERS_AI:
        return f"run/{model}", msgspec.json.encode(fields)
    if slug == "google-ai-studio" and "contents" in fields:
        streams = bytes(fields.pop("stream", Raw(b"false"))) == b"true"
        verb = "streamGenerateContent?alt=sse" if streams else "generateContent"
        return f"v1beta/models/{quote(model, safe='')}:{verb}", msgspec.json.encode(fields)
    path = None
    if "messages" in fields:
        path = "v1/messages" if slug == "anthropic" else chat
    elif "input" in fields:
        path = "responses" if slug == "openai" and "embedding" not in model else embeddings
    if path is None:
        message = f"input: its fields belong to no request of {slug} that can be told; use the provider's own path"
        raise GatewayError(400, INVALID_PROVIDER if chat is None else BAD_FORMAT, message)
    return path, msgspec.json.encode({**fields, "model": Raw(msgspec.json.encode(model))})
