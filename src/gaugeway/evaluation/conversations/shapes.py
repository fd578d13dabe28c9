"""Careful access to JSON of unknown shape: what is not what it should be is as if it were absent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard, cast

import msgspec

Object = dict[str, Any]


def is_object(value: object) -> TypeGuard[Object]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def objects(value: object) -> Iterator[Object]:
    """The objects of a list."""
    if isinstance(value, list):
        yield from (item for item in cast("list[object]", value) if is_object(item))


def text(value: object) -> str:
    """The value where it is text."""
    return value if isinstance(value, str) else ""


def child(value: Object, name: str) -> Object:
    """The object under that name, or an empty one."""
    found = value.get(name)
    return found if is_object(found) else {}


def first(value: object) -> Object:
    """The first object of a list, or an empty one."""
    for item in objects(value):
        return item
    return {}


def joined(content: object, *kinds: str) -> str:
    """A content that is text, or a list of parts: the text of the parts of these `type`s, in order."""
    if isinstance(content, str):
        return content
    return "".join(text(part.get("text")) for part in objects(content) if part.get("type") in kinds)


def as_json(value: object) -> str:
    """A value as JSON text; text stays as it is, for arguments that are JSON already."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
