"""The data plane's own answers, in Cloudflare's shape (contract 3.5)."""

from __future__ import annotations

import msgspec

from gaugeway.core.errors import GatewayError, RateLimited, SpendLimited
from gaugeway.proxy.exchange import Connection, Exchange, Headers, Reply

NO_GATEWAY = 2001
RATE_LIMITED = 2003
SPEND_LIMITED = 2045
PROVIDER_FAILED = 2005
INVALID_PROVIDER = 2008
UNAUTHORIZED = 2009
NO_KEY = 2021
"""Cloudflare's for requests that nothing can be billed for."""
BAD_CREDENTIALS = 2047
"""Cloudflare's "Invalid User Credentials"."""
BAD_HEADER = 7001
"""The code of a 400 for a header that cannot be honoured. Cloudflare documents none; this is its code for
input validation."""
INTERNAL = 2000
TOO_LARGE = 2413
NO_ROUTE = 7003
BAD_FORMAT = 2019
"""Cloudflare's "Chat completion bad format": the body, or a parameter with no counterpart."""

_AS_USER_INPUT = frozenset((INVALID_PROVIDER, BAD_FORMAT))


def refusal(exchange: Exchange, error: GatewayError) -> Reply:
    """An error as the answer to a request, in the shape of its door."""
    return rest_error_reply(error) if exchange.is_rest else error_reply(error)


def rest_error_reply(error: GatewayError) -> Reply:
    """For REST inference: in the envelope of Cloudflare's API; what the request names wrongly is 7003."""
    code = NO_ROUTE if error.code in _AS_USER_INPUT else error.code
    status = 404 if error.code == INVALID_PROVIDER and error.status == 400 else error.status
    errors = [{"code": code, "message": error.message}]
    body = msgspec.json.encode({"success": False, "result": None, "errors": errors, "messages": []})
    return Reply(status=status, headers=_headers(error), body=body)


def error_reply(error: GatewayError) -> Reply:
    """A refusal or failure as an answer. `error` is an array there, and the message stands four times.

    Of a spend limit's refusal, `description` says more.
    """
    description = error.detail if isinstance(error, SpendLimited) else error.message
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
            "description": description,
        }
    )
    return Reply(status=error.status, headers=_headers(error), body=body)


def send_error(connection: Connection, error: GatewayError) -> None:
    """Answer with an error outside of any exchange."""
    send_plainly(error_reply(error), connection)


def send_plainly(reply: Reply, connection: Connection) -> None:
    """Answer outside of any exchange: without the gateway's own headers."""
    body = reply.body or b""
    connection.send_whole(reply.status, [*reply.headers, (b"content-length", b"%d" % len(body))], body)


def _headers(error: GatewayError) -> Headers:
    headers = [(b"content-type", b"application/json")]
    if isinstance(error, SpendLimited | RateLimited) and error.wait_ms is not None:
        headers.append((b"retry-after", b"%d" % -(-error.wait_ms // 1000)))
    return headers
