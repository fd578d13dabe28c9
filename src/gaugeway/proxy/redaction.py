"""Credentials, taken out of a body that stays in a log: as they are, and as JSON may spell them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

REDACTED = b"[redacted]"


def redacted(body: bytes, secrets: Iterable[bytes]) -> bytes:
    r"""The body without these credentials.

    A JSON text may write any character as `\u0061`, and a slash as `\/`. That is looked for only where such an
    escape is there at all: it costs some 10 ns a byte.
    """
    for secret in secrets:
        if secret in body:
            body = body.replace(secret, REDACTED)
    if b"\\" in body and (b"\\u00" in body or b"\\/" in body):
        for secret in secrets:
            body = _in_json(secret).sub(REDACTED, body)
    return body


@lru_cache(maxsize=64)
def _in_json(secret: bytes) -> re.Pattern[bytes]:
    """Every way in which JSON can spell a text of one-byte characters."""
    return re.compile(b"".join(map(_spellings, secret)))


def _spellings(character: int) -> bytes:
    plain = re.escape(bytes((character,)))
    digits = b"".join(b"[%c%c]" % (digit, ord(chr(digit).upper())) for digit in b"%02x" % character)
    short = rb"|\\/" if character == ord("/") else b""
    return rb"(?:%b|\\u00%b%b)" % (plain, digits, short)
