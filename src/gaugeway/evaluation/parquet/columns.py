"""The columns of a file, and a line of the plain format as a row of them, and back. Knows no library."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from gaugeway.core import ids
from gaugeway.core.errors import BadInput
from gaugeway.core.money import plain
from gaugeway.core.texts import is_text

Line = dict[str, Any]
Row = dict[str, Any]


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    BYTES = "bytes"
    COUNT = "a whole number"
    SMALL = "-1 or 1"
    NUMBER = "a number"
    MONEY = "an exact decimal"
    FLAG = "true or false"
    TIME = "a timestamp"


MONEY_DIGITS, MONEY_SCALE = 38, 18
"""Digits of amounts of money, and how many of them are behind the point: our own costs have at most 12 there."""

ABOUT_THE_ITEM = {
    "log_id": Kind.TEXT,
    "created_at": Kind.TIME,  # in the log id; for whoever reads the file, and not read here
    "hash": Kind.TEXT,
    "erased": Kind.FLAG,
    "expected": Kind.TEXT,
}
CONTENT = {
    "provider": Kind.TEXT,
    "model": Kind.TEXT,
    "model_type": Kind.TEXT,
    "path": Kind.TEXT,
    "method": Kind.TEXT,
    "request_type": Kind.TEXT,
    "outcome": Kind.TEXT,
    "status_code": Kind.COUNT,
    "duration": Kind.COUNT,
    "first_byte_ms": Kind.COUNT,
    "tokens_in": Kind.COUNT,
    "tokens_out": Kind.COUNT,
    "cost": Kind.MONEY,
    "cost_saved": Kind.MONEY,
    "event_id": Kind.TEXT,
    "user_agent": Kind.TEXT,
    "authentication": Kind.FLAG,
    "request_content_type": Kind.TEXT,
    "response_content_type": Kind.TEXT,
    "error": Kind.TEXT,
    "metadata": Kind.TEXT,  # JSON: its values are texts, numbers, true and false
    "feedback": Kind.SMALL,
    "score": Kind.NUMBER,
    "request": Kind.TEXT,
    "request_cut": Kind.FLAG,
    "response": Kind.TEXT,
    "response_cut": Kind.FLAG,
}
BODIES = ("request", "response")
BINARY = "_bytes"  # the column of a body that is no text
EXACT = "exact"
"""JSON of amounts that have more digits than their columns, which are null then."""
COLUMNS: dict[str, Kind] = {
    **ABOUT_THE_ITEM,
    **CONTENT,
    **{body + BINARY: Kind.BYTES for body in BODIES},
    EXACT: Kind.TEXT,
}
REQUIRED = ("provider", "request")
"""A file without these columns is of something else."""


def row_of(line: Line) -> Row:
    """A line of an export as a row."""
    log_id = ids.from_text(line["log_id"]) or bytes(16)
    row: Row = dict.fromkeys(COLUMNS)
    row |= {
        "log_id": line["log_id"],
        "created_at": datetime.fromtimestamp(ids.time_ms(log_id) / 1000, UTC),
        "hash": line["hash"],
        "erased": line.get("erased", False),
        "expected": line.get("expected"),
    }
    exact: dict[str, str] = {}
    content = cast("Line", line.get("content", {}))
    for name, value in content.items():
        kind = CONTENT[name]  # a KeyError here is a field that a file would lose
        if name in BODIES and not isinstance(value, str):
            row[name + BINARY] = b64decode(value["base64"])
        elif name == "metadata":
            row[name] = _json(value)
        elif kind is not Kind.MONEY:
            row[name] = value
        elif _fits(amount := Decimal(value)):
            row[name] = amount
        else:
            exact[name] = value
    row[EXACT] = _json(exact) if exact else None
    return row


def line_of(row: Row) -> Line:
    """A row as the line that it was, or that it might have been; BadInput where it cannot be one."""
    line: Line = {name: row[name] for name in ("log_id", "hash") if row.get(name) is not None}
    if row.get("erased"):
        return {**line, "erased": True}
    content: Line = {}
    for name, kind in CONTENT.items():
        value = row.get(name)
        if value is None or value is False:
            continue
        content[name] = plain(value) if kind is Kind.MONEY else value
    if "metadata" in content:
        content["metadata"] = _object("metadata", content["metadata"])
    for body in BODIES:
        raw = row.get(body + BINARY)
        if raw is not None:
            _only_once(content, body, body + BINARY)
            content[body] = {"base64": b64encode(raw).decode()}
    for name, value in _object(EXACT, row[EXACT]).items() if row.get(EXACT) is not None else ():
        if CONTENT.get(name) is not Kind.MONEY:
            raise BadInput(f"It holds more than amounts of money: {name[:80]!r}", (EXACT,))
        _only_once(content, name, EXACT)
        content[name] = value
    return {**line, "expected": row.get("expected"), "content": content}


def _fits(amount: Decimal) -> bool:
    whole, _, fraction = plain(amount).partition(".")
    return len(fraction) <= MONEY_SCALE and len(whole) <= MONEY_DIGITS - MONEY_SCALE


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text if is_text(text) else json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _object(name: str, text: str) -> Line:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput("Expected a JSON object", (name,))
    return cast("Line", found)


def _only_once(content: Line, name: str, column: str) -> None:
    if name in content:
        raise BadInput(f"The column {name} has a value too, and only one of them can count", (column,))
