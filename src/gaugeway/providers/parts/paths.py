"""From what followed the provider's slug in a URL to the path below its base: versions mended, escapes refused.

Clients differ in where they think the version belongs: a base URL that ends in `/v1` joined with `v1/models`
doubles it, another one leaves it out. Each provider says in a PathRule what its own paths look like.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec import Struct

from gaugeway.core.errors import BadInput

_UNSAFE = re.compile(r"[\x00-\x20\x7f?#\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HIDDEN = re.compile(r"[%;]|(?:^|/)\.")
"""What a path must contain before it can hold a dot segment in any disguise."""
MAX_DECODINGS = 4
"""Times a segment is percent-decoded while that changes it. No upstream decodes more often."""


class PathRule(Struct, frozen=True, kw_only=True):
    """How a provider's paths begin.

    `within_base`: leading parts that the base URL has already, taken off as often as they come.
    `versions`: leading segments that name a version. Where several follow one another the last one, which is
    the client library's own, is kept.
    `default`: the version for a path that has none; empty leaves such a path as it is.
    `beside`: first segments that stand beside the versions, so they are not given one.
    `unversioned`: first segments that exist without a version only, so that one is taken off.
    """

    within_base: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    default: str = ""
    beside: frozenset[str] = frozenset()
    unversioned: frozenset[str] = frozenset()

    def apply(self, rest: str) -> str:
        """The path below the base, with a leading slash. Raises BadInput for one that could leave the base."""
        path = checked(rest).lstrip("/")
        path = _without(path, self.within_base)
        version = ""
        while (head := path.partition("/")[0]) in self.versions:
            version = head
            path = path[len(head) :].lstrip("/")
        if head in self.unversioned:
            version = ""
        elif not version and head not in self.beside:
            version = self.default
        return f"/{version}/{path}" if version else "/" + path


def checked(rest: str) -> str:
    """The raw path as it is, if it is safe to append to a base URL; else raises BadInput.

    Refused are segments that mean "this folder" or "the one above", written plainly, percent-encoded
    (several times over, slashes too) or with a `;` behind them, and characters that no raw path holds.
    """
    if found := _UNSAFE.search(rest):
        raise BadInput(f"The path contains {found.group()!r}: percent-encode it", ("path",))
    if _HIDDEN.search(rest) and _climbs(rest):
        raise BadInput(
            "The path contains a segment '.' or '..', or an encoded control character: write it without",
            ("path",),
        )
    return rest


def _climbs(path: str) -> bool:
    for _ in range(MAX_DECODINGS):
        segments = path.replace("\\", "/").split("/")
        if any(segment.partition(";")[0] in {".", ".."} for segment in segments):
            return True
        if _CONTROL.search(path):
            return True
        decoded = unquote(path, encoding="latin-1")
        if decoded == path:
            return False
        path = decoded
    return True


def _without(path: str, prefixes: tuple[str, ...]) -> str:
    shortened = True
    while shortened:
        shortened = False
        for prefix in prefixes:
            if path == prefix or path.startswith(prefix + "/"):
                path = path[len(prefix) :].lstrip("/")
                shortened = True
    return path
