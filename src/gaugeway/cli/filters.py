"""Dataset filters as one writes them on a command line.

`provider eq openai`, `provider=openai`, `cost gt 0.01`, `cost>0.01`, `tokens<100`, `model~gpt` (contains),
`model eq ["gpt-5", "gpt-5-mini"]` (any of). A group is JSON, with expressions or filters in it:
`{"any_of": ["model~gpt", "cost>0.01"]}`, and so all_of and none_of.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from gaugeway.core.errors import BadInput
from gaugeway.core.model import Join, RawCriterion, RawFilter, RawGroup
from gaugeway.core.query import Kind, kind_of, parse_all

_WORDS = re.compile(r"\s*(?P<key>[\w.]+)\s+(?P<operator>[a-z_]+)\s+(?P<value>.+?)\s*", re.DOTALL)
_SIGNS = re.compile(r"\s*(?P<key>[\w.]+)\s*(?P<operator>[=<>~])\s*(?P<value>(?!=).+?)\s*", re.DOTALL)
_OPERATORS = {"=": "eq", "<": "lt", ">": "gt", "~": "contains"}

Scalar = str | int | float | bool | None


def parse_filter(text: str) -> RawCriterion:
    """One filter or group, checked; raises BadInput that repeats it and says what is wrong with it."""
    if is_group(text):
        return _group(text)
    raw = _one(text)
    _check(raw, text)
    return raw


def is_group(text: str) -> bool:
    """Whether an expression is a group, or means to be one."""
    return text.lstrip().startswith("{")


def _group(text: str) -> RawCriterion:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise BadInput(f"--filter {text!r}: a group is JSON, and this is not: {problem}") from problem
    raw = _element(document, text)
    _check(raw, text)
    return raw


def _element(value: object, text: str) -> RawCriterion:
    """What a JSON value in a group means."""
    if isinstance(value, str):
        return _one(value)
    try:
        items = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        for name, inner in items.items():
            if name in tuple(Join) and isinstance(inner, list) and len(items) == 1:
                return RawGroup(Join(name), [_element(each, text) for each in cast("list[object]", inner)])
        return msgspec.convert(value, _Whole).raw()
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise BadInput(
            f'--filter {text!r}: expected {{"any_of": [...]}}, all_of or none_of, with expressions such as'
            f' "model~gpt" in it ({problem or "it is nested too deeply"})'
        ) from problem


class _Whole(msgspec.Struct, forbid_unknown_fields=True):
    """A filter as the API has it."""

    key: str
    operator: str
    value: list[Scalar]

    def raw(self) -> RawFilter:
        """The filter as the core knows it."""
        return RawFilter(self.key, self.operator, self.value)


def _check(raw: RawCriterion, text: str) -> None:
    try:
        parse_all([raw], (), for_dataset=True)
    except BadInput as problem:
        where = ".".join(map(str, problem.path[1:] if isinstance(raw, RawGroup) else ()))
        raise BadInput(f"--filter {text!r}: {where}{': ' if where else ''}{problem.message}") from problem


def _one(text: str) -> RawFilter:
    found = _SIGNS.fullmatch(text) or _WORDS.fullmatch(text)
    if found is None:
        raise BadInput(
            f"--filter {text!r}: expected KEY OPERATOR VALUE, such as 'provider eq openai' or 'cost>0.01'"
        )
    key = found["key"]
    operator = _OPERATORS.get(found["operator"], found["operator"])
    return RawFilter(key, operator, _values(found["value"], kind_of(key)))


def _values(text: str, kind: Kind | None) -> list[Scalar]:
    if text.startswith("["):
        try:
            return msgspec.json.decode(text, type=list[Scalar])
        except msgspec.MsgspecError as problem:
            raise BadInput(f"--filter: {text!r} is no JSON list of texts, numbers and true or false") from problem
    return [_value(text, kind)]


def _value(text: str, kind: Kind | None) -> Scalar:
    """The JSON value of the key's kind, where the text is one; else the text, which the check then refuses."""
    if kind in (Kind.NUMBER, Kind.MONEY, Kind.FEEDBACK):
        try:
            return msgspec.json.decode(text, type=int | float)
        except msgspec.MsgspecError:
            return text
    if kind is Kind.FLAG and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text
