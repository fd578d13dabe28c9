"""Where a request may carry a credential, and what of it is secret."""

from __future__ import annotations

CREDENTIAL_HEADERS = frozenset(
    (
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"xi-api-key",
        b"x-auth-key",
    )
)
"""Where a client may carry a key, whatever the provider. Each value is kept out of the log, and never goes
upstream when it is one of our own tokens."""

SHORTEST_SECRET = 8
"""A shorter "key" is no secret, and taking it out of bodies would garble them."""


def bare_credential(value: bytes) -> bytes:
    """The secret itself of `Bearer x`, `Key x`, `Token x` or plain `x`."""
    return value.strip().rpartition(b" ")[2]


def secrets_in(name: bytes, value: bytes) -> list[bytes]:
    """What must be kept out of the log of a header that carries credentials: a cookie may hold several."""
    if name == b"cookie":
        found = [pair.partition(b"=")[2].strip().strip(b'"') for pair in value.split(b";")]
    else:
        found = [bare_credential(value)]
    return [secret for secret in found if len(secret) >= SHORTEST_SECRET]
