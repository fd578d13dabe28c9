"""The extra headers of a custom provider: a JSON object in a string. Values may be credentials."""

from __future__ import annotations

import json
import re
from typing import cast

from gaugeway.management.validation import received

CONCEALED = "[hidden]"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_NOT_OURS_TO_SET = frozenset(
    (
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


class BadHeaders(ValueError):
    """Headers that cannot be sent; the message names the header and repeats no value."""


def check_headers(text: str) -> str:
    """The text, if it is a JSON object of headers that can be sent; raises BadHeaders."""
    try:
        decoded: object = json.loads(text, object_pairs_hook=_without_repetition)
    except BadHeaders:
        raise
    except (ValueError, RecursionError):
        raise BadHeaders("Expected a JSON object of header names and values") from None
    if not isinstance(decoded, dict):
        raise BadHeaders(f"Expected a JSON object of header names and values, received {received(decoded)}")
    for name, value in cast("dict[str, object]", decoded).items():
        _check_header(name, value)
    return text


def conceal(text: str) -> str:
    """The same headers with their values hidden."""
    decoded: dict[str, str] = json.loads(text)
    return json.dumps(dict.fromkeys(decoded, CONCEALED))


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) != len(names):
        raise BadHeaders("A header is named twice")
    return dict(pairs)


def _check_header(name: str, value: object) -> None:
    if not _NAME.fullmatch(name):
        raise BadHeaders("A header's name must be 1 to 256 letters, digits and the signs of RFC 9110's token")
    if name.lower() in _NOT_OURS_TO_SET or name.lower().startswith("cf-aig-"):
        raise BadHeaders(f"The header '{name}' cannot be set: it belongs to the connection or to the gateway")
    if not isinstance(value, str):
        raise BadHeaders(f"The header '{name}' must be a string, received {received(value)}")
    if not _VALUE.fullmatch(value):
        raise BadHeaders(f"The header '{name}' must be printable ASCII on one line")
