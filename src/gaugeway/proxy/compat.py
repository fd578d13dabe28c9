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
from gaugeway.core.provider import Compatible, Provider, Translated, Translation, compatible_of
from gaugeway.proxy.answers import INVALID_PROVIDER, NO_ROUTE
from gaugeway.proxy.directory import CUSTOM_PREFIX, Directory
from gaugeway.proxy.exchange import Compat, Exchange, Headers, Reply, Target
from gaugeway.proxy.headers import CREDENTIAL_HEADERS, bare_credential

SLUG = "compat"
BAD_FORMAT = 2019
"""Cloudflare's "Chat completion bad format": the body, or a parameter with no counterpart."""

ALIASES = {"perplexity": "perplexity-ai", "xai": "grok"}
"""Other names for providers in front of a model (contract 3.4)."""

CHAT, EMBEDDINGS, MODELS = "chat/completions", "embeddings", "models"
DYNAMIC = "dynamic"
MAX_MODEL = 256

_REPLACED = CREDENTIAL_HEADERS | {b"content-type", b"content-encoding", b"accept", b"accept-encoding"}
"""Headers of a translated request that speak of the body, or of OpenAI's API; the provider gets its own instead."""

_fields = msgspec.json.Decoder(dict[str, Raw])


class Meant(NamedTuple):
    """The provider's request that a request of this endpoint stands for."""

    target: Target
    rest: str
    query: bytes
    headers: Headers
    content_type: str
    compat: Compat


