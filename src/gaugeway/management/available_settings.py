"""Which of a gateway's settings this version acts on: an extension, for pages that show them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from gaugeway.management import envelope
from gaugeway.management.gateway_settings import GatewaySettings
from gaugeway.management.parts import Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.unenforced import UNENFORCED

router = APIRouter(prefix="/gateway-settings", tags=["Gateways"])


@router.get("", summary="List the settings of gateways", dependencies=[NO_QUERY])
def list_settings(_call: Caller) -> Response:
    """Every setting by name; where `available` is false, `note` says what is not there and what to send."""
    return envelope.result(
        [
            {"name": name, "available": name not in UNENFORCED, "note": UNENFORCED.get(name, (None, None))[1]}
            for name in GatewaySettings.model_fields
        ]
    )
