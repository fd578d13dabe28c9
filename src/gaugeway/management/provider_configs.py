"""Stored provider keys (contract 1.9). A key is shown to nobody once it is stored."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec.structs import replace
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import CustomProvider, Gateway
from gaugeway.core.stored_keys import ProviderConfig
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body

router = APIRouter(prefix="/gateways/{gateway_id}/provider_configs", tags=["Provider keys"])

CUSTOM_PREFIX = "custom-"
SHOWN = 4  # last characters of a key
SHORTEST_SHOWN = 16  # characters of a key of which the last ones are shown

Alias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Secret = Annotated[str, Field(min_length=1, max_length=16 * 1024)]


def _whole(value: Any) -> Any:
    """The SDKs send these as floating-point numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Limit = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=1_000_000_000)]


class ProviderConfigChange(Body):
    """The body of PUT: another key, and what else is to change."""

    secret: Secret
    default_config: bool | None = None
    rate_limit: Limit | None = None
    rate_limit_period: Limit | None = None


class NewProviderConfig(Body):
    """The body of POST."""

    alias: Alias
    default_config: bool
    provider_slug: Annotated[str, Field(min_length=1, max_length=80)]
    secret: Secret | None = None
    secret_id: str | None = None
    rate_limit: Limit | None = None
    rate_limit_period: Limit = 60


class ProviderConfigList(Paged):
    """The query of a list of stored keys."""


def show(config: ProviderConfig) -> dict[str, Any]:
    """A stored key as the API shows it; its secret's id is its own."""
    shown: dict[str, Any] = {
        "id": config.id,
        "alias": config.alias,
        "default_config": config.default_config,
        "gateway_id": config.gateway_id,
        "created_at": to_rfc3339(config.created_at),
        "modified_at": to_rfc3339(config.modified_at),
        "provider_slug": config.provider_slug,
        "secret_id": config.id,
        "secret_preview": config.secret_preview,
    }
    if config.rate_limit is not None:
        shown |= {"rate_limit": config.rate_limit, "rate_limit_period": config.rate_limit_period}
    return shown


@router.get("", summary="List stored provider keys")
def list_configs(call: Caller, gateway: NamedGateway, query: Annotated[ProviderConfigList, InQuery()]) -> Response:
    """Newest first. Never the keys themselves."""
    part = call.parts.provider_configs.list(gateway.scope, offset=query.offset, limit=query.per_page)
    return envelope.page([show(config) for config in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Store a provider key", dependencies=[NO_QUERY])
def create_config(call: Caller, gateway: NamedGateway, body: NewProviderConfig) -> Response:
    """Spent for requests without a key of their own that carry a token with AI Gateway Run."""
    if body.secret_id is not None:
        raise BadInput("There is no Secrets Store here: send the key itself as secret", ("body", "secret_id"))
    if body.secret is None:
        raise BadInput("Required", ("body", "secret"))
    custom = _custom_provider(call, body.provider_slug)
    key = _checked_key(call, body.provider_slug, body.secret)
    now = call.parts.clock.now_ms()
    config = ProviderConfig(
        account_id=call.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id(),
        provider_slug=body.provider_slug,
        alias=body.alias,
        secret_preview=preview(key),
        created_at=now,
        modified_at=now,
        default_config=body.default_config,
        custom_provider_id=None if custom is None else custom.id,
        rate_limit=body.rate_limit,
        rate_limit_period=body.rate_limit_period,
    )
    try:
        call.parts.provider_configs.create(config, key)
    except Conflict as problem:
        message = f"The gateway has a key of the alias '{body.alias}' for {body.provider_slug} already"
        raise Conflict(message, ("body", "alias")) from problem
    return envelope.result(show(config))


@router.put("/{config_id}", summary="Replace a stored provider key", dependencies=[NO_QUERY])
def replace_config(call: Caller, gateway: NamedGateway, config_id: str, body: ProviderConfigChange) -> Response:
    """Another key under the same alias; what else is left out stays as it is."""
    before = _find(call, gateway, config_id)
    key = _checked_key(call, before.provider_slug, body.secret)
    changes = body.model_dump(exclude_unset=True, exclude={"secret"})
    if changes.get("default_config", True) is None or changes.get("rate_limit_period", 1) is None:
        raise BadInput("null is no value here; leave it out", ("body",))
    config = replace(before, secret_preview=preview(key), modified_at=call.parts.clock.now_ms(), **changes)
    call.parts.provider_configs.replace(config, key)
    return envelope.result(show(config))


@router.delete("/{config_id}", summary="Delete a stored provider key", dependencies=[NO_QUERY])
def delete_config(call: Caller, gateway: NamedGateway, config_id: str) -> Response:
    """The key is gone at once."""
    return envelope.result(show(call.parts.provider_configs.delete(gateway.scope, config_id)))


def preview(key: str) -> str:
    """Enough to recognise a key by; of structured or short ones nothing."""
    return "****" + (key[-SHOWN:] if len(key) >= SHORTEST_SHOWN and key[-SHOWN:].isalnum() else "")


def _custom_provider(call: Call, slug: str) -> CustomProvider | None:
    if not slug.startswith(CUSTOM_PREFIX):
        return None
    found = call.parts.custom_providers.find(call.account_id, slug.removeprefix(CUSTOM_PREFIX))
    if found is None:
        raise BadInput("There is no custom provider of that slug in this account", ("body", "provider_slug"))
    return found


def _checked_key(call: Call, slug: str, secret: str) -> str:
    use = call.parts.key_use(slug)
    if use is None:
        slugs = ", ".join(
            sorted(slug for slug in call.parts.provider_slugs if call.parts.key_use(slug) is not None)
        )
        raise BadInput(
            f"No key can be stored for it; providers are {slugs} and custom-…", ("body", "provider_slug")
        )
    key = secret.strip()
    try:
        use.check(key)
    except BadInput as problem:
        raise BadInput(f"This can be no key of {slug}: {problem.message}", ("body", "secret")) from problem
    return key


def _find(call: Call, gateway: Gateway, config_id: str) -> ProviderConfig:
    config = call.parts.provider_configs.get(gateway.scope, config_id)
    if config is None:
        raise NotFound(f"there is no provider config {config_id!r}")
    return config
