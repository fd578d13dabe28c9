"""Amazon's places and credentials: where a path of Bedrock's leads, and requests that the gateway itself signs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Headers, Outbound
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.paths import checked

ANY_REGION = "-"
"""Stands in the path of a translated request for the region that the credentials decide."""
DEFAULT_REGION = "us-east-1"
"""Where requests go whose credentials name no region (Cloudflare's page on Amazon Bedrock)."""

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}")
_SECRET = re.compile(r"[!-~]{16,4096}")
_EXPECTED = "expected aws-bedrock/bedrock-runtime/{region}/… or aws-bedrock/bedrock-mantle/{region}/…"
_SIGNED = (b"content-type", b"host")


class Place(NamedTuple):
    """Where a path leads."""

    service: str  # as requests are signed for it
    region: str
    host: str
    path: str


def locate(rest: str) -> Place:
    """Service, host and path of a request; raises BadInput for what is none of Bedrock's."""
    service, _, more = checked(rest).lstrip("/").partition("/")
    region, _, path = more.partition("/")
    if service not in ("bedrock-runtime", "bedrock-mantle"):
        raise BadInput(f"The path names no service of Bedrock; {_EXPECTED}", ("path",))
    if not is_region(region):
        raise BadInput(f"The path names no region of AWS; {_EXPECTED}, with a region such as us-east-1", ("path",))
    if service == "bedrock-mantle":
        return Place(service, region, f"bedrock-mantle.{region}.api.aws", "/" + path)
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Place("bedrock", region, f"bedrock-runtime.{region}.{domain}", "/" + path)


def is_region(text: str) -> bool:
    """Whether the text has the form of a region's name."""
    return _REGION.fullmatch(text) is not None


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """An access key, as Cloudflare has it stored."""

    access_key_id: str
    secret_access_key: str
    region: str
    session_token: str | None = None


_decoder = msgspec.json.Decoder(Credentials)
_FORM = 'expected {"accessKeyId": …, "secretAccessKey": …, "region": …, "sessionToken": … where there is one}'


def credentials_in(key: str) -> Credentials | None:
    """The access key that a text holds; None where it is a key of Bedrock's own. Raises BadInput for neither."""
    if not key.lstrip().startswith("{"):
        return None
    try:
        found = _decoder.decode(key.encode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise BadInput(f"{problem}: {_FORM}") from None
    secrets = (found.access_key_id, found.secret_access_key, found.session_token or found.secret_access_key)
    if not all(_SECRET.fullmatch(secret) for secret in secrets) or not is_region(found.region):
        raise BadInput(
            f"a key is too short or holds other than printable ASCII, or there is no such region: {_FORM}"
        )
    return found


class BedrockKey:
    """A KeyUse: an access key, by which each request is signed (Signature Version 4), or a key of Bedrock's own."""

    def __init__(self) -> None:
        self._bearer = HeaderKey()

    def check(self, key: str) -> None:
        """See KeyUse."""
        if credentials_in(key) is None:
            self._bearer.check(key)

    def headers(self, key: str, request: Outbound) -> Headers:
        """See KeyUse."""
        place, credentials = locate(request.rest), credentials_in(key)
        if credentials is not None:
            return sign(credentials, place, request)
        if place.service == "bedrock-mantle" and place.path.startswith("/anthropic/"):
            return [(b"x-api-key", key.encode())]
        return self._bearer.headers(key, request)

    def secrets(self, key: str) -> list[str]:
        """See KeyUse."""
        credentials = credentials_in(key)
        if credentials is None:
            return [key]
        return [secret for secret in (credentials.secret_access_key, credentials.session_token) if secret]


def sign(credentials: Credentials, place: Place, request: Outbound) -> Headers:
    """The headers by which AWS knows who sends the request, and that nobody changed it.

    By botocore's own signer (Signature Version 4), which is loaded with the first request that needs it.
    """
    from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs]  it has none
    from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]  it has none
    from botocore.credentials import Credentials as Keys  # pyright: ignore[reportMissingTypeStubs]  it has none

    keys = Keys(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    auth: Any = SigV4Auth(keys, place.service, place.region)
    date = datetime.fromtimestamp(request.at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    own: dict[str, str] = {"x-amz-date": date}
    if credentials.session_token is not None:
        own["x-amz-security-token"] = credentials.session_token
    url = f"https://{request.host}{request.target.decode('latin-1')}"
    signed: Any = AWSRequest(method=request.method.decode(), url=url, data=request.body, headers=own)
    signed.headers["host"] = request.host
    for name, value in request.headers:
        if name in _SIGNED:
            signed.headers[name.decode()] = value.decode("latin-1")
    signed.context["timestamp"] = date
    names = auth.signed_headers(auth.headers_to_sign(signed))
    signature = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(signed)}, SignedHeaders={names}, Signature={signature}"
    )
    return [
        *((name.encode(), value.encode()) for name, value in own.items()),
        (b"authorization", authorization.encode()),
    ]
