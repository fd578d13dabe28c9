"""fal: docs.fal.ai. Media models at `fal.run`; the model is the path. It reports no usage.

The header `x-fal-target-url`, which names another of fal's hosts, is not supported: the request goes to fal.run.
"""

from __future__ import annotations

from gaugeway.core.provider import Asked
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.requests import model_name


class Fal(Declared, frozen=True, kw_only=True):
    """Requests name the model by their path."""

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:  # noqa: ARG002  the port's
        """See Provider."""
        return Asked(model=model_name(rest.strip("/")))


PROVIDER = Fal(
    slug="fal",
    name="fal",
    base_url="https://fal.run",
    price_id=None,
    formats=(),
)
