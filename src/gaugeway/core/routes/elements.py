"""The elements of a route as they travel and are kept (contract 1.10). Older spellings are read only."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta, Struct, field

from gaugeway.core.errors import BadInput, Path

MAX_ELEMENTS = 100
MAX_ID = 128
MAX_ATTEMPTS = 5
MAX_TIMEOUT_MS = 3_600_000
MAX_WINDOW_S = 366 * 86_400

ElementId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
ModelName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """Where an element leads."""

    element_id: ElementId = field(name="elementId")


class NextOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `start`."""

    next: Output


class EitherOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `conditional`."""

    true_: Output = field(name="true")
    false_: Output = field(name="false")


class TriedOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """Of `rate` and `model`."""

    success: Output
    fallback: Output


class Start(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="start"):
    """Where each request begins."""

    id: ElementId
    outputs: NextOutput


class ConditionalProperties(Struct, frozen=True, forbid_unknown_fields=True):
    """See conditions.py."""

    conditions: dict[str, Any]


class Conditional(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="conditional"):
    """Two ways, by what the request says."""

    id: ElementId
    properties: ConditionalProperties
    outputs: EitherOutput


class Percentage(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="percentage"):
    """Several ways, by chance: labels are shares like `10%`, and `else` for the rest."""

    id: ElementId
    outputs: dict[str, Output]


class RateProperties(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much may pass in how long. Requests with the same value at `key` count together; "": all of them."""

    limit_type: Literal["count", "cost"] = field(name="limitType")
    key: str
    limit: float | int  # requests, or dollars
    window: Annotated[int, Meta(ge=1, le=MAX_WINDOW_S)]  # seconds
    technique: Literal["fixed", "sliding"] = "fixed"


class RateElement(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="rate"):
    """Two ways, by what has passed."""

    id: ElementId
    properties: RateProperties
    outputs: TriedOutput


class ModelProperties(Struct, frozen=True, forbid_unknown_fields=True):
    """Which model of which provider; `custom` and `metadata.x`: the `{provider}/{model}` that the request names."""

    provider: Annotated[str, Meta(min_length=1, max_length=128)]
    model: ModelName
    timeout: Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS)]  # ms until the first byte
    retries: Annotated[int, Meta(ge=0, le=MAX_ATTEMPTS - 1)]  # attempts beyond the first


class ModelElement(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="model"):
    """A model that is asked. It goes on at `fallback` where it fails."""

    id: ElementId
    properties: ModelProperties
    outputs: TriedOutput


class End(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="end"):
    """Nothing comes after it."""

    id: ElementId
    outputs: dict[str, Output] = field(default_factory=dict[str, Output])


Element: TypeAlias = Start | Conditional | Percentage | RateElement | ModelElement | End

_OLD_TYPES = {"rate_limit": "rate"}
_OLD_PROPERTIES = {"condition": "conditions", "interval": "window"}
_WHOLE = ("limit", "window", "timeout", "retries")
_PLACE = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


def read_elements(sent: object) -> tuple[Element, ...]:
    """The elements of a decoded JSON list; raises BadInput whose path begins with an element's index."""
    if not isinstance(sent, list):
        raise BadInput("Expected an array of elements")
    items = cast("list[object]", sent)
    if not 1 <= len(items) <= MAX_ELEMENTS:
        raise BadInput(f"Expected 1 to {MAX_ELEMENTS} elements, not {len(items)}")
    return tuple(_read(item, index) for index, item in enumerate(items))


def as_json(elements: tuple[Element, ...]) -> str:
    """The list as it is kept and shown; BadInput where a text is not Unicode."""
    try:
        return msgspec.json.encode(elements).decode()
    except UnicodeEncodeError as problem:
        raise BadInput(f"text that is not valid Unicode cannot be kept: {problem.object!r:.100}") from problem


def _read(item: object, index: int) -> Element:
    try:
        return msgspec.convert(_respelled(item, index), type=Element)
    except msgspec.ValidationError as problem:
        message, _, place = str(problem).partition(" - at `$")
        raise BadInput(message.replace("`", "'"), (index, *_path(place.rstrip("`")))) from None


def _path(place: str) -> Path:
    return tuple(int(number) if number else name for number, name in _PLACE.findall(place))


def _respelled(item: object, index: int) -> object:
    """An element in today's words; whole numbers of JavaScript's kind (`60.0`) as what they are."""
    if not isinstance(item, dict):
        return item
    element = dict(cast("dict[str, Any]", item))
    kind = element.get("type")
    if isinstance(kind, str):
        element["type"] = _OLD_TYPES.get(kind, kind)
    properties = element.get("properties")
    if isinstance(properties, dict):
        renamed: dict[str, Any] = {}
        for name, value in cast("dict[str, Any]", properties).items():
            today = _OLD_PROPERTIES.get(name, name)
            if today in renamed:
                raise BadInput(f"'{today}' is given twice, in its old and its new spelling", (index, "properties"))
            renamed[today] = int(value) if today in _WHOLE and _is_whole(value) else value
        element["properties"] = renamed
    return element


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
