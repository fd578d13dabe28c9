"""Browsers that are signed in: how a request proves it, and that it means what it asks for.

A token is exchanged for a cookie that scripts cannot read (`sessions.py`).

What keeps a signed-in browser from being abused by other pages:
- the cookie is SameSite=Strict and HttpOnly, and goes to the management API only (its Path): whatever passes
  headers on to providers never sees it;
- "site" does not mean "origin" (another port of this host is the same site), so whatever changes something must
  also repeat the session's own CSRF text in a header. Only pages of this server can read that, and no page of
  another origin can send the header;
- signing in takes the token in the Authorization header, which no form of another page can send either.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac

from msgspec import Struct
from starlette.datastructures import Headers

from gaugeway.core.credentials import hash_of
from gaugeway.core.model import Session, Token
from gaugeway.core.ports import Clock, SessionStore
from gaugeway.management.envelope import AUTHENTICATION, ApiError

COOKIE = "gaugeway_session"
CSRF_HEADER = "x-gaugeway-csrf"
_LONGEST = 256  # characters of a cookie that are worth looking up


class SignedIn(Struct, frozen=True):
    """A session that a request's cookie proved."""

    text: str  # what the cookie says
    session: Session
    token: Token


class SessionBook:
    """Finds sessions by a request's cookie.

    It remembers nothing: one that was revoked is over for every process at once.
    """

    def __init__(self, sessions: SessionStore, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def find(self, headers: Headers) -> SignedIn | None:
        """The session of a request, unless it or its token has expired."""
        text = cookie_of(headers)
        if text is None:
            return None
        found = await asyncio.to_thread(self._sessions.find, hash_of(text))
        if found is None:
            return None
        session, token = found
        now = self._clock.now_ms()
        if session.expires_at <= now or (token.expires_at is not None and token.expires_at <= now):
            return None
        return SignedIn(text, session, token)


def cookie_of(headers: Headers) -> str | None:
    """What the session cookie says, where a request brings exactly one.

    Two would mean that somebody else planted one: neither is believed.
    """
    pairs = [pair.strip().partition("=") for line in headers.getlist("cookie") for pair in line.split(";")]
    texts = [value for name, _, value in pairs if name == COOKIE]
    return texts[0] if len(texts) == 1 and 0 < len(texts[0]) <= _LONGEST else None


def csrf_of(text: str) -> str:
    """What must come with every change: it follows from the cookie's secret and does not give it away."""
    return hashlib.sha256(b"gaugeway csrf " + text.encode()).hexdigest()


def check_csrf(signed_in: SignedIn, headers: Headers) -> None:
    """Raise ApiError (403) where a change does not repeat its session's CSRF text."""
    sent = headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), csrf_of(signed_in.text).encode()):
        raise ApiError(
            403,
            AUTHENTICATION,
            f"A change by a signed-in browser needs the header {CSRF_HEADER} with the session's `csrf`",
        )
