"""Conditions on a request, in MongoDB's manner: `{"metadata.plan": {"$in": ["free", "trial"]}}`.

A value that a request does not have equals only null, and lies in no order. Numbers are compared with numbers and
texts with texts; where they meet, nothing holds, but for a header, which is a text that is read as a number where a
number is asked for. Regular expressions are RE2's: linear in the text, whatever the expression.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.linear import Pattern, compile_linear
from gaugeway.core.routes.values import HEADERS, MISSING, RequestValues, ValuePath, read_path

Condition = Callable[[RequestValues], bool]
_Test = Callable[[object], bool]

MAX_TESTS = 500
"""Operators in one element's conditions."""
MAX_DEPTH = 20
MAX_PATTERN = 1000  # characters
MAX_CHOICES = 1000  # values of one $in
_PATTERN_MEMORY = 1 << 20  # bytes
_MAX_NUMBER = 1 << 63
_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?", re.ASCII)

_JOINS = ("$and", "$or")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def read_conditions(spec: object, at: Path) -> Condition:
    """The test that a conditions object describes; raises BadInput naming the place within it."""
    return _Reader().read(spec, at, 0)


class _Reader:
    """Reads one element's conditions, and counts what they hold."""

    def __init__(self) -> None:
        self._tests = 0

    def read(self, spec: object, at: Path, depth: int) -> Condition:
        fields = _as_object(spec, at, "a condition")
        if depth > MAX_DEPTH:
            raise BadInput(f"is nested deeper than {MAX_DEPTH} levels", at)
        return _all_of([self._read_entry(key, value, (*at, key), depth) for key, value in fields.items()])

    def _read_entry(self, key: str, value: object, at: Path, depth: int) -> Condition:
        if key == "$not":
            return _negated(self.read(value, at, depth + 1))
        if key in _JOINS:
            parts = [self.read(one, (*at, index), depth + 1) for index, one in enumerate(_as_list(value, at))]
            return _all_of(parts) if key == "$and" else _any_of(parts)
        if key.startswith("$"):
            raise BadInput(f"'{key[:32]}' stands for no condition here: expected $and, $or, $not or a path", at)
        path = read_path(key, at)
        test = self._read_tests(value, path, at, depth)
        return lambda request: test(request.get(path))

    def _read_tests(self, value: object, path: ValuePath, at: Path, depth: int) -> _Test:
        """What is asked of one value: operators, or a plain value to be equal to."""
        if not isinstance(value, dict):
            value = {"$eq": value}
        if depth > MAX_DEPTH:
            raise BadInput(f"is nested deeper than {MAX_DEPTH} levels", at)
        operators = _as_object(cast("object", value), at, "an operator")
        tests = [self._read_test(name, operand, path, (*at, name), depth) for name, operand in operators.items()]
        return tests[0] if len(tests) == 1 else lambda found: all(test(found) for test in tests)

    def _read_test(self, name: str, operand: object, path: ValuePath, at: Path, depth: int) -> _Test:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise BadInput(f"holds more than {MAX_TESTS} operators", at)
        if name == "$not":
            inner = self._read_tests(operand, path, at, depth + 1)
            return lambda found: not inner(found)
        read = _OPERATORS.get(name)
        if read is None:
            raise BadInput(f"'{name[:32]}' is no operator: expected {', '.join((*_OPERATORS, '$not'))}", at)
        return read(name, operand, path.root == HEADERS, at)


def _read_equal(name: str, operand: object, of_header: bool, at: Path) -> _Test:
    test = _equal_to(operand, of_header, at)
    return test if name == "$eq" else lambda found: not test(found)


def _read_in(name: str, operand: object, of_header: bool, at: Path) -> _Test:
    values = _as_list(operand, at)
    if len(values) > MAX_CHOICES:
        raise BadInput(f"holds more than {MAX_CHOICES} values", at)
    tests = [_equal_to(value, of_header, (*at, index)) for index, value in enumerate(values)]

    def is_in(found: object) -> bool:
        return any(test(found) for test in tests)

    return is_in if name == "$in" else lambda found: not is_in(found)


def _read_order(name: str, operand: object, of_header: bool, at: Path) -> _Test:
    compare = _ORDERS[name]
    if isinstance(operand, str):
        return lambda found: isinstance(found, str) and compare(found, operand)
    if not _is_number(operand):
        raise BadInput("expected a number or a text to compare with", at)
    _check_number(operand, at)

    def compared(found: object) -> bool:
        number = _number_of(found, of_header)
        return number is not None and compare(number, operand)

    return compared


def _read_exists(_name: str, operand: object, _of_header: bool, at: Path) -> _Test:
    if not isinstance(operand, bool):
        raise BadInput("expected true or false", at)
    return lambda found: (found is not MISSING) == operand


def _read_regex(_name: str, operand: object, _of_header: bool, at: Path) -> _Test:
    if not isinstance(operand, str) or len(operand) > MAX_PATTERN:
        raise BadInput(f"expected a regular expression of at most {MAX_PATTERN} characters", at)
    pattern = compile_pattern(operand, at)
    return lambda found: isinstance(found, str) and pattern.search(found) is not None


_OPERATORS: dict[str, Callable[[str, object, bool, Path], _Test]] = {
    "$eq": _read_equal,
    "$ne": _read_equal,
    "$in": _read_in,
    "$nin": _read_in,
    **dict.fromkeys(_ORDERS, _read_order),
    "$exists": _read_exists,
    "$regex": _read_regex,
}


def compile_pattern(text: str, at: Path) -> Pattern:
    """RE2's; raises BadInput for what it does not know (backreferences and look-around among it)."""
    try:
        return compile_linear(text, max_bytes=_PATTERN_MEMORY)
    except ValueError as problem:
        raise BadInput(f"is {problem}", at) from None


def _equal_to(operand: object, of_header: bool, at: Path) -> _Test:
    if operand is None:
        return lambda found: found is None or found is MISSING
    if isinstance(operand, bool):
        if of_header:
            raise BadInput('a header is a text: write "true" or "false"', at)
        return lambda found: found is operand
    if isinstance(operand, str):
        return lambda found: isinstance(found, str) and found == operand
    if not _is_number(operand):
        raise BadInput("expected a text, a number, true, false or null", at)
    _check_number(operand, at)
    return lambda found: _number_of(found, of_header) == operand


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_number(number: Any, at: Path) -> None:
    if not -_MAX_NUMBER < number < _MAX_NUMBER:  # nor is NaN
        raise BadInput("expected a finite number of at most 63 bits", at)


def _number_of(found: object, of_header: bool) -> float | None:
    if of_header and isinstance(found, str):
        return float(found) if _NUMBER.fullmatch(found) else None
    return cast("float", found) if _is_number(found) else None


def _all_of(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else lambda request: all(part(request) for part in parts)


def _any_of(parts: list[Condition]) -> Condition:
    return lambda request: any(part(request) for part in parts)


def _negated(part: Condition) -> Condition:
    return lambda request: not part(request)


def _as_object(value: object, at: Path, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadInput("expected an object", at)
    if not value:
        raise BadInput(f"is empty: expected {what}", at)
    return cast("dict[str, object]", value)


def _as_list(value: object, at: Path) -> list[object]:
    if not isinstance(value, list) or not value:
        raise BadInput("expected a list that is not empty", at)
    return cast("list[object]", value)
