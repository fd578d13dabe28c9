"""The texts that open something: API tokens and sessions. Only their hash is ever kept."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

TOKEN_PREFIX = "gw_"  # noqa: S105  makes a leaked token recognisable to scanners
RANDOM_BYTES = 32
"""What such a text is made from: 256 random bits, so there is nothing to guess and a fast hash is enough."""


def token_text(random: bytes) -> str:
    """A new API token from random bytes."""
    return TOKEN_PREFIX + plain_text(random)


def plain_text(random: bytes) -> str:
    """Random bytes as text that any header can carry."""
    return urlsafe_b64encode(random).rstrip(b"=").decode()


def hash_of(text: str) -> bytes:
    """What is kept of such a text, and what it is found by."""
    return sha256(text.encode("utf-8", "surrogateescape")).digest()
