"""Filters over logs: the one language that datasets, log lists and evaluations share.

A `RawFilter` is what was sent; `parse` turns it into a `Filter` whose values have the key's type, or says
what is wrong and where. Stores render `Filter`s, each in its own tongue; they never see raw input.

What a filter means (DESIGN section 6): eq, contains: any of the values; neq: none of them; lt, gt: exactly
one. contains is case-insensitive. An unknown (null) column matches nothing, except eq/neq null in log filters.
`neq x` therefore does not match a null column; `neq null` matches every known one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from gaugeway.core import ids, timestamps
from gaugeway.core.errors import BadInput, Path
from gaugeway.core.model import RawFilter

MAX_FILTERS = 100
MAX_VALUES = 1000


class Operator(StrEnum):
    """How a column is compared."""

    EQ = "eq"
    NEQ = "neq"
    CONTAINS = "contains"
    LT = "lt"
    GT = "gt"


class Kind(StrEnum):
    """The type of a key's values, after parsing."""

    TEXT = "text"  # str
    NUMBER = "number"  # int
    MONEY = "money"  # Decimal, dollars
    FLAG = "flag"  # bool
    TIME = "time"  # int, Unix ms
    ID = "id"  # bytes, a log's id
    FEEDBACK = "feedback"  # int -1 | 1, or None (0 and null both mean none)


KEYS: dict[str, Kind] = {
    "id": Kind.ID,
    "created_at": Kind.TIME,
    "request_content_type": Kind.TEXT,
    "response_content_type": Kind.TEXT,
    "request_type": Kind.TEXT,
    "success": Kind.FLAG,
    "cached": Kind.FLAG,
    "provider": Kind.TEXT,
    "model": Kind.TEXT,
    "model_type": Kind.TEXT,
    "cost": Kind.MONEY,
    "tokens": Kind.NUMBER,
    "tokens_in": Kind.NUMBER,
    "tokens_out": Kind.NUMBER,
    "duration": Kind.NUMBER,
    "feedback": Kind.FEEDBACK,
    "event_id": Kind.TEXT,
    "metadata.key": Kind.TEXT,
    "metadata.value": Kind.TEXT,
    "authentication": Kind.FLAG,
    "wholesale": Kind.FLAG,
    "compatibilityMode": Kind.FLAG,
    "dlp_action": Kind.TEXT,
    "user_agent": Kind.TEXT,
}
"""Every key a log filter may name (contract 1.8) and what its values are."""

DATASET_KEYS = (
    "created_at",
    "request_content_type",
    "response_content_type",
    "success",
    "cached",
    "provider",
    "model",
    "cost",
    "tokens",
    "tokens_in",
    "tokens_out",
    "duration",
    "feedback",
)
"""The keys a dataset's filters may name (contract 1.6)."""

DATASET_OPERATORS = (Operator.EQ, Operator.CONTAINS, Operator.LT, Operator.GT)

Value = str | int | Decimal | bool | bytes | None


class Filter(Struct, frozen=True):
    """A checked filter: `key` is one of KEYS, `values` have the type of its Kind (None: null)."""

    key: str
    operator: Operator
    values: tuple[Value, ...]

    @property
    def kind(self) -> Kind:
        """What the values are."""
        return KEYS[self.key]


class Where(Struct, frozen=True):
    """Which logs: those that match every filter of at least one alternative, and lie in the id range.

    No alternative at all matches nothing; one empty alternative matches everything. Several datasets are
    several alternatives, so a log in two of them is still one log.
    """

    alternatives: tuple[tuple[Filter, ...], ...] = ((),)
    search: str | None = None  # text in the metadata, case-insensitive
    until_ms: int | None = None  # only logs created at this moment or before


EVERYTHING = Where()

ORDERS = (
    "created_at",
    "provider",
    "model",
    "model_type",
    "success",
    "cached",
    "cost",
    "tokens_in",
    "tokens_out",
    "duration",
    "feedback",
)
"""What logs can be ordered by. Ties are in the order of time, in the same direction; unknown values come last."""


class Slice(Struct, frozen=True, kw_only=True):
    """Which page of an ordered list."""

    offset: int = 0
    limit: int = 20
    order_by: str = "created_at"
    descending: bool = True


def parse_all(raw: Sequence[RawFilter], path: Path, *, for_dataset: bool) -> tuple[Filter, ...]:
    """Check a list of filters; raises BadInput that points at the first wrong part."""
    if len(raw) > MAX_FILTERS:
        raise BadInput(f"At most {MAX_FILTERS} filters are accepted, received {len(raw)}", path)
    return tuple(parse(item, (*path, index), for_dataset=for_dataset) for index, item in enumerate(raw))


