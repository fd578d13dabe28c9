"""What a route may ask of a request: `body.*`, `headers.*`, `metadata.*`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.model import Metadata

MAX_PATH = 256
BODY, HEADERS, METADATA = "body", "headers", "metadata"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""What a request does not have, which is not null."""


class ValuePath(Struct, frozen=True):
    """A value's place. In the body each dot goes one level down, and a number is a place in a list.

    Metadata keys and header names may hold dots themselves, so all behind the first one is the name.
    """

    root: str
    steps: tuple[str, ...]


def read_path(text: str, at: Path) -> ValuePath:
    """The place that a text names; raises BadInput."""
    root, dot, rest = text.partition(".")
    if root not in (BODY, HEADERS, METADATA) or not dot or not rest or len(text) > MAX_PATH:
        raise BadInput(
            f"'{text[:64]}' names nothing of a request: expected body.*, headers.* or metadata.*, at most"
            f" {MAX_PATH} characters",
            at,
        )
    if root == BODY:
        steps = tuple(rest.split("."))
        if "" in steps:
            raise BadInput(f"'{text[:64]}' has a dot with nothing behind or before it", at)
        return ValuePath(root, steps)
    return ValuePath(root, (rest.lower() if root == HEADERS else rest,))


class RequestValues:
    """One request as routes see it. The body is read when something first asks for it, and then once."""

    def __init__(self, body: bytes, headers: Sequence[tuple[bytes, bytes]], metadata: Metadata | None) -> None:
        self._body = body
        self._headers = headers
        self._metadata = metadata or {}
        self._decoded: object = MISSING

    def get(self, path: ValuePath) -> object:
        """The value there, or MISSING. A header that is sent several times is one text, joined by `, `."""
        if path.root == METADATA:
            return self._metadata.get(path.steps[0], MISSING)
        if path.root == HEADERS:
            name = path.steps[0].encode("latin-1", "replace")
            found = [value.decode("latin-1") for key, value in self._headers if key == name]
            return ", ".join(found) if found else MISSING
        return self._in_body(path.steps)

    def _in_body(self, steps: tuple[str, ...]) -> object:
        if self._decoded is MISSING:
            try:
                self._decoded = msgspec.json.decode(self._body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self._decoded = None
        value: object = self._decoded
        for step in steps:
            value = _below(value, step)
        return value


def _below(value: object, step: str) -> object:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(step, MISSING)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(items):
            return items[int(step)]
    return MISSING
