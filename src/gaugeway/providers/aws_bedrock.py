"""Amazon Bedrock: docs.aws.amazon.com/bedrock/latest/APIReference. `bedrock-runtime/{region}/…`, or its Mantle.

A request that the client signed (Signature Version 4, for the AWS host) stays valid: host, path, query, body and
every signed header go on byte for byte, and one that cannot is refused by name. Bedrock's API keys travel as
`Authorization: Bearer`; where Mantle speaks Anthropic's format they become its `x-api-key`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.model import Usage
from gaugeway.core.provider import Asked, Compatible, Headers, Reported, Request
from gaugeway.providers.formats import event_stream
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.formats.bedrock import Bedrock, counted
from gaugeway.providers.formats.format import count
from gaugeway.providers.parts.aws import ANY_REGION, DEFAULT_REGION, BedrockKey, credentials_in, locate
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.requests import model_name, read_request
from gaugeway.providers.translation.bedrock import BedrockConverse
from gaugeway.providers.translation.bedrock_embeddings import BedrockEmbeddings

SIGNED = b"AWS4-HMAC-SHA256"
_SIGNED_HEADERS = re.compile(rb"SignedHeaders=([!-+\--~]+)")
_MODEL = re.compile(r"(?:^|/)model/([^/]+)/([a-z-]+)$")
_NO_CHAT = re.compile(r"image|canvas|reel|stability\.|sonic|rerank|twelvelabs|luma\.")
"""In the ids of models that InvokeModel asks for something else than a text."""
_OWN_CONNECTION = frozenset({b"host", b"content-length"})
"""Signed headers that the gateway writes itself, with the very value that was signed."""
_COUNTS = (
    b"x-amzn-bedrock-input-token-count",
    b"x-amzn-bedrock-output-token-count",
    b"x-amzn-bedrock-cache-read-input-token-count",
    b"x-amzn-bedrock-cache-write-input-token-count",
)
_NUMBER = re.compile(rb"[0-9]{1,15}")


class AmazonBedrock(Declared, frozen=True, kw_only=True):
    """Requests name service, region and (for the runtime) the model in their path."""

    def place(self, request: Request, sent: Headers) -> Request:
        """See Placing."""
        rest = _with_region(request.rest, request.key)
        place = locate(rest)
        headers = request.headers
        authorization = next((value for name, value in headers if name == b"authorization"), b"")
        if authorization.startswith(SIGNED):
            headers = _as_signed(authorization, headers, sent)
        elif place.service == "bedrock-mantle" and place.path.startswith("/anthropic/"):
            headers = _with_api_key(authorization, headers)
        return replace(request, rest=rest, host=place.host, headers=headers)

    def upstream_path(self, rest: str, account_id: str) -> str:  # noqa: ARG002  the port's
        """What follows the region, untouched. Raises BadInput."""
        return locate(rest).path

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """See Provider."""
        found = _MODEL.search(rest)
        if found is None:
            return read_request(rest, content_type, body)
        model, verb = model_name(unquote(found.group(1))), found.group(2)
        kind = "embeddings" if "embed" in model else None if _NO_CHAT.search(model) else "chat"
        return Asked(
            model=model,
            model_type="chat" if verb.startswith("converse") else kind,
            stream=verb in ("converse-stream", "invoke-with-response-stream"),
        )

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """See Provider. Of a stream in AWS's framing the first and the last messages are read.

        The model is left to the request: only its id says whether the global or a region's price holds.
        """
        if content_type.startswith(event_stream.CONTENT_TYPE):
            return _FORMAT.report_stream(event_stream.payloads(body))
        return replace(super().read_response(rest, content_type, body), model=None)

    def unframed(self, content_type: str, body: bytes) -> bytes:
        """See Framing."""
        if not content_type.startswith(event_stream.CONTENT_TYPE):
            return body
        return b"\n\n".join(_FORMAT.unwrapped(event_stream.all_payloads(body)))

    def read_headers(self, headers: Headers) -> Usage | None:
        """See HeaderFigures. InvokeModel counts for every model; some say nothing in their bodies."""
        counts = {name: int(value) for name, value in headers if name in _COUNTS and _NUMBER.fullmatch(value)}
        fresh, out, read, written = (count(counts.get(name)) for name in _COUNTS)
        return counted(fresh, out, read=read, written=written)


def _with_region(rest: str, key: str) -> str:
    """The path, in which the credentials' region stands where a translated request names none."""
    if not rest.startswith(f"bedrock-runtime/{ANY_REGION}/"):
        return rest
    credentials = credentials_in(key)
    region = DEFAULT_REGION if credentials is None else credentials.region
    return rest.replace(f"/{ANY_REGION}/", f"/{region}/", 1)


def _as_signed(authorization: bytes, headers: Headers, sent: Headers) -> Headers:
    """The headers with every signed one as it was signed; raises BadInput for one that ends at the gateway."""
    found = _SIGNED_HEADERS.search(authorization)
    names = frozenset(found.group(1).lower().split(b";")) - _OWN_CONNECTION if found else frozenset[bytes]()
    original = [pair for pair in sent if pair[0] in names]
    if [pair for pair in headers if pair[0] in names] == original:
        return headers
    passed = {name for name, _ in headers}
    for name, _ in original:
        if name not in passed:
            header = name.decode("latin-1")
            message = f"The signature covers the header {header}, which ends at the gateway: sign without it"
            raise BadInput(message, ("headers", header))
    return [pair for pair in headers if pair[0] not in names] + original


def _with_api_key(authorization: bytes, headers: Headers) -> Headers:
    """A bearer token as Mantle's `x-api-key`, unless there is one."""
    scheme, _, token = authorization.strip().partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        return headers
    others = [pair for pair in headers if pair[0] != b"authorization"]
    return others if any(name == b"x-api-key" for name, _ in others) else [*others, (b"x-api-key", token.strip())]


_FORMAT = Bedrock()

PROVIDER = AmazonBedrock(
    slug="aws-bedrock",
    name="Amazon Bedrock",
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    price_id="aws",
    credential_headers=frozenset({b"authorization", b"x-api-key", b"x-amz-security-token"}),
    formats=(_FORMAT, Anthropic(), *OPENAI_LIKE),
    compatible=Compatible(translation=BedrockConverse(), embedding_translation=BedrockEmbeddings()),
    key_use=BedrockKey(),
)
