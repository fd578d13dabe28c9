"""The data plane's own answers, in Cloudflare's shape (contract 3.5)."""

from __future__ import annotations

import msgspec

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.exchange import Reply

NO_GATEWAY = 2001
RATE_LIMITED = 2003
PROVIDER_FAILED = 2005
INVALID_PROVIDER = 2008
UNAUTHORIZED = 2009
INTERNAL = 2000
TOO_LARGE = 2413
NO_ROUTE = 7003


def error_reply(error: GatewayError) -> Reply:
    """A refusal or failure as an answer. `error` is an array there, and the message stands four times."""
    body = msgspec.json.encode(
        {
            "success": False,
            "result": [],
            "messages": [],
            "error": [{"code": error.code, "message": error.message}],
            "name": "AiGatewayError",
            "httpCode": error.status,
            "internalCode": error.code,
            "message": error.message,
            "description": error.message,
        }
    )
    return Reply(status=error.status, headers=[(b"content-type", b"application/json")], body=body)
