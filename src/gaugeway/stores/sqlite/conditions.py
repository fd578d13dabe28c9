"""Pieces of SQL conditions with their bindings, joined without ever growing deep or long beyond SQLite's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct


class Condition(Struct, frozen=True):
    """A piece of SQL that is true, false or null for a log."""

    sql: str
    bindings: tuple[Any, ...] = ()


TRUE = Condition("TRUE")
FALSE = Condition("FALSE")

MAX_BOUND = 10
"""Texts of one list that are bound; longer lists are written into the query (SQLite binds at most 32,766)."""


def all_of(parts: Sequence[Condition]) -> Condition:
    """True where every part is."""
    if FALSE in parts:
        return FALSE
    return _join([part for part in parts if part != TRUE], " AND ", TRUE)


def any_of(parts: Sequence[Condition]) -> Condition:
    """True where at least one part is."""
    if TRUE in parts:
        return TRUE
    return _join([part for part in parts if part != FALSE], " OR ", FALSE)


def negated(part: Condition) -> Condition:
    """True where the part is false."""
    if part == TRUE:
        return FALSE
    return TRUE if part == FALSE else Condition(f"NOT ({part.sql})", part.bindings)


def left_out(part: Condition) -> Condition:
    """True wherever the part is not: where it is false, and where it is null."""
    return negated(part) if part in (TRUE, FALSE) else Condition(f"({part.sql}) IS NOT TRUE", part.bindings)


def is_in(column: str, values: Sequence[int | str | bytes]) -> Condition:
    """Whether a column has one of the values."""
    if not values:
        return FALSE
    texts = [value for value in values if isinstance(value, str)]
    bound = tuple(texts) if len(texts) <= MAX_BOUND else ()
    literals = ", ".join("?" if isinstance(value, str) and bound else literal(value) for value in values)
    return Condition(f"{column} IN ({literals})", bound)


def literal(value: int | str | bytes) -> str:
    """A value as SQL. Text goes as hexadecimal, so that nothing in it can be read as SQL."""
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return f"CAST(x'{value.encode().hex()}' AS TEXT)"


def _join(parts: Sequence[Condition], word: str, nothing: Condition) -> Condition:
    if not parts:
        return nothing
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2  # halves, so that a thousand parts are ten deep: SQLite allows 1000
    left, right = _join(parts[:middle], word, nothing), _join(parts[middle:], word, nothing)
    return Condition(f"({left.sql}{word}{right.sql})", left.bindings + right.bindings)
