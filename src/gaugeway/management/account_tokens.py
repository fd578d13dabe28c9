"""An account's API tokens: an extension, as Cloudflare keeps tokens outside AI Gateway.

Nobody can make more than they have: a token gives only permissions that the caller's own has, and ends no later.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.credentials import RANDOM_BYTES, hash_of, token_text
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Permission, Token
from gaugeway.core.timestamps import from_rfc3339, to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.envelope import AUTHENTICATION, ApiError
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Name

router = APIRouter(prefix="/tokens", tags=["Tokens"])

GRANTS = {permission.value: permission for permission in Permission}


class TokenBody(Body):
    """The body of POST."""

    name: Name
    permissions: Annotated[list[str], Field(min_length=1, max_length=len(GRANTS))] = Field(
        description="Of 'AI Gateway Read', 'AI Gateway Write' (includes Read), 'AI Gateway Run' (the data plane)."
    )
    expires_on: str | None = Field(None, description="RFC 3339; left out: when the caller's own token ends.")


def show(call: Call, token: Token) -> dict[str, Any]:
    """A token as the API shows it: never its text, which is not kept."""
    over = token.expires_at is not None and token.expires_at <= call.parts.clock.now_ms()
    return {
        "id": token.id,
        "name": token.name,
        "permissions": [permission.value for permission in token.permissions],
        "email": token.email,
        "created_at": to_rfc3339(token.created_at),
        "expires_on": None if token.expires_at is None else to_rfc3339(token.expires_at),
        "status": "expired" if over else "active",
    }


@router.get("", summary="List tokens")
def list_tokens(call: Caller, query: Annotated[Paged, InQuery()]) -> Response:
    """Newest first, expired ones too."""
    tokens = call.parts.tokens.list(call.account_id)[::-1]
    part = tokens[query.offset : query.offset + query.per_page]
    return envelope.page([show(call, token) for token in part], query.info(len(part), len(tokens)))


@router.post("", summary="Create a token", dependencies=[NO_QUERY])
def create_token(call: Caller, body: TokenBody) -> Response:
    """Its text is in `value`, this once: only its hash is kept."""
    now = call.parts.clock.now_ms()
    permissions = _granted(call, body.permissions)
    text = token_text(secrets.token_bytes(RANDOM_BYTES))
    token = Token(
        id=secrets.token_hex(16),
        account_id=call.account_id,
        name=body.name,
        sha256=hash_of(text),
        permissions=permissions,
        email=call.token.email,
        created_at=now,
        expires_at=_end(call, body.expires_on, now),
    )
    call.parts.tokens.create(token)
    return envelope.result({**show(call, token), "value": text})


@router.delete("/{token_id}", summary="Revoke a token", dependencies=[NO_QUERY])
def revoke_token(call: Caller, token_id: str) -> Response:
    """It opens nothing from now on, and its browser sessions are over. A token that may more cannot be revoked."""
    named = next((token for token in call.parts.tokens.list(call.account_id) if token.id == token_id), None)
    if named is None:
        raise NotFound(f"there is no token {token_id!r}")
    if not all(call.token.allows(permission) for permission in named.permissions):
        raise ApiError(403, AUTHENTICATION, "This token may do more than yours, so yours cannot revoke it")
    return envelope.result(show(call, call.parts.tokens.revoke(call.account_id, token_id)))


def _granted(call: Call, names: list[str]) -> tuple[Permission, ...]:
    for index, name in enumerate(names):
        path = ("body", "permissions", index)
        if name not in GRANTS:
            raise BadInput(f"There is no such permission; there are: {', '.join(GRANTS)}", path)
        if not call.token.allows(GRANTS[name]):
            raise ApiError(403, AUTHENTICATION, f"Your token does not have '{name}', so it cannot give it", path)
    return tuple(dict.fromkeys(GRANTS[name] for name in names))


def _end(call: Call, text: str | None, now: int) -> int | None:
    own = call.token.expires_at
    if text is None:
        return own
    moment = from_rfc3339(text)
    if moment is None:
        raise BadInput("Expected an RFC 3339 time or a date", ("body", "expires_on"))
    if moment <= now:
        raise BadInput("Expected a time to come", ("body", "expires_on"))
    if own is not None and moment > own:
        raise ApiError(403, AUTHENTICATION, "Your own token ends before that", ("body", "expires_on"))
    return moment
