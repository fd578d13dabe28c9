"""Replicate: replicate.com/docs/reference/http. It bills by time or output and reports neither in tokens."""

from __future__ import annotations

import re

from gaugeway.core.provider import Asked
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.requests import read_request

_MODEL = re.compile(r"(?:^|/)models/([\w.-]+/[\w.-]+)")


class Replicate(Declared, frozen=True, kw_only=True):
    """Requests for official models name the model in their path."""

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        found = _MODEL.search(rest)
        asked = read_request(rest, content_type, body)
        return asked if found is None else Asked(model=found.group(1), stream=asked.stream)


PROVIDER = Replicate(
    slug="replicate",
    name="Replicate",
    base_url="https://api.replicate.com/v1",
    price_id=None,
    paths=PathRule(within_base=("v1",)),
    formats=(),
)
