"""Where custom providers and webhooks may be, as far as a URL tells. Every connection is checked by address."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from gaugeway.core.addresses import AllowedPrivate, literal_address
from gaugeway.core.errors import BadInput, Path
from gaugeway.management.envelope import PROVIDER_URL, ApiError
from gaugeway.management.parts import Parts

PATH: Path = ("body", "base_url")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def check_base_url(base_url: str, parts: Parts) -> None:
    """Raise 400/1002 where requests must not, or can not, be sent to a base URL."""
    try:
        check_url(base_url, parts, "base_url")
    except BadInput as problem:
        raise _wrong(problem.message) from problem
    if "?" in base_url or "#" in base_url:
        raise _wrong("base_url must have neither a query nor a fragment")


def check_url(url: str, parts: Parts, name: str) -> None:
    """Raise BadInput where requests must not, or can not, be sent to a URL, which messages call `name`."""
    split = _split(url, name)
    host = split.hostname or ""
    allowed = AllowedPrivate(parts.private_networks, parts.private_hosts)
    if split.scheme != "https" and not (split.scheme == "http" and _is_named_by_operator(host, parts)):
        raise BadInput(
            f"{name} must begin with https:// (http:// is only for hosts that the operator named in"
            " GAUGEWAY_PRIVATE_UPSTREAMS)"
        )
    refusal = allowed.check_literal(host)
    if refusal is not None:
        raise BadInput(refusal)


def _split(url: str, name: str) -> SplitResult:
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise BadInput(f"{name} must be a URL in printable ASCII without spaces and backslashes")
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as problem:
        raise BadInput(f"{name} is not a valid URL") from problem
    if not split.hostname or port == 0:
        raise BadInput(f"{name} must name a host, as in https://api.example.com/v1")
    if split.username is not None or split.password is not None:
        raise BadInput(f"{name} must not hold credentials: send them as headers")
    return split


def _is_named_by_operator(host: str, parts: Parts) -> bool:
    plain = host.lower().rstrip(".")
    if plain in parts.private_hosts:
        return True
    address = "127.0.0.1" if plain == "localhost" else literal_address(host)
    if address is None:
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in parts.private_networks)


def _wrong(message: str) -> ApiError:
    return ApiError(400, PROVIDER_URL, message, PATH)
