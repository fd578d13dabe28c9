"""Deepgram: developers.deepgram.com/reference. Audio; it reports no usage. The model is in the query."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.sockets import Realtime

PROVIDER = Declared(
    slug="deepgram",
    name="Deepgram",
    base_url="https://api.deepgram.com",
    price_id=None,
    credential_headers=frozenset({b"authorization"}),
    paths=PathRule(versions=("v1", "v2")),
    formats=(),
    key_use=HeaderKey(b"authorization", b"Token "),
    sockets=Realtime(path="v1/listen", key_header=(b"authorization", b"Token "), key_after="token"),
)
