"""Signing a browser in and out: a token is exchanged for a session's cookie (`session_book.py` says why so)."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from gaugeway.core.credentials import RANDOM_BYTES, hash_of, plain_text
from gaugeway.core.errors import NotFound
from gaugeway.core.model import Session
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.envelope import AUTHENTICATION, ApiError
from gaugeway.management.parts import Call, Caller
from gaugeway.management.paths import ACCOUNT_PREFIX, SESSION_PATH, USER_PREFIX
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.session_book import COOKIE, SignedIn, csrf_of

LIFETIME_MS = 12 * 3_600_000
SESSIONS_PER_TOKEN = 50  # the newest; whoever signs in more often signs the oldest out

router = APIRouter(tags=["Sessions"])


@router.post(SESSION_PATH, summary="Sign a browser in", dependencies=[NO_QUERY])
async def sign_in(request: Request, call: Caller) -> Response:
    """Takes the token in the Authorization header; the session may do what the token may, and ends with it."""
    if _signed_in(request) is not None:
        raise ApiError(400, envelope.NO_CREDENTIALS, "Send the token to sign in with in the Authorization header")
    token, now = call.token, call.parts.clock.now_ms()
    text = plain_text(secrets.token_bytes(RANDOM_BYTES))
    ends = now + LIFETIME_MS if token.expires_at is None else min(now + LIFETIME_MS, token.expires_at)
    session = Session(sha256=hash_of(text), token_id=token.id, created_at=now, expires_at=ends)
    try:
        await asyncio.to_thread(call.parts.sessions.create, session, keep=SESSIONS_PER_TOKEN)
    except NotFound as problem:  # revoked this moment
        raise ApiError(401, AUTHENTICATION, "Authentication error") from problem
    answer = envelope.result(_show(SignedIn(text, session, token)))
    _set_cookie(answer, request, call, text, (ends - now) // 1000)
    return answer


@router.get(SESSION_PATH, summary="Who is signed in", dependencies=[NO_QUERY])
async def get_session(request: Request, _call: Caller) -> Response:
    """The session of the request's cookie, with the `csrf` text that changes must repeat."""
    return envelope.result(_show(_required(request)))


@router.delete(SESSION_PATH, summary="Sign out", dependencies=[NO_QUERY])
async def sign_out(request: Request, call: Caller) -> Response:
    """Ends the session of the request's cookie."""
    await asyncio.to_thread(call.parts.sessions.delete, _required(request).session.sha256)
    answer = envelope.result({})
    _set_cookie(answer, request, call, "", 0)
    return answer


def _signed_in(request: Request) -> SignedIn | None:
    return getattr(request.state, "signed_in", None)


def _required(request: Request) -> SignedIn:
    signed_in = _signed_in(request)
    if signed_in is None:
        raise ApiError(
            400, envelope.NO_CREDENTIALS, "This is about a session's cookie, and the request has a token"
        )
    return signed_in


def _show(signed_in: SignedIn) -> dict[str, Any]:
    token = signed_in.token
    return {
        "account_id": token.account_id,
        "token_id": token.id,
        "token_name": token.name,
        "email": token.email,
        "permissions": [permission.value for permission in token.permissions],
        "csrf": csrf_of(signed_in.text),
        "expires_on": to_rfc3339(signed_in.session.expires_at),
    }


def _set_cookie(answer: Response, request: Request, call: Call, text: str, seconds: int) -> None:
    """Once for each place that reads it. Requests to models stand beside these, and must not carry it on."""
    for path in (USER_PREFIX, ACCOUNT_PREFIX.format(account_id=call.account_id)):
        answer.set_cookie(
            COOKIE,
            text,
            max_age=seconds,
            path=path,
            secure=call.parts.public_url(request).startswith("https://"),
            httponly=True,
            samesite="strict",
        )
