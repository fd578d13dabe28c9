"""fal: docs.fal.ai. Media models at `fal.run`; the model is the path. It reports no usage.

`x-fal-target-url` names the whole URL of a request for another of fal's hosts, as fal's own clients send it through
a proxy; which hosts are fal's is what its server-proxy accepts.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec.structs import replace

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Asked, Headers, Request
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey
from gaugeway.providers.parts.requests import model_name
from gaugeway.providers.parts.sockets import Realtime

TARGET = b"x-fal-target-url"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.){0,4}fal\.(?:run|ai)")
_URL = re.compile(r"https://[!-~]{1,4096}")


class Fal(Declared, frozen=True, kw_only=True):
    """Requests name the model by their path, or by a URL in a header."""

    def place(self, request: Request, sent: Headers) -> Request:  # noqa: ARG002  the port's
        """See Placing."""
        named = [value for name, value in request.headers if name == TARGET]
        if not named:
            return replace(request, host="fal.run")
        if len(named) > 1 or request.rest.strip("/") or request.query:
            raise BadInput("x-fal-target-url is the whole URL: send it once, and nothing behind …/fal")
        url = named[0].decode("latin-1").strip()
        try:
            split = urlsplit(url)
            has_port = split.port is not None or "@" in split.netloc
        except ValueError:
            raise BadInput("x-fal-target-url: expected a URL") from None
        host = (split.hostname or "").lower()
        if not _URL.fullmatch(url) or has_port or not _HOST.fullmatch(host):
            raise BadInput("x-fal-target-url: expected https:// and a host of fal.run or fal.ai, without a port")
        headers = [pair for pair in request.headers if pair[0] != TARGET]
        return Request(rest=split.path.lstrip("/"), query=split.query.encode("latin-1"), headers=headers, host=host)

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:  # noqa: ARG002  the port's
        """See Provider."""
        return Asked(model=model_name(rest.strip("/")))


PROVIDER = Fal(
    slug="fal",
    name="fal",
    base_url="https://fal.run",
    price_id=None,
    formats=(),
    key_use=HeaderKey(b"authorization", b"Key "),
    sockets=Realtime(key_header=(b"authorization", b"Key "), key_protocols=("fal-api-key.",)),
)
