"""Who calls the home of Evals, and for which gateway."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from msgspec import Struct

from gaugeway.core import ids
from gaugeway.core.errors import NotFound
from gaugeway.core.model import Permission, Scope, Token
from gaugeway.management.authentication import TokenBook, credentials
from gaugeway.management.envelope import AUTHENTICATION, ApiError
from gaugeway.management.parts import Parts

GATEWAY_HEADER = "cf-aig-gateway-id"
USUAL_GATEWAY = "default"
_READING = ("GET", "HEAD")


class EvalCall(Struct, frozen=True):
    """Who asks, and in which gateway."""

    parts: Parts
    token: Token
    scope: Scope
    url: str  # where clients reach this server

    def new_id(self, kind: str) -> str:
        """An id as OpenAI's look: a word for its kind, and 32 hex digits whose order is that of time."""
        return f"{kind}_{UUID(self.parts.new_id()).hex}"


async def _current_call(request: Request) -> EvalCall:
    parts: Parts = request.app.state.parts
    book: TokenBook = request.app.state.book
    try:
        text, _ = credentials(request.headers)
    except ApiError as problem:
        raise ApiError(401, AUTHENTICATION, "Missing the API key: a token of this gateway is expected") from problem
    token = await book.find(text) if text else None
    if token is None:
        raise ApiError(401, AUTHENTICATION, "Incorrect API key provided: a token of this gateway is expected")
    wanted = Permission.READ if request.method in _READING else Permission.WRITE
    if not token.allows(wanted):
        raise ApiError(403, AUTHENTICATION, f"This token may not do this: it needs '{wanted.value}'")
    gateway_id = request.headers.get(GATEWAY_HEADER, USUAL_GATEWAY)
    scope = Scope(token.account_id, gateway_id)
    if not ids.is_gateway_id(gateway_id) or parts.gateways.get(scope) is None:
        raise NotFound(f"there is no gateway '{gateway_id[:64]}': name one in the header {GATEWAY_HEADER}")
    return EvalCall(parts, token, scope, parts.public_url(request))


EvalCaller = Annotated[EvalCall, Depends(_current_call)]
