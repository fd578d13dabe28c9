"""A provider that is described rather than programmed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gaugeway.core.provider import Asked, Compatible, KeyUse, Reported, Sockets
from gaugeway.providers.formats.format import Format
from gaugeway.providers.formats.openai import OpenAI
from gaugeway.providers.formats.reading import read_response
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.requests import read_request

OPENAI_LIKE: tuple[Format[Any], ...] = (OpenAI(),)
BEARER = frozenset({b"authorization"})
BEARER_KEY = HeaderKey()


class Declared(Struct, frozen=True, kw_only=True):
    """The OpenAI-compatible kind by default; see core.provider.Provider for what each field means."""

    slug: str
    name: str
    base_url: str
    price_id: str | None
    credential_headers: frozenset[bytes] = BEARER
    paths: PathRule = PathRule()
    formats: tuple[Format[Any], ...] = OPENAI_LIKE
    compatible: Compatible | None = None
    key_use: KeyUse | None = BEARER_KEY
    sockets: Sockets | None = None

    def upstream_path(self, rest: str, account_id: str) -> str:  # noqa: ARG002  the port's
        """See Provider. Raises BadInput for a path that could leave the base."""
        return self.paths.apply(rest)

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        return read_request(rest, content_type, body)

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:  # noqa: ARG002  the port's
        """See Provider."""
        return read_response(self.formats, content_type, body)
