"""Google's service accounts: keys that are exchanged for tokens, which live for an hour.

After developers.google.com/identity/protocols/oauth2/service-account ("HTTP/REST").
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.core.provider import Headers, Outbound, TokenRequest

ISSUER = "oauth2.googleapis.com"
EXCHANGE_URL = f"https://{ISSUER}/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LIFETIME_S = 3600
"""What is asked for; Google gives no more."""
MAX_ENCODED = 16 * 1024
"""Bytes of a service account in base64 that are decoded."""

MAX_PRIVATE_KEY = 3500
"""Characters of an RSA key of 4096 bits in PEM. Google's have 2048; a longer one would take seconds to sign."""

_PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9.:-]{0,61}[a-z0-9])?")
_REGION = re.compile(r"[a-z]{2,16}-[a-z]{2,16}[0-9]{1,2}|global|us|eu")


class ServiceAccount(Struct, frozen=True, kw_only=True):
    """What of a service account's file is needed; `region` is Cloudflare's addition to it."""

    type: str
    project_id: str
    private_key: str
    client_email: str
    private_key_id: str | None = None
    token_uri: str = EXCHANGE_URL
    region: str | None = None


class _Token(Struct, frozen=True):
    access_token: str
    expires_in: int  # seconds


_account_decoder = msgspec.json.Decoder(ServiceAccount)
_token_decoder = msgspec.json.Decoder(_Token)


def is_location(text: str) -> bool:
    """Whether the text has the form of a location of Vertex AI."""
    return _REGION.fullmatch(text) is not None


def account_in(key: str) -> ServiceAccount:
    """The service account that a text holds; raises BadInput where it is none."""
    try:
        account = _account_decoder.decode(key.encode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise BadInput(f"expected a service account's JSON file: {problem}") from None
    if account.type != "service_account":
        raise BadInput(f"expected a service account, not a credential of the type {account.type[:40]!r}")
    if account.token_uri != EXCHANGE_URL:
        raise BadInput(f"token_uri must be {EXCHANGE_URL}: keys are sent nowhere else")
    if len(account.private_key) > MAX_PRIVATE_KEY:
        raise BadInput("private_key is longer than one of 4096 bits")
    if not _PROJECT.fullmatch(account.project_id):
        raise BadInput("project_id is no project's id")
    if account.region is not None and not is_location(account.region):
        raise BadInput("region is no location of Vertex AI, such as us-central1 or global")
    return account


def account_in_header(value: bytes) -> str | None:
    """The JSON of a service account that a header carries in base64; None where it carries something else."""
    encoded = value.strip().rpartition(b" ")[2]
    if not encoded.startswith((b"eyJ", b"ew", b"ey")) or len(encoded) > MAX_ENCODED:
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True)
        return decoded.decode() if b'"private_key"' in decoded else None
    except (binascii.Error, UnicodeDecodeError):
        return None


class ServiceAccountKey:
    """A KeyUse whose key is exchanged for a token first (see TokenExchange)."""

    upstream = "google-oauth2"

    def check(self, key: str) -> None:
        """See KeyUse."""
        account = account_in(key)
        try:
            _assertion(account, 0)
        except Exception:  # noqa: BLE001  whatever the parser says of a broken key, it may quote it
            raise BadInput("private_key is no RSA key in PEM, as Google's file has it") from None

    def headers(self, key: str, request: Outbound) -> Headers:  # noqa: ARG002  the port's
        """See KeyUse; `key` is the token."""
        return [(b"authorization", b"Bearer " + key.encode())]

    def secrets(self, key: str) -> list[str]:
        """See KeyUse."""
        return [account_in(key).private_key]

    def ask(self, key: str, at_ms: int) -> TokenRequest:
        """See TokenExchange."""
        try:
            assertion = _assertion(account_in(key), at_ms // 1000)
        except BadInput:
            raise
        except Exception:  # noqa: BLE001  as above
            raise BadInput("private_key is no RSA key in PEM, as Google's file has it") from None
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return TokenRequest(
            host=ISSUER,
            target=b"/token",
            headers=[(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")],
            body=urlencode(form).encode(),
        )

    def read(self, answer: bytes) -> tuple[str, int]:
        """See TokenExchange."""
        try:
            token = _token_decoder.decode(answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise ProtocolBroken("Google's answer to a service account holds no token.") from None
        if not token.access_token.isascii() or not token.access_token.isprintable() or token.expires_in <= 0:
            raise ProtocolBroken("Google's answer to a service account holds no usable token.")
        return token.access_token, token.expires_in


def _assertion(account: ServiceAccount, now: int) -> str:
    import jwt

    claims: dict[str, Any] = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": EXCHANGE_URL,
        "iat": now,
        "exp": now + LIFETIME_S,
    }
    key_id = {} if account.private_key_id is None else {"kid": account.private_key_id}
    return jwt.encode(claims, account.private_key, algorithm="RS256", headers=key_id)
