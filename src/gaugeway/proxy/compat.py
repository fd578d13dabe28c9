"""The OpenAI-compatible endpoint (contract 3.1, 3.4): which provider, which model, and what it is sent.

A request for `compat/chat/completions` names its model `{provider}/{model}`. A provider that takes OpenAI's format
is sent the body as it came, but for the model's name; for the others the request is translated, and its answer is
translated back (see translating.py). From here on it is a request for that provider, whatever the phase.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import Raw

from gaugeway.core import ids, price_list
from gaugeway.core.errors import BadInput, GatewayError, Path
from gaugeway.core.model import Outcome
from gaugeway.core.ports import Clock
from gaugeway.core.provider import Compatible, Dialect, Provider, Translated, Translation, compatible_of
from gaugeway.core.stored_keys import StoredKey
from gaugeway.proxy.answers import BAD_FORMAT, INVALID_PROVIDER, NO_ROUTE
from gaugeway.proxy.credentials import CREDENTIAL_HEADERS, bare_credential
from gaugeway.proxy.directory import CUSTOM_PREFIX, Directory
from gaugeway.proxy.exchange import Compat, Exchange, Headers, Reply, Target

SLUG = "compat"
ALIASES = {"perplexity": "perplexity-ai", "xai": "grok"}
"""Other names for providers in front of a model (contract 3.4)."""

CHAT, EMBEDDINGS, MODELS = "chat/completions", "embeddings", "models"
RESPONSES, MESSAGES = "responses", "messages"
POSTED = (CHAT, EMBEDDINGS, RESPONSES, MESSAGES)
DYNAMIC = "dynamic"
MAX_MODEL = 256

_REPLACED = CREDENTIAL_HEADERS | {b"content-type", b"content-encoding", b"accept", b"accept-encoding"}
"""Headers of a translated request that speak of the body, or of OpenAI's API; the provider gets its own instead."""

_KEYS = (b"authorization", b"x-api-key")
"""Where OpenAI's and Anthropic's clients send the one key they know."""

_OAUTH = b"sk-ant-oat"
"""How the tokens of Claude's subscribers begin."""

_fields = msgspec.json.Decoder(dict[str, Raw])


class Meant(NamedTuple):
    """The provider's request that a request of this endpoint stands for."""

    target: Target
    rest: str
    query: bytes
    headers: Headers
    content_type: str
    compat: Compat | None
    key: str = ""  # see Exchange.key
    stored_key: StoredKey | None = None


class Named(NamedTuple):
    """A request of this endpoint, its body read."""

    path: str  # as the client called it, from the gateway on
    endpoint: str
    fields: dict[str, Raw]  # of its body
    body: bytes
    prefix: str  # the provider that its model names, or DYNAMIC
    model: str


