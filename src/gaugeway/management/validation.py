"""From pydantic's findings to Cloudflare's: `{code: 7001, message, path}` with messages in Zod's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.money import PICO
from gaugeway.core.texts import is_text
from gaugeway.management.envelope import INVALID, ApiError

MAX_METADATA_TEXT = 4096  # characters
MAX_ERRORS = 20  # findings shown in one answer
_MAX_SHOWN = 80  # characters of somebody's input repeated in a message


class Body(BaseModel):
    """A request body: no key that is not known, no value of another type, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """A query string: no parameter that is not known; text becomes what it says."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=False)


Name = Annotated[str, Field(min_length=1, max_length=256)]
"""A name that people give to something."""
Identifier = Annotated[str, Field(max_length=256)]
"""The id of something, which may not be there."""
SearchText = Annotated[str, Field(max_length=1000)] | None
"""What a list's `search` looks for."""


def read_cap(amount: float, path: Path) -> Decimal:
    """Dollars as they are kept; BadInput where so few would be kept as none, with which nothing could be done."""
    kept = Decimal(repr(amount)).quantize(PICO)
    if not kept:
        raise BadInput(f"Too small: at least {PICO:f} dollars", path)
    return kept


def errors_of(found: Sequence[Mapping[str, Any]]) -> list[ApiError]:
    """Pydantic's findings (`error.errors()`) as errors to answer with."""
    return [ApiError(400, INVALID, _message(one), _path(one)) for one in found[:MAX_ERRORS]]


def relocated(problem: ValidationError, base: Path) -> BadInput:
    """The first finding about something that was itself found at `base`."""
    one = problem.errors()[0]
    return BadInput(_message(one), (*base, *_untagged(one["loc"])))


_TAG = "\0"


def tag(name: str) -> str:
    """The tag of one form of several, which pydantic puts into its paths, and which those of answers leave out."""
    return _TAG + name


def _untagged(loc: Sequence[str | int]) -> list[str | int]:
    return [part for part in loc if not (isinstance(part, str) and part.startswith(_TAG))]


def _path(one: Mapping[str, Any]) -> Path:
    loc = _untagged(one["loc"])
    if one["type"] == "json_invalid":
        return ("body",)
    if loc and loc[0] == "path":
        loc[0] = "params"
    return tuple(loc)


def _message(one: Mapping[str, Any]) -> str:
    written = _MESSAGES.get(one["type"])
    if written is None:
        return str(one["msg"])
    return written(one.get("ctx", {}), one.get("input"))


def scalar(value: Any) -> Any:
    """A validator: string, finite number or boolean."""
    if isinstance(value, str) and not is_text(value):
        raise PydanticCustomError("string_unicode", "not text")
    if isinstance(value, float) and not isfinite(value):
        raise PydanticCustomError("finite_number", "not finite")
    if isinstance(value, (str, int, float)):
        return value
    kind = received(value)
    raise PydanticCustomError("scalar", "Expected string, number or boolean, received {kind}", {"kind": kind})


def scalar_or_null(value: Any) -> Any:
    """A validator: as `scalar`, or null."""
    return None if value is None else scalar(value)


def metadata_value(value: Any) -> Any:
    """A validator: a scalar that a metadata entry can hold."""
    value = scalar(value)
    if isinstance(value, str) and len(value) > MAX_METADATA_TEXT:
        raise ValueError(f"String must contain at most {MAX_METADATA_TEXT} character(s)")
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise ValueError("The number is too large")
    return value


def received(value: object) -> str:
    """The JSON type of a value, as Zod names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (str, bytes)):
        return "string"
    return "array" if isinstance(value, (list, tuple)) else "object"


def _whole_or_not(value: object) -> str:
    return "float" if isinstance(value, float) else received(value)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"'{text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + '...'}'"


Write = Callable[[Mapping[str, Any], object], str]


def _expected(kind: str) -> Write:
    return lambda _ctx, value: f"Expected {kind}, received {received(value)}"


def _enum(ctx: Mapping[str, Any], value: object) -> str:
    expected = str(ctx["expected"]).replace(" or ", " | ").replace(", ", " | ")
    shown = _quoted(value) if isinstance(value, str) else received(value)
    return f"Invalid enum value. Expected {expected}, received {shown}"


def _size(text: str, key: str) -> Write:
    return lambda ctx, _value: text.format(_plain(ctx[key]))


def _plain(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


_MESSAGES: dict[str, Write] = {
    "missing": lambda _ctx, _value: "Required",
    "extra_forbidden": lambda _ctx, _value: "Unrecognized key: this is not a parameter of this operation",
    "json_invalid": lambda ctx, _value: f"Malformed JSON: {ctx.get('error', 'it cannot be read')}",
    "recursion_loop": lambda _ctx, _value: "Nested too deeply",
    "literal_error": _enum,
    "string_type": _expected("string"),
    "string_unicode": lambda _ctx, _value: "The text holds half of a surrogate pair, which is no character",
    "int_type": lambda _ctx, value: f"Expected integer, received {_whole_or_not(value)}",
    "int_parsing": _expected("integer"),
    "int_parsing_size": lambda _ctx, _value: "The number is too large",
    "int_from_float": lambda _ctx, _value: "Expected integer, received float",
    "float_type": _expected("number"),
    "float_parsing": _expected("number"),
    "finite_number": lambda _ctx, _value: "Expected a finite number",
    "bool_type": _expected("boolean"),
    "bool_parsing": lambda _ctx, value: f"Expected boolean, received {_quoted(value)}",
    "list_type": _expected("array"),
    "dict_type": _expected("object"),
    "model_type": _expected("object"),
    "model_attributes_type": _expected("object"),
    "string_too_short": _size("String must contain at least {} character(s)", "min_length"),
    "string_too_long": _size("String must contain at most {} character(s)", "max_length"),
    "string_pattern_mismatch": _size("Invalid: it must match {}", "pattern"),
    "greater_than_equal": _size("Number must be greater than or equal to {}", "ge"),
    "greater_than": _size("Number must be greater than {}", "gt"),
    "less_than_equal": _size("Number must be less than or equal to {}", "le"),
    "less_than": _size("Number must be less than {}", "lt"),
    "too_short": _size("Array must contain at least {} element(s)", "min_length"),
    "too_long": _size("Array must contain at most {} element(s)", "max_length"),
    "value_error": lambda ctx, _value: str(ctx["error"]),
}
