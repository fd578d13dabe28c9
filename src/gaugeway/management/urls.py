"""Where a gateway's data plane is (contract 1.5): `…/url/{provider}`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from gaugeway.core.errors import BadInput
from gaugeway.management import envelope
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY

CUSTOM = "custom-"
UNIVERSAL = "universal"  # Cloudflare's word for "no provider"
COMPAT = "compat"  # the OpenAI-compatible endpoint

router = APIRouter(prefix="/gateways/{gateway_id}/url", tags=["Gateways"])


@router.get("/{provider}", summary="Get a gateway's URL for a provider", dependencies=[NO_QUERY])
def get_url(request: Request, call: Caller, gateway: NamedGateway, provider: str) -> Response:
    """The base URL for the provider's own client; `compat` is for OpenAI's, `universal` gives the gateway's."""
    base = f"{call.parts.public_url(request).rstrip('/')}/v1/{gateway.account_id}/{gateway.id}/"
    if provider == UNIVERSAL:
        return envelope.result(base)
    if provider != COMPAT and not _is_served(call, provider):
        slugs = ", ".join(sorted(call.parts.provider_slugs))
        message = f"There is no such provider; there are: {slugs}, {CUSTOM}… for your own, {COMPAT} and {UNIVERSAL}"
        raise BadInput(message, ("params", "provider"))
    return envelope.result(base + provider)


def _is_served(call: Call, provider: str) -> bool:
    if provider in call.parts.provider_slugs:
        return True
    slug = provider.removeprefix(CUSTOM)
    return slug != provider and call.parts.custom_providers.find(call.account_id, slug) is not None