class CompatEndpoint:
    """Turns requests of the OpenAI-compatible endpoint into requests for providers."""

    def __init__(self, directory: Directory, clock: Clock, dialects: Mapping[str, Dialect]) -> None:
        self._directory = directory
        self._dialects = dialects
        self._clock = clock
        self._models: dict[str, list[dict[str, object]]] | None = None

    def enter(self, exchange: Exchange, named: Named) -> None:
        """Set the exchange on its way to the provider that its model names. Raises GatewayError, as `resolve`."""
        meant = self.resolve(
            exchange.gateway.account_id,
            exchange.log_id,
            named,
            query=exchange.query,
            headers=exchange.headers,
            content_type=exchange.content_type,
        )
        self.take(exchange, meant)

    def take(self, exchange: Exchange, meant: Meant) -> None:
        """Let the exchange be the provider's request that it means."""
        exchange.slug, exchange.rest, exchange.query = meant.target.provider.slug, meant.rest, meant.query
        exchange.headers, exchange.content_type, exchange.compat = meant.headers, meant.content_type, meant.compat

    def read(self, method: str, rest: str, body: bytes) -> Named:
        """What a request for `compat/{rest}` names; raises GatewayError (400) where that is nothing known."""
        endpoint = _endpoint(rest, method)
        fields = decode_fields(body)
        prefix, model = self.split_model(fields.get("model"))
        return Named(f"{SLUG}/{rest}", endpoint, fields, body, prefix, model)

    def resolve(
        self,
        account_id: str,
        log_id: bytes,
        named: Named,
        *,
        query: bytes,
        headers: Headers,
        content_type: str,
    ) -> Meant:
        """The provider's request that it means.

        Raises GatewayError: 400 for a model or a parameter that cannot be served, naming it.
        """
        endpoint, fields, body, model = named.endpoint, named.fields, named.body, named.model
        target = self.target(account_id, named)
        slug, compatible = target.provider.slug, compatible_of(target.provider)
        path = native_path(compatible, endpoint)
        compat = Compat(path=named.path, provider=slug.encode(), model=model.encode(), body=b"")
        if endpoint in self._dialects:
            compat.form = endpoint.encode()
        if path is not None:
            if endpoint == MESSAGES and compatible.translation is not None:
                headers = as_anthropics(headers, compatible.translation)
            fields["model"] = Raw(msgspec.json.encode(model))
            compat.body = msgspec.json.encode(fields)
            return Meant(target, path, query, headers, content_type, compat)
        if serves(target.provider, EMBEDDINGS if endpoint == EMBEDDINGS else CHAT):
            if query:
                raise GatewayError(400, BAD_FORMAT, "A query cannot be translated for this provider; leave it out")
            translated = self._translate(log_id, compatible, endpoint, model, body)
            compat.body, compat.translated = translated.body, translated
            if endpoint == MESSAGES:
                headers = without_anthropics(headers)
            is_openais = compatible.chat is not None and endpoint != EMBEDDINGS
            own = own_headers(headers, None if is_openais else _translation(compatible, endpoint))
            return Meant(target, translated.path, translated.query, own, "application/json", compat)
        message = f"The provider {slug} is not served at {named.path[:64]}; {self._served(endpoint)}"
        raise GatewayError(400, INVALID_PROVIDER, message)

    def target(self, account_id: str, named: Named) -> Target:
        """The provider that a model names; raises GatewayError (400) where there is none."""
        target = self._directory.target(account_id, ALIASES.get(named.prefix, named.prefix))
        if isinstance(target, str):
            message = f"Invalid provider in model {named.prefix}/{named.model}: {target}"
            raise GatewayError(400, INVALID_PROVIDER, message)
        return target

    def split_model(self, named: Raw | None) -> tuple[str, str]:
        """Prefix and model of `{provider}/{model}`; raises GatewayError (400) for anything else."""
        if named is None:
            raise GatewayError(400, BAD_FORMAT, "model: is missing; name it {provider}/{model}")
        try:
            text = msgspec.json.decode(named, type=str)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise GatewayError(400, BAD_FORMAT, "model: expected a text of the form {provider}/{model}") from None
        if len(text) > MAX_MODEL or not text.isprintable():
            raise GatewayError(400, BAD_FORMAT, f"model: expected at most {MAX_MODEL} printable characters")
        prefix, slash, model = text.partition("/")
        known = (
            slash
            and model
            and (
                prefix in ALIASES
                or prefix == DYNAMIC
                or prefix.startswith(CUSTOM_PREFIX)
                or prefix in self._directory.providers
            )
        )
        if not known:
            raise GatewayError(
                400, INVALID_PROVIDER, f"model: {text!r} does not begin with a provider; {self._served(CHAT)}"
            )
        return prefix, model

    def _served(self, endpoint: str) -> str:
        """What there is, in words."""
        slugs = [slug for slug, provider in sorted(self._directory.providers.items()) if serves(provider, endpoint)]
        return f"there are: {', '.join(slug + '/…' for slug in slugs)}, {CUSTOM_PREFIX}{{slug}}/…"

    def _translate(
        self, log_id: bytes, compatible: Compatible, endpoint: str, model: str, body: bytes
    ) -> Translated:
        reply_id, created = "chatcmpl-" + ids.to_text(log_id), self._clock.now_ms() // 1000
        dialect = self._dialects.get(endpoint)
        try:
            if dialect is not None:
                return dialect.request(model, body, compatible, reply_id=reply_id, created=created)
            translation = _translation(compatible, endpoint)
            assert translation is not None  # noqa: S101  it has no path of its own
            return translation.request(model, body, reply_id=reply_id, created=created)
        except BadInput as problem:
            where = _as_text(problem.path)
            raise GatewayError(
                400, BAD_FORMAT, f"{where}: {problem.message}" if where else problem.message
            ) from None

    async def list_models(self, exchange: Exchange) -> Reply:
        """Known models. No request to any model, so that it leaves no log among those that are."""
        if self._models is None:
            self._models = await asyncio.to_thread(_known_models, self._directory.providers)
        body = msgspec.json.encode(
            {"object": "list", "data": [model for models in self._models.values() for model in models]}
        )
        exchange.options.collect_log = False
        exchange.end(Outcome.SUCCESS)
        return Reply(status=200, headers=[(b"content-type", b"application/json")], body=body)


def names_for_routes(providers: Mapping[str, Provider]) -> frozenset[str]:
    """The names of the built-in providers whose models a dynamic route can ask."""
    served = {slug for slug, each in providers.items() if serves(each, CHAT) or serves(each, EMBEDDINGS)}
    return frozenset(served | {alias for alias, slug in ALIASES.items() if slug in served})


