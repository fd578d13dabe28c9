"""Cloudflare Workers AI: developers.cloudflare.com/api, Workers AI. Its OpenAI-compatible `v1/…` is read too.

The account in Gaugeway's URL becomes the account in Cloudflare's: it must be the Cloudflare account's id.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from gaugeway.core.provider import Asked, Compatible
from gaugeway.providers.formats.workers_ai import WorkersAI
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.parts.requests import model_name, read_request
from gaugeway.providers.parts.sockets import ModelInPath

_RULE = PathRule(within_base=("ai", "run"), versions=("v1",))
_COMPATIBLE = re.compile(r"/(?:chat/completions|completions|embeddings|responses)$")
_MODEL = re.compile(r"(?:^|/)(@[a-z]+/[^?]+)$")


class CloudflareWorkersAI(Declared, frozen=True, kw_only=True):
    """Requests name the model in their path (`run/@cf/…`) or, on the compatible paths, in their body."""

    def upstream_path(self, rest: str, account_id: str) -> str:
        """`/{account}/ai/v1/…` for the compatible paths, `/{account}/ai/run/…` for everything else."""
        path = _RULE.apply(rest)
        if path.startswith("/v1/"):
            return f"/{account_id}/ai{path}"
        if _COMPATIBLE.fullmatch(path):
            return f"/{account_id}/ai/v1{path}"
        return f"/{account_id}/ai/run{path}"

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        asked = read_request(rest, content_type, body)
        found = _MODEL.search(unquote(rest))
        if found is None:
            return asked
        return Asked(model=model_name(found.group(1)), stream=asked.stream)


PROVIDER = CloudflareWorkersAI(
    slug="workers-ai",
    name="Cloudflare Workers AI",
    base_url="https://api.cloudflare.com/client/v4/accounts",
    price_id="cloudflare",
    credential_headers=frozenset({b"authorization", b"x-auth-key", b"x-auth-email"}),
    formats=(WorkersAI(),),
    compatible=Compatible(chat="v1/chat/completions", embeddings="v1/embeddings"),
    sockets=ModelInPath(),
)
