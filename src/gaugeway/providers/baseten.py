"""Baseten: docs.baseten.co/reference/inference-api. Shared models below `v1/…`, a deployed one at `model/{id}`.

Each deployed model has a host of its own, `model-{id}.api.baseten.co`, and `model/{id}` alone is what it offers as
`production/predict`.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Asked, Compatible, Headers, Reported, Request
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule, checked
from gaugeway.providers.parts.requests import read_request

_ID = re.compile(r"[a-z0-9]{1,32}")
_OWN = re.compile(r"model/([^/]*)(?:/(.*))?", re.DOTALL)


class Baseten(Declared, frozen=True, kw_only=True):
    """Requests for deployed models name them in their path."""

    def place(self, request: Request, sent: Headers) -> Request:  # noqa: ARG002  the port's
        """See Placing."""
        own = _own(request.rest)
        return replace(request, host="inference.baseten.co" if own is None else f"model-{own[0]}.api.baseten.co")

    def upstream_path(self, rest: str, account_id: str) -> str:
        """`/v1/…`, or the path at the deployed model's own host. Raises BadInput."""
        own = _own(rest)
        return super().upstream_path(rest, account_id) if own is None else f"/{own[1] or 'production/predict'}"

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider. A deployed model is its id, whatever it calls itself: it is billed by the minute."""
        asked = read_request(rest, content_type, body)
        found = _OWN.fullmatch(rest.lstrip("/"))
        if found is None or not _ID.fullmatch(found.group(1)):
            return asked
        return Asked(model=found.group(1), model_type=asked.model_type, stream=asked.stream)

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider. The name of a deployed model's answer may be that of a shared one, with its price."""
        reported = super().read_response(rest, content_type, body)
        return replace(reported, model=None) if _OWN.fullmatch(rest.lstrip("/")) else reported


def _own(rest: str) -> tuple[str, str] | None:
    """A deployed model's id, and the path at its host; None for the shared models."""
    found = _OWN.fullmatch(checked(rest).lstrip("/"))
    if found is None:
        return None
    if not _ID.fullmatch(found.group(1)):
        raise BadInput("The path names no model: expected baseten/model/{id} with lower-case letters and digits")
    return found.group(1), found.group(2) or ""


PROVIDER = Baseten(
    slug="baseten",
    name="Baseten",
    base_url="https://inference.baseten.co",
    price_id="baseten",
    paths=PathRule(versions=("v1",), default="v1"),
    compatible=Compatible(chat="v1/chat/completions"),
)
