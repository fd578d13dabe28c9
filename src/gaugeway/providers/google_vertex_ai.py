"""Google Vertex AI: cloud.google.com/vertex-ai/docs/reference/rest. Gemini, Claude and others by their publisher.

The path's location is the host: a region, `us` or `eu` (multi-regions), or `global`. So are paths without one, as
with an API key.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Asked, Compatible, Headers, Reported, Request
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.formats.gemini import Gemini
from gaugeway.providers.formats.openai import OpenAI
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.google import (
    ServiceAccount,
    ServiceAccountKey,
    account_in,
    account_in_header,
    is_location,
)
from gaugeway.providers.parts.paths import PathRule, checked
from gaugeway.providers.parts.requests import model_name, read_request
from gaugeway.providers.translation.vertex import VertexModels
from gaugeway.providers.translation.vertex_embeddings import VertexEmbeddings

GLOBAL = "aiplatform.googleapis.com"
_LOCATION = re.compile(r"(?:^|/)locations/([^/]*)")
_MULTI_REGIONS = frozenset({"us", "eu"})
_UNPLACED = re.compile(r"(v1|v1beta1)/(publishers/.*)", re.DOTALL)
_MODEL = re.compile(r"(?:^|/)models/([^/:]+)(?::([A-Za-z]+))?")
_KINDS = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "rawPredict": "chat",
    "streamRawPredict": "chat",
    "embedContent": "embeddings",
}
_ONE_PRICE_EVERYWHERE = (
    "claude-3",
    "claude-opus-4@",
    "claude-sonnet-4@",
    "claude-opus-4-1",
    "gemini-1",
    "gemini-2",
)
"""Later models cost more at a region's endpoint than at the global one, whose prices are known (Vertex AI's price
page, "Claude models")."""
_STREAMS = frozenset({"streamGenerateContent", "streamRawPredict"})


class GoogleVertexAI(Declared, frozen=True, kw_only=True):
    """Requests name region, model and verb in their path."""

    def place(self, request: Request, sent: Headers) -> Request:  # noqa: ARG002  the port's
        """See Placing. A service account in the request is exchanged for a token, and says project and region."""
        request = _with_key(request)
        if request.key and (found := _UNPLACED.match(request.rest)):
            request = replace(request, rest=_placed(found, account_in(request.key)))
        return replace(request, host=host_of(request.rest))

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        asked = read_request(rest, content_type, body)
        found = _MODEL.search(rest)
        if found is None:
            return asked
        verb, model = found.group(2) or "", model_name(unquote(found.group(1)))
        return Asked(
            model=model,
            model_type="embeddings" if verb == "predict" and "embedding" in model else _KINDS.get(verb),
            stream=verb in _STREAMS or asked.stream,
            unlisted=None if (endpoint := _dear_endpoint(rest)) is None else f"endpoint {endpoint!r}",
        )

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider. The endpoint is part of the price."""
        reported = super().read_response(rest, content_type, body)
        endpoint = _dear_endpoint(rest)
        if reported.usage is None or endpoint is None:
            return reported
        context = (reported.usage.price_context or {}) | {"endpoint": endpoint}
        return replace(reported, usage=replace(reported.usage, price_context=context))


def _dear_endpoint(rest: str) -> str | None:
    """The location of a request where its model costs more there than is known; else None."""
    location, model = _LOCATION.search(rest), _MODEL.search(rest)
    if location is None or location.group(1) == "global" or model is None:
        return None
    return None if model.group(1).startswith(_ONE_PRICE_EVERYWHERE) else location.group(1)


def _with_key(request: Request) -> Request:
    """The request with the service account in its headers as its key; raises BadInput where it needs one."""
    for name, value in request.headers:
        account = account_in_header(value) if name == b"authorization" else None
        if account is not None:
            account_in(account)
            return replace(request, key=account, headers=[pair for pair in request.headers if pair[0] != name])
    has_api_key = any(name == b"x-goog-api-key" for name, _ in request.headers)
    if not request.key and not has_api_key and _asks_a_model(request.rest):
        raise BadInput(
            "Neither path nor credentials name a project and a location: send a service account's JSON with a key"
            " region, in base64, or the path v1/projects/{project}/locations/{region}/…",
            ("path",),
        )
    return request


def _asks_a_model(rest: str) -> bool:
    """Whether a path without project and location is one of a model's methods."""
    found = _MODEL.search(rest)
    return _UNPLACED.match(rest) is not None and found is not None and found.group(2) is not None


def _placed(unplaced: re.Match[str], account: ServiceAccount) -> str:
    if account.region is None:
        raise BadInput("The service account names no region: add a key region to its JSON, such as us-central1")
    version, rest = unplaced.groups()
    return f"{version}/projects/{account.project_id}/locations/{account.region}/{rest}"


def host_of(rest: str) -> str:
    """The host for a path; raises BadInput for a location that is none."""
    found = _LOCATION.search(checked(rest))
    if found is None or found.group(1) == "global":
        return GLOBAL
    location = found.group(1)
    if location in _MULTI_REGIONS:
        return f"aiplatform.{location}.rep.googleapis.com"
    if not is_location(location):
        raise BadInput(
            "The path names no location of Vertex AI: expected …/locations/{region}/… with a region such as"
            " us-central1, or us, eu, global",
            ("path",),
        )
    return f"{location}-{GLOBAL}"


PROVIDER = GoogleVertexAI(
    slug="google-vertex-ai",
    name="Google Vertex AI",
    base_url="https://{region}-aiplatform.googleapis.com",
    price_id="google",
    credential_headers=frozenset({b"authorization", b"x-goog-api-key"}),
    paths=PathRule(versions=("v1", "v1beta1"), default="v1"),
    formats=(Gemini(), Anthropic(), OpenAI(rest_is_thought=True)),
    compatible=Compatible(translation=VertexModels(), embedding_translation=VertexEmbeddings()),
    key_use=ServiceAccountKey(),
)
