"""Azure OpenAI: learn.microsoft.com/azure/ai-services/openai/reference. `{resource}/{deployment}/…?api-version=…`.

The path names the resource, which is the host, and the deployment. `{resource}/openai/v1/…`, the API without
versions and deployments in its path, goes on as it is.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Asked, Headers, Request
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import checked
from gaugeway.providers.parts.requests import model_name, read_request

_RESOURCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])")
"""2 to 64 letters, digits and hyphens: learn.microsoft.com, naming rules of Microsoft.CognitiveServices."""
_EXPECTED = (
    "expected azure-openai/{resource}/{deployment}/chat/completions?api-version=…, or {resource}/openai/v1/…"
)


class AzureOpenAI(Declared, frozen=True, kw_only=True):
    """Requests name their resource and deployment in their path; the answer names the model."""

    def place(self, request: Request, sent: Headers) -> Request:  # noqa: ARG002  the port's
        """See Placing."""
        resource, _, _ = _split(request.rest)
        return replace(request, host=f"{resource.lower()}.openai.azure.com")

    def upstream_path(self, rest: str, account_id: str) -> str:  # noqa: ARG002  the port's
        """`/openai/deployments/{deployment}/…`. Raises BadInput."""
        _, deployment, path = _split(rest)
        if deployment == "openai" and path.startswith("v1/"):
            return f"/openai/{path}"
        return f"/openai/deployments/{deployment}/{path}"

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider. The deployment is the model, unless the body names one."""
        asked = read_request(rest, content_type, body)
        parts = rest.strip("/").split("/", 2)
        if asked.model or len(parts) < 3 or parts[1] == "openai":
            return asked
        return Asked(model=model_name(unquote(parts[1])), model_type=asked.model_type, stream=asked.stream)


def _split(rest: str) -> tuple[str, str, str]:
    """Resource, deployment and what follows."""
    resource, _, more = checked(rest).strip("/").partition("/")
    deployment, _, path = more.partition("/")
    if not _RESOURCE.fullmatch(resource):
        raise BadInput(f"The path names no resource of Azure OpenAI; {_EXPECTED}", ("path",))
    if not deployment or not path:
        raise BadInput(f"The path names no deployment, or nothing behind it; {_EXPECTED}", ("path",))
    return resource, deployment, path


PROVIDER = AzureOpenAI(
    slug="azure-openai",
    name="Azure OpenAI",
    base_url="https://{resource}.openai.azure.com",
    price_id="azure",
    credential_headers=frozenset({b"api-key", b"authorization"}),
    key_use=HeaderKey(b"api-key", b""),
)