def parse(raw: RawFilter, path: Path, *, for_dataset: bool) -> Filter:
    """Check one filter; raises BadInput."""
    keys = DATASET_KEYS if for_dataset else tuple(KEYS)
    if raw.key not in keys:
        raise BadInput(_invalid_enum(keys, raw.key), (*path, "key"))
    operators = DATASET_OPERATORS if for_dataset else tuple(Operator)
    if raw.operator not in operators:
        raise BadInput(_invalid_enum(operators, raw.operator), (*path, "operator"))
    operator, kind = Operator(raw.operator), KEYS[raw.key]
    _check_operator_fits(operator, kind, raw.key, (*path, "operator"))
    _check_count(operator, raw.value, (*path, "value"))
    values = tuple(
        _parse_value(value, raw.key, operator, (*path, "value", index), nullable=not for_dataset)
        for index, value in enumerate(raw.value)
    )
    return Filter(raw.key, operator, values)


def _invalid_enum(allowed: Sequence[str], received: str) -> str:
    expected = " | ".join(f"'{item}'" for item in allowed)
    return f"Invalid enum value. Expected {expected}, received '{received}'"


def _check_operator_fits(operator: Operator, kind: Kind, key: str, path: Path) -> None:
    if operator is Operator.CONTAINS and kind is not Kind.TEXT:
        raise BadInput(f"'contains' works on text; {key} is a {kind.value}: use eq, lt or gt", path)
    ordered = (Kind.NUMBER, Kind.MONEY, Kind.TIME, Kind.ID, Kind.FEEDBACK)
    if operator in (Operator.LT, Operator.GT) and kind not in ordered:
        raise BadInput(f"'{operator}' works on numbers and times; {key} is a {kind.value}: use eq", path)


def _check_count(operator: Operator, values: Sequence[object], path: Path) -> None:
    if not values:
        raise BadInput("At least one value is required", path)
    if len(values) > MAX_VALUES:
        raise BadInput(f"At most {MAX_VALUES} values are accepted, received {len(values)}", path)
    if operator in (Operator.LT, Operator.GT) and len(values) != 1:
        raise BadInput(f"'{operator}' takes exactly one value, received {len(values)}", path)


def _parse_value(value: object, key: str, operator: Operator, path: Path, *, nullable: bool) -> Value:
    kind = KEYS[key]
    compared = operator in (Operator.LT, Operator.GT)
    if value is None:
        if (nullable or kind is Kind.FEEDBACK) and operator in (Operator.EQ, Operator.NEQ):
            return None
        raise BadInput("null is not accepted here", path)
    parsed = _PARSERS[kind](value, compared)
    if parsed is _WRONG:
        raise BadInput(f"Expected {_EXPECTED[kind]} for {key}, received {_shown(value)}", path)
    return parsed  # type: ignore[return-value]


_WRONG = object()
_EXPECTED = {
    Kind.TEXT: "a string",
    Kind.NUMBER: "a whole number",
    Kind.MONEY: "a number of dollars",
    Kind.FLAG: "true or false",
    Kind.TIME: "an RFC 3339 time or a date",
    Kind.ID: "a log id",
    Kind.FEEDBACK: "-1, 0 or 1",
}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _text(value: object, _compared: bool) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)  # a metadata value or a model name that looks like a number
    return value if isinstance(value, str) else _WRONG


def _flag(value: object, _compared: bool) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return bool(value) if value in (0, 1) else _WRONG


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _money(value: object, _compared: bool) -> object:
    number = _decimal(value)
    return _WRONG if number is None else number


def _number(value: object, compared: bool) -> object:
    number = _decimal(value)
    if number is None or abs(number) >= 1 << 62:
        return _WRONG
    if number != number.to_integral_value():
        # `tokens > 10.5` makes sense, `tokens == 10.5` can only be a mistake
        return number if compared else _WRONG
    return int(number)


def _time(value: object, _compared: bool) -> object:
    ms = timestamps.from_rfc3339(value) if isinstance(value, str) else None
    return _WRONG if ms is None else ms


def _id(value: object, _compared: bool) -> object:
    identifier = ids.from_text(value) if isinstance(value, str) else None
    return _WRONG if identifier is None else identifier


def _feedback(value: object, compared: bool) -> object:
    number = _decimal(value)
    if number is None or number not in (-1, 0, 1):
        return _WRONG
    if compared:
        return int(number)
    return int(number) or None


_PARSERS = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.ID: _id,
    Kind.FEEDBACK: _feedback,
}
