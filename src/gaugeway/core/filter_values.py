"""The values of filters: of which kind a key's are, and how what was sent becomes one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import isfinite

from gaugeway.core import ids, timestamps

Value = str | int | Decimal | bool | bytes | None


class Kind(StrEnum):
    """The type of a key's values, after parsing."""

    TEXT = "text"  # str
    NUMBER = "number"  # int
    MONEY = "money"  # Decimal, dollars
    FLAG = "flag"  # bool
    TIME = "time"  # int, Unix ms
    ID = "id"  # bytes, a log's id
    FEEDBACK = "feedback"  # int -1 | 1, or None (0 and null both mean none)
    BODY = "body"  # str, a part of it


def parse_value(kind: Kind, value: object, *, compared: bool) -> Value:
    """What was sent as a value of that kind (`compared`: for lt or gt); ValueError: what was expected instead."""
    parsed = _PARSERS[kind](value, compared)
    if parsed is _WRONG:
        raise ValueError(_EXPECTED[kind])
    return parsed  # type: ignore[return-value]


_WRONG = object()
_EXPECTED = {
    Kind.TEXT: "a string",
    Kind.BODY: "a string",
    Kind.NUMBER: "a whole number",
    Kind.MONEY: "a number of dollars",
    Kind.FLAG: "true or false",
    Kind.TIME: "an RFC 3339 time or a date",
    Kind.ID: "a log id",
    Kind.FEEDBACK: "-1, 0 or 1",
}


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
    Kind.BODY: _text,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.ID: _id,
    Kind.FEEDBACK: _feedback,
}