def native_path(compatible: Compatible, endpoint: str) -> str | None:
    """Where the provider takes what that endpoint takes, as it is."""
    paths = {
        CHAT: compatible.chat,
        EMBEDDINGS: compatible.embeddings,
        RESPONSES: compatible.responses,
        MESSAGES: compatible.messages,
    }
    return paths[endpoint]


def _translation(compatible: Compatible, endpoint: str) -> Translation | None:
    return compatible.embedding_translation if endpoint == EMBEDDINGS else compatible.translation


def serves(provider: Provider, endpoint: str) -> bool:
    """Whether the provider can be reached at that path of the OpenAI-compatible endpoint."""
    compatible: Compatible = compatible_of(provider)
    if endpoint == EMBEDDINGS:
        return compatible.embeddings is not None or compatible.embedding_translation is not None
    return compatible.chat is not None or compatible.translation is not None


def asks_for_models(rest: str, method: str) -> bool:
    """Whether it is the list of models that is asked for; raises GatewayError where it is nothing there is."""
    return _endpoint(rest, method) == MODELS


def _endpoint(rest: str, method: str) -> str:
    """What is asked for, once the path and method are in order."""
    path = rest.strip("/")
    while path.startswith("v1/"):
        path = path.removeprefix("v1/")
    if path not in (*POSTED, MODELS):
        there = ", ".join(f"{SLUG}/{each}" for each in (*POSTED, MODELS))
        raise GatewayError(404, NO_ROUTE, f"There is no {SLUG}/{path[:64]}; there are {there}")
    wanted = "GET" if path == MODELS else "POST"
    if method != wanted:
        raise GatewayError(405, NO_ROUTE, f"{SLUG}/{path} takes {wanted}, not {method}")
    return path


def _as_text(path: Path) -> str:
    """`messages[0].content` of ("messages", 0, "content")."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def decode_fields(body: bytes) -> dict[str, Raw]:
    """The fields of a body that is a JSON object; raises GatewayError (400) for another."""
    try:
        return _fields.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise GatewayError(400, BAD_FORMAT, f"The body must be a JSON object with a model: {problem}") from None


def without_anthropics(headers: Headers) -> Headers:
    """The headers without those that speak of Anthropic's API."""
    return [pair for pair in headers if not pair[0].startswith(b"anthropic-")]


def as_anthropics(headers: Headers, translation: Translation) -> Headers:
    """The headers as Anthropic wants them of its own clients: its version, and the key in its header.

    What Claude's subscribers sign in with stays a bearer's.
    """
    there = {name for name, _ in headers}
    kept: Headers = []
    for name, value in headers:
        is_key = name == b"authorization" and translation.key_header not in there
        if is_key and not bare_credential(value).startswith(_OAUTH):
            kept.append((translation.key_header, bare_credential(value)))
        else:
            kept.append((name, value))
    return kept + [pair for pair in translation.headers if pair[0] not in there]


def own_headers(headers: Headers, translation: Translation | None) -> Headers:
    """The client's headers as the provider wants them: its key in its own header, nothing of OpenAI's.

    Without a translation the provider is one that takes OpenAI's key as it is.
    """
    kept = [pair for pair in headers if pair[0] not in _REPLACED and not pair[0].startswith(b"openai-")]
    if translation is None:
        kept += _bearer(headers)
    else:
        kept += _key_and_defaults(headers, translation, {name for name, _ in kept})
    return [*kept, (b"content-type", b"application/json"), (b"accept-encoding", b"identity")]


def _bearer(headers: Headers) -> Headers:
    """The key as a bearer's; Anthropic's clients send it in a header of their own."""
    keys = {name: value for name, value in headers if name in _KEYS}
    if b"authorization" in keys:
        return [(b"authorization", keys[b"authorization"])]
    return [(b"authorization", b"Bearer " + value) for value in keys.values()]


def _key_and_defaults(headers: Headers, translation: Translation, there: set[bytes]) -> Headers:
    key = b""
    for name, value in headers:
        if name == translation.key_header or (name in _KEYS and not key):
            key = bare_credential(value)
        if name == translation.key_header:
            break
    if key and translation.key_header == b"authorization":
        key = b"Bearer " + key
    own = [(translation.key_header, key)] if key else []
    return own + [pair for pair in translation.headers if pair[0] not in there]


def _known_models(providers: Mapping[str, Provider]) -> dict[str, list[dict[str, object]]]:
    """The models with a public price, by provider. Others can be asked for just as well."""
    return {
        slug: [
            {"id": f"{slug}/{name}", "object": "model", "created": 0, "owned_by": slug}
            for name in price_list.models(provider.price_id)
        ]
        for slug, provider in sorted(providers.items())
        if provider.price_id is not None and (serves(provider, CHAT) or serves(provider, EMBEDDINGS))
    }
