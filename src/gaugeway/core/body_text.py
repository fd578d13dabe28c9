r"""Whether a body contains a text, as somebody would read it.

A body is read in several forms, and a text is in it that is in one of them, whatever its case:

- as it is, as UTF-8 (what is not UTF-8 reads as U+FFFD);
- with JSON's escapes read (`\u00e9`, `\n`, `\"`), and those in JSON within a text, such as the arguments of a
  tool call: up to MAX_UNESCAPED times;
- an answer that came in pieces (server-sent events, one JSON document a line, one JSON list of documents): the
  texts that stand in the same place of each piece, joined, as a word may be spread over them.

A form is made only where the ones before it do not contain the text. Nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

MAX_UNESCAPED = 3
MAX_DEPTH = 50
"""Of JSON that is looked into for pieces."""

_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})')
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_TELLING = ("type", "index", "output_index", "content_index")
"""Names whose values tell apart what one stream brings several of: choices, content blocks, tool calls."""

_LABELS = frozenset((
    "created",
    "event",
    "finish_reason",
    "finishReason",
    "id",
    "item_id",
    "model",
    "modelVersion",
    "object",
    "obfuscation",
    "response_id",
    "responseId",
    "role",
    "service_tier",
    "status",
    "stop_reason",
    "system_fingerprint",
    "type",
))  # fmt: skip
"""Names whose texts come whole in every piece: joined, they would read as words that nobody wrote."""


class Needles:
    """Texts that are looked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts`: case-folded."""
        self._texts = tuple(texts)
        self._bytes = tuple(text.encode() for text in texts if text.isascii())

    def are_in(self, body: bytes, *, in_pieces: bool) -> bool:
        """Whether any of them is in a body; `in_pieces`: which may have come in pieces, as an answer may."""
        if body.isascii():
            if _any_in(self._bytes, body.lower()):
                return True
        elif self._are_in_text(body.decode(errors="replace")):
            return True
        return any(map(self._are_in_text, _other_forms(body, in_pieces=in_pieces)))

    def _are_in_text(self, text: str) -> bool:
        return _any_in(self._texts, text.casefold())


def _any_in(parts: Sequence[Any], whole: Any) -> bool:
    return any(part in whole for part in parts)


def _other_forms(body: bytes, *, in_pieces: bool) -> Iterator[str]:
    if b"\\" in body:
        yield from _unescaped(body.decode(errors="replace"))
    if in_pieces:
        for text in _joined(_documents(body)):
            yield text
            yield from _unescaped(text)


def _unescaped(text: str) -> Iterator[str]:
    for _ in range(MAX_UNESCAPED):
        if "\\" not in text:
            return
        before, text = text, _unescaped_once(text)
        if text == before:
            return
        yield text


def _unescaped_once(text: str) -> str:
    if "\\\\" in text:
        return _ESCAPE.sub(lambda found: _character(found[0]), text)
    # No backslash stands for itself, so that every escape can be replaced wherever it is, which is far quicker
    for escape in sorted(set(_ESCAPE.findall(text)), key=len, reverse=True):
        text = text.replace(escape, _character(escape))
    return text


def _character(escape: str) -> str:
    if escape[1] != "u":
        return _PLAIN.get(escape[1], escape[1])
    first = int(escape[2:6], 16)
    if len(escape) == 6:
        return chr(first)
    return chr(0x10000 + ((first - 0xD800) << 10) + (int(escape[8:], 16) - 0xDC00))


def _documents(body: bytes) -> list[Any]:
    """The JSON documents that a body brings in pieces; none where it is one document, or no JSON."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"["):
        found = _decoded(start)
        return cast("list[Any]", found) if isinstance(found, list) else []
    pieces = [line.removeprefix(b"data:").lstrip() for line in start.splitlines()]
    pieces = [piece for piece in pieces if piece.startswith(b"{")]
    if len(pieces) < 2:
        return []
    whole = _decoded(b"[" + b",".join(pieces) + b"]")
    return whole if whole is not None else [_decoded(piece) for piece in pieces]


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


_Place = dict[Any, Any]
"""What is at a place: under a name the texts that stand there, under a tuple a place in it."""


def _joined(documents: Sequence[Any]) -> Iterator[str]:
    """The texts of each place, joined; those of a place with one text are not told again."""
    root: _Place = {}
    for document in documents:
        if isinstance(document, dict):
            _collect(cast("dict[str, Any]", document), root, MAX_DEPTH)
    return _texts(root)


def _texts(place: _Place) -> Iterator[str]:
    for inner in place.values():
        if isinstance(inner, dict):
            yield from _texts(cast("_Place", inner))
        elif len(inner) > 1:
            yield "".join(inner)


def _collect(document: dict[str, Any], place: _Place, depth: int) -> None:
    """Note every text under its place: the names on the way there, and what tells apart streams within one."""
    for name in _TELLING:
        told = document.get(name)
        if told is not None and not isinstance(told, (dict, list)):
            place = place.setdefault((name, told), {})
    for name, value in document.items():
        if isinstance(value, str):
            if name not in _LABELS:
                place.setdefault(name, []).append(value)
        elif isinstance(value, dict):
            if depth:
                _collect(cast("dict[str, Any]", value), place.setdefault((name,), {}), depth - 1)
        elif isinstance(value, list) and depth:
            inside = place.setdefault((name,), {})
            for position, each in enumerate(cast("list[Any]", value)):
                if isinstance(each, str):
                    inside.setdefault(str(position), []).append(each)
                elif isinstance(each, dict):
                    own = inside.setdefault((position,), {})
                    _collect(cast("dict[str, Any]", each), own, depth - 1)
