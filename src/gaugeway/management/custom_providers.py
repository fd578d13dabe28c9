"""Custom providers: upstreams that an account adds itself (contract 1.11)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import AfterValidator, Field
from starlette.responses import Response

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import CustomProvider
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.base_urls import check_base_url
from gaugeway.management.envelope import PROVIDER_EXISTS, PROVIDER_NOT_FOUND, ApiError
from gaugeway.management.logos import draw_logo
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.upstream_headers import check_headers, conceal
from gaugeway.management.validation import Body, Name, SearchText

MAX_HEADERS = 8192  # characters
_CHUNK = 1000

router = APIRouter(prefix="/custom-providers", tags=["Custom providers"])

Slug = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]
Url = Annotated[str, Field(max_length=2048)]
Text = Annotated[str, Field(max_length=10_000)]
Position = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
HeadersText = Annotated[
    str,
    Field(max_length=MAX_HEADERS, description="A JSON object of extra headers that the provider is sent."),
    AfterValidator(check_headers),
]


class NewProvider(Body):
    """The body of POST."""

    name: Name
    slug: Slug
    base_url: Url
    description: Text | None = None
    link: Url | None = None
    enable: bool = False
    beta: bool = False
    curl_example: Text | None = None
    js_example: Text | None = None
    position: Position | None = None
    headers: HeadersText | None = None


class ProviderChange(Body):
    """The body of PATCH: what is left out stays; null clears what can be empty."""

    name: Name = ""
    slug: Slug = ""
    base_url: Url = ""
    description: Text | None = None
    link: Url | None = None
    enable: bool = False
    beta: bool = False
    curl_example: Text | None = None
    js_example: Text | None = None
    position: Position | None = None
    headers: HeadersText | None = None


class ProviderList(Paged):
    """The query of a list of custom providers."""

    beta: bool | None = None
    enable: bool | None = None
    search: SearchText = None

    def matches(self, provider: CustomProvider) -> bool:
        """Whether a provider is asked for; `search` is part of id, name or slug."""
        if self.beta not in (None, provider.beta) or self.enable not in (None, provider.enable):
            return False
        wanted = (self.search or "").casefold()
        return any(wanted in text.casefold() for text in (provider.id, provider.name, provider.slug))


def show(call: Call, provider: CustomProvider) -> dict[str, Any]:
    """A provider as the API shows it. Headers may hold credentials, so only writers see their values."""
    names = [name for name in provider.__struct_fields__ if name != "account_id"]
    shown: dict[str, Any] = {name: getattr(provider, name) for name in names}
    shown["created_at"] = to_rfc3339(provider.created_at)
    shown["modified_at"] = to_rfc3339(provider.modified_at)
    shown["logo"] = draw_logo(provider.name, provider.slug)
    if provider.headers is not None and not call.may_write:
        shown["headers"] = conceal(provider.headers)
    return shown


@router.get("", summary="List custom providers")
def list_providers(call: Caller, query: Annotated[ProviderList, InQuery()]) -> Response:
    """By position (those without one last), then by name."""
    if query.beta is None and query.enable is None and not query.search:
        part = call.parts.custom_providers.list(call.account_id, offset=query.offset, limit=query.per_page)
        items, total = part.items, part.total
    else:
        matching = [provider for provider in _all(call) if query.matches(provider)]
        items, total = matching[query.offset : query.offset + query.per_page], len(matching)
    return envelope.page([show(call, item) for item in items], query.info(len(items), total))


@router.post("", summary="Create a custom provider", dependencies=[NO_QUERY])
def create_provider(call: Caller, body: NewProvider) -> Response:
    """Reached as `custom-{slug}` in the data plane."""
    check_base_url(body.base_url, call.parts)
    now = call.parts.clock.now_ms()
    provider = CustomProvider(
        account_id=call.account_id,
        id=call.parts.new_id(),
        created_at=now,
        modified_at=now,
        **body.model_dump(),
    )
    try:
        call.parts.custom_providers.create(provider)
    except Conflict as problem:
        raise _slug_taken(body.slug) from problem
    return envelope.result(show(call, provider))


@router.get("/{provider_id}", summary="Get a custom provider", dependencies=[NO_QUERY])
def get_provider(call: Caller, provider_id: str) -> Response:
    """One custom provider."""
    return envelope.result(show(call, _find(call, provider_id)))


@router.patch("/{provider_id}", summary="Change a custom provider", dependencies=[NO_QUERY])
def change_provider(call: Caller, provider_id: str, body: ProviderChange) -> Response:
    """Changes the fields that are sent."""
    before = _find(call, provider_id)
    changes = body.model_dump(exclude_unset=True)
    provider = msgspec.structs.replace(before, modified_at=call.parts.clock.now_ms(), **changes)
    if "base_url" in changes:
        check_base_url(provider.base_url, call.parts)
    try:
        call.parts.custom_providers.replace(provider)
    except Conflict as problem:
        raise _slug_taken(provider.slug) from problem
    except NotFound as problem:
        raise _not_found() from problem
    return envelope.result(show(call, provider))


@router.delete("/{provider_id}", summary="Delete a custom provider", dependencies=[NO_QUERY])
def delete_provider(call: Caller, provider_id: str) -> Response:
    """Deletes it; its logs stay."""
    try:
        provider = call.parts.custom_providers.delete(call.account_id, provider_id)
    except NotFound as problem:
        raise _not_found() from problem
    return envelope.result(show(call, provider))


def _all(call: Call) -> list[CustomProvider]:
    found: list[CustomProvider] = []
    while True:
        part = call.parts.custom_providers.list(call.account_id, offset=len(found), limit=_CHUNK)
        found.extend(part.items)
        if len(part.items) < _CHUNK:
            return found


def _find(call: Call, provider_id: str) -> CustomProvider:
    provider = call.parts.custom_providers.get(call.account_id, provider_id)
    if provider is None:
        raise _not_found()
    return provider


def _not_found() -> ApiError:
    return ApiError(404, PROVIDER_NOT_FOUND, "Custom Provider not found")


def _slug_taken(slug: str) -> ApiError:
    message = f"A custom provider with the slug '{slug}' exists already"
    return ApiError(409, PROVIDER_EXISTS, message, ("body", "slug"))
