"""A logged body, given back as it was. Its content came from strangers and may be an attack on who looks at it."""

from __future__ import annotations

import re

from starlette.responses import Response

_PLAIN_HEADER = re.compile(r"[\x20-\x7e]+")
_INERT = ("application/json", "text/plain", "text/event-stream", "application/x-ndjson")


def give_back(body: bytes, content_type: str | None, name: str, *, complete: bool) -> Response:
    """The bytes with their own content type; a browser neither runs nor guesses at them.

    `gaugeway-body-complete: false` says that the log kept only a part.
    """
    kept = content_type or "application/octet-stream"
    if not _PLAIN_HEADER.fullmatch(kept):
        kept = "application/octet-stream"
    essence = kept.partition(";")[0].strip().lower()
    disposition = "inline" if essence in _INERT else f'attachment; filename="{name}"'
    headers = {
        "content-type": kept,
        "content-disposition": disposition,
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "gaugeway-body-complete": "true" if complete else "false",
    }
    return Response(body, headers=headers)
