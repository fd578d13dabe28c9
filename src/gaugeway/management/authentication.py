"""The door of the control plane: nobody gets past it without a valid token for the account they name.

It stands before routing, validation and every endpoint, so none of them can forget it, and an answer says
nothing about what exists to somebody who may not know.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gaugeway.core import ids
from gaugeway.core.credentials import hash_of
from gaugeway.core.model import Permission, Token
from gaugeway.core.ports import Clock, ConfigStore, TokenStore
from gaugeway.management.envelope import (
    AUTHENTICATION,
    INVALID_TOKEN,
    NO_CREDENTIALS,
    ApiError,
    failure,
)
from gaugeway.management.paths import METRICS_PATH, PREFIX, SESSION_PATH, VERIFY_PATH, no_route
from gaugeway.management.session_book import SessionBook, SignedIn, check_csrf

_ACCOUNT_PATH = re.compile(r"/client/v4/accounts/([^/]*)(?:/.*)?", re.DOTALL)
_READING = ("GET", "HEAD", "OPTIONS")


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
        digest = hash_of(text)
        token = known.get(digest)
        if token is None:
            token = await asyncio.to_thread(self._tokens.find, digest)
            if token is not None:
                known[digest] = token
        if token is None or (token.expires_at is not None and token.expires_at <= self._clock.now_ms()):
            return None
        return token


class Authentication:
    """ASGI middleware: puts the caller's token into the request's state, or answers for the app.

    A request with credentials in its headers is judged by these; only one without any by a session's cookie.
    """

    def __init__(self, app: ASGIApp, book: TokenBook, sessions: SessionBook) -> None:
        self._app = app
        self._book = book
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "http" and (scope["path"].startswith(PREFIX) or scope["path"] == METRICS_PATH):
            try:
                await self._admit(scope)
            except ApiError as refusal:
                await failure(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        path: str = scope["path"]
        account = _ACCOUNT_PATH.fullmatch(path)
        if account is None and path not in (VERIFY_PATH, SESSION_PATH, METRICS_PATH):
            raise no_route(path)
        if account is not None and not ids.is_account_id(account[1]):
            raise no_route(path)
        headers, reading = Headers(scope=scope), scope["method"] in _READING
        signed_in = await self._signed_in(headers, reading=reading)
        if signed_in is None:
            token = await self._authenticate(headers, verifying=path == VERIFY_PATH)
        else:
            token = signed_in.token
        if account is not None:
            wanted = Permission.READ if reading else Permission.WRITE
            if token.account_id != account[1] or not token.allows(wanted):
                raise ApiError(403, AUTHENTICATION, "Authentication error")
        if path == METRICS_PATH and not token.allows(Permission.READ):
            raise ApiError(403, AUTHENTICATION, "Authentication error")
        state: dict[str, Any] = scope.setdefault("state", {})
        state["token"] = token
        state["signed_in"] = signed_in

    async def _signed_in(self, headers: Headers, *, reading: bool) -> SignedIn | None:
        """The session of a request that brings no other credentials. Its changes must be its own page's."""
        if any(name in headers for name in ("authorization", "x-auth-key", "x-auth-email")):
            return None
        signed_in = await self._sessions.find(headers)
        if signed_in is not None and not reading:
            check_csrf(signed_in, headers)
        return signed_in

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
