"""The door of the control plane: nobody gets past it without a valid token for the account they name.

It stands before routing, validation and every endpoint, so none of them can forget it, and an answer says
nothing about what exists to somebody who may not know.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gaugeway.core import ids
from gaugeway.core.model import Permission, Token
from gaugeway.core.ports import Clock, ConfigStore, TokenStore
from gaugeway.management.envelope import (
    AUTHENTICATION,
    INVALID_TOKEN,
    NO_CREDENTIALS,
    NO_ROUTE,
    ApiError,
    failure,
)

PREFIX = "/client/v4/"
VERIFY_PATH = "/client/v4/user/tokens/verify"
_ACCOUNT_PATH = re.compile(r"/client/v4/accounts/([^/]*)(?:/.*)?", re.DOTALL)
_READING = ("GET", "HEAD", "OPTIONS")


def no_route(path: str) -> ApiError:
    """What an unknown path is answered with."""
    shown = path if len(path) <= 200 else path[:197] + "..."
    message = f"Could not route to {shown}, perhaps your object identifier is invalid?"
    return ApiError(404, NO_ROUTE, message)


class TokenBook:
    """Looks tokens up by their text. What it remembers is forgotten when anything in the store changes."""

    def __init__(self, config: ConfigStore, tokens: TokenStore, clock: Clock) -> None:
        self._config = config
        self._tokens = tokens
        self._clock = clock
        self._version: int | None = None
        self._known: dict[bytes, Token] = {}  # valid ones only, so guesses cannot fill it

    async def find(self, text: str) -> Token | None:
        """The token with that text, unless it has expired."""
        version = self._config.version()
        if version != self._version:
            self._version, self._known = version, {}
        known = self._known
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        token = known.get(digest)
        if token is None:
            token = await asyncio.to_thread(self._tokens.find, digest)
            if token is not None:
                known[digest] = token
        if token is None or (token.expires_at is not None and token.expires_at <= self._clock.now_ms()):
            return None
        return token


class Authentication:
    """ASGI middleware: puts the caller's token into the request's state, or answers for the app."""

    def __init__(self, app: ASGIApp, book: TokenBook) -> None:
        self._app = app
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            try:
                await self._admit(scope)
            except ApiError as refusal:
                await failure(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        path: str = scope["path"]
        account = _ACCOUNT_PATH.fullmatch(path)
        if account is None and path != VERIFY_PATH:
            raise no_route(path)
        if account is not None and not ids.is_account_id(account[1]):
            raise no_route(path)
        token = await self._authenticate(Headers(scope=scope), verifying=path == VERIFY_PATH)
        if account is not None:
            wanted = Permission.READ if scope["method"] in _READING else Permission.WRITE
            if token.account_id != account[1] or not token.allows(wanted):
                raise ApiError(403, AUTHENTICATION, "Authentication error")
        state: dict[str, Any] = scope.setdefault("state", {})
        state["token"] = token

    async def _authenticate(self, headers: Headers, *, verifying: bool) -> Token:
        text, email = credentials(headers)
        token = await self._book.find(text) if text else None
        if token is None or (email is not None and email.casefold() != token.email.casefold()):
            if verifying:
                raise ApiError(401, INVALID_TOKEN, "Invalid API Token")
            raise ApiError(401, AUTHENTICATION, "Authentication error")
        return token


def credentials(headers: Headers) -> tuple[str, str | None]:
    """A token's text and, where it came as a key, the e-mail address it came with.

    A bearer token wins over key and e-mail. Raises ApiError where there is neither.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, text = authorization.strip().partition(" ")
        return (text.strip() if scheme.lower() == "bearer" else ""), None
    key, email = headers.get("x-auth-key"), headers.get("x-auth-email")
    if key is None or email is None:
        raise ApiError(400, NO_CREDENTIALS, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    return key.strip(), email.strip()
