"""Usage in answers of which a part is missing: cut off by either side, or too long to be kept whole.

A key's depth is not guessed: what follows it, up to the document's end, must close exactly what is opened before
it. So `"usage"` within a tool's arguments or an answer's text is not taken for the answer's own. Where it is
the end that is missing nothing is read, because the figures come last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

MAX_FRAGMENTS = 8
"""Places that are tried, from the end."""
MAX_FRAGMENT = 256 * 1024
"""Bytes from the end within which keys are looked for."""
HEAD = 4096
"""Bytes at the beginning within which the model is looked for."""

_MODEL = re.compile(rb'"model"\s*:\s*"[^"\\]{1,256}"')
_decoder = json.JSONDecoder(parse_constant=float, parse_int=str, parse_float=str)


def places(body: bytes, markers: tuple[bytes, ...]) -> Iterator[int]:
    """Where marked keys stand, last first."""
    end = len(body)
    for _ in range(MAX_FRAGMENTS):
        end = max(body.rfind(marker, max(0, len(body) - MAX_FRAGMENT), end) for marker in markers)
        if end < 0:
            return
        yield end


def element(fragment: bytes) -> bytes | None:
    """The rest of an array's element, completed to an object, where another element or the array's end follows."""
    try:
        source = "{" + fragment.decode("utf-8", "replace")
        _, end = _decoder.raw_decode(source)
    except (ValueError, RecursionError):
        return None
    follows = source[end:].lstrip()[:1]
    return source[:end].encode() if follows in {",", "]"} else None


def opening(body: bytes) -> bytes | None:
    """The beginning of a document up to its model's name."""
    found = _MODEL.search(body, 0, HEAD)
    return None if found is None else body[: found.end()]
