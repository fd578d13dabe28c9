"""Whether a token is good: `GET /client/v4/user/tokens/verify`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.parts import Caller
from gaugeway.management.paths import VERIFY_PATH
from gaugeway.management.refusals import NO_QUERY

router = APIRouter(tags=["Tokens"])


@router.get(VERIFY_PATH, summary="Verify a token", dependencies=[NO_QUERY])
async def verify_token(call: Caller) -> Response:
    """An expired or unknown token never gets here: it is answered with 401."""
    verified: dict[str, Any] = {"id": call.token.id, "status": "active"}
    if call.token.expires_at is not None:
        verified["expires_on"] = to_rfc3339(call.token.expires_at)
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return envelope.result(verified, [message])