class CompatEndpoint:
    """Turns requests of the OpenAI-compatible endpoint into requests for providers."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._models: dict[str, list[dict[str, object]]] | None = None

    async def enter(self, exchange: Exchange) -> Reply | None:
        """Set the exchange on its way to the provider that its model names; a Reply for the list of models.

        Raises GatewayError: 400 for a body, a model or a parameter that cannot be served, naming it.
        """
        if _endpoint(exchange.rest, exchange.method) == MODELS:
            return await self._list_models(exchange)
        meant = self.resolve(
            exchange.gateway.account_id,
            exchange.log_id,
            method=exchange.method,
            rest=exchange.rest,
            query=exchange.query,
            headers=exchange.headers,
            content_type=exchange.content_type,
            body=exchange.body,
        )
        exchange.slug, exchange.rest, exchange.query = meant.target.provider.slug, meant.rest, meant.query
        exchange.headers, exchange.content_type, exchange.compat = meant.headers, meant.content_type, meant.compat
        return None

    def resolve(
        self,
        account_id: str,
        log_id: bytes,
        *,
        method: str,
        rest: str,
        query: bytes,
        headers: Headers,
        content_type: str,
        body: bytes,
    ) -> Meant:
        """The request that a request for `compat/{rest}` means. Raises GatewayError, as `enter` does."""
        endpoint = _endpoint(rest, method)
        fields = _decode(body)
        prefix, model = self._split_model(fields.get("model"))
        slug = ALIASES.get(prefix, prefix)
        target = self._directory.target(account_id, slug)
        if isinstance(target, str):
            raise GatewayError(400, INVALID_PROVIDER, f"Invalid provider in model {prefix}/{model}: {target}")
        compatible = compatible_of(target.provider)
        path = compatible.embeddings if endpoint == EMBEDDINGS else compatible.chat
        compat = Compat(path=f"{SLUG}/{rest}", provider=slug.encode(), model=model.encode(), body=b"")
        if path is not None:
            fields["model"] = Raw(msgspec.json.encode(model))
            compat.body = msgspec.json.encode(fields)
            return Meant(target, path, query, headers, content_type, compat)
        if endpoint == CHAT and compatible.translation is not None:
            if query:
                raise GatewayError(400, BAD_FORMAT, "A query cannot be translated for this provider; leave it out")
            translated = self._translate(log_id, compatible.translation, model, body)
            compat.body, compat.translated = translated.body, translated
            own = _own_headers(headers, compatible.translation)
            return Meant(target, translated.path, translated.query, own, "application/json", compat)
        message = f"The provider {slug} is not served at {SLUG}/{endpoint}; {self._served(endpoint)}"
        raise GatewayError(400, INVALID_PROVIDER, message)

    def _split_model(self, named: Raw | None) -> tuple[str, str]:
        """Prefix and model of `{provider}/{model}`."""
        if named is None:
            raise GatewayError(400, BAD_FORMAT, "model: is missing; name it {provider}/{model}")
        try:
            text = msgspec.json.decode(named, type=str)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise GatewayError(400, BAD_FORMAT, "model: expected a text of the form {provider}/{model}") from None
        if len(text) > MAX_MODEL or not text.isprintable():
            raise GatewayError(400, BAD_FORMAT, f"model: expected at most {MAX_MODEL} printable characters")
        prefix, slash, model = text.partition("/")
        if prefix == DYNAMIC:
            raise GatewayError(
                400,
                BAD_FORMAT,
                f"model: {text!r} is a dynamic route, which this version has not; name a provider's model",
            )
        known = (
            slash
            and model
            and (prefix in ALIASES or prefix.startswith(CUSTOM_PREFIX) or prefix in self._directory.providers)
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

    def _translate(self, log_id: bytes, translation: Translation, model: str, body: bytes) -> Translated:
        try:
            return translation.request(
                model,
                body,
                reply_id="chatcmpl-" + ids.to_text(log_id),
                created=self._clock.now_ms() // 1000,
            )
        except BadInput as problem:
            where = _as_text(problem.path)
            raise GatewayError(
                400, BAD_FORMAT, f"{where}: {problem.message}" if where else problem.message
            ) from None

    async def _list_models(self, exchange: Exchange) -> Reply:
        """Known models. No request to any model, so that it leaves no log among those that are."""
        if self._models is None:
            self._models = await asyncio.to_thread(_known_models, self._directory.providers)
        body = msgspec.json.encode(
            {"object": "list", "data": [model for models in self._models.values() for model in models]}
        )
        exchange.options.collect_log = False
        exchange.end(Outcome.SUCCESS)
        return Reply(status=200, headers=[(b"content-type", b"application/json")], body=body)


def serves(provider: Provider, endpoint: str) -> bool:
    """Whether the provider can be reached at that path of the OpenAI-compatible endpoint."""
    compatible: Compatible = compatible_of(provider)
    if endpoint == EMBEDDINGS:
        return compatible.embeddings is not None
    return compatible.chat is not None or compatible.translation is not None


def _endpoint(rest: str, method: str) -> str:
    """What is asked for, once the path and method are in order."""
    path = rest.strip("/")
    while path.startswith("v1/"):
        path = path.removeprefix("v1/")
    if path not in (CHAT, EMBEDDINGS, MODELS):
        raise GatewayError(
            404,
            NO_ROUTE,
            f"There is no {SLUG}/{path[:64]}; there are {SLUG}/{CHAT}, {SLUG}/{EMBEDDINGS}, {SLUG}/{MODELS}",
        )
    wanted = "GET" if path == MODELS else "POST"
    if method != wanted:
        raise GatewayError(405, NO_ROUTE, f"{SLUG}/{path} takes {wanted}, not {method}")
    return path


def _as_text(path: Path) -> str:
    """`messages[0].content` of ("messages", 0, "content")."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _decode(body: bytes) -> dict[str, Raw]:
    try:
        return _fields.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise GatewayError(400, BAD_FORMAT, f"The body must be a JSON object with a model: {problem}") from None


def _own_headers(headers: Headers, translation: Translation) -> Headers:
    """The client's headers as the provider wants them: its key in its own header, nothing of OpenAI's."""
    kept = [pair for pair in headers if pair[0] not in _REPLACED and not pair[0].startswith(b"openai-")]
    key = b""
    for name, value in headers:
        if name == translation.key_header or (name == b"authorization" and not key):
            key = bare_credential(value)
        if name == translation.key_header:
            break
    if key:
        kept.append((translation.key_header, key))
    names = {name for name, _ in kept}
    kept += [pair for pair in translation.headers if pair[0] not in names]
    return [*kept, (b"content-type", b"application/json"), (b"accept-encoding", b"identity")]


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
