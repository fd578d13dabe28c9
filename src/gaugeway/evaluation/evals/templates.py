"""`{{item.question}}` and `{{sample.output_text}}` in a text become what the item and its answer hold.

One pass: what an item holds is never read as a template itself. What is not there is an error, and no empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from gaugeway.core.errors import GaugewayError

_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[\d+\])*")


class NotThere(GaugewayError):
    """A template names what the item does not hold."""


def filled(template: str, namespaces: Mapping[str, Any]) -> str:
    """The text with every place filled: texts as they are, everything else as JSON."""
    return _PLACE.sub(lambda match: as_text(looked_up(match[1], namespaces)), template)


def looked_up(path: str, namespaces: Mapping[str, Any]) -> Any:
    """What stands at `item.a.b[0].c`; NotThere."""
    if not _PATH.fullmatch(path):
        raise NotThere(f"{{{{{path[:80]}}}}} names nothing: expected a path such as item.question")
    found: Any = namespaces
    for name, index in _STEP.findall(path):
        if isinstance(found, Mapping) and name in found:
            found = cast("Mapping[str, Any]", found)[name]
        elif isinstance(found, list) and index and int(index) < len(cast("list[Any]", found)):
            found = cast("list[Any]", found)[int(index)]
        else:
            raise NotThere(f"{{{{{path[:80]}}}}} names what is not there")
    return found


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
