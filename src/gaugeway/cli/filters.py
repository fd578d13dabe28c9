"""Dataset filters as one writes them on a command line.

`provider eq openai`, `provider=openai`, `cost gt 0.01`, `cost>0.01`, `tokens<100`, `model~gpt` (contains),
`model eq ["gpt-5", "gpt-5-mini"]` (any of).
"""

from __future__ import annotations

import re

import msgspec

from gaugeway.core.errors import BadInput
from gaugeway.core.model import RawFilter
from gaugeway.core.query import KEYS, Kind, parse

_WORDS = re.compile(r"\s*(?P<key>[\w.]+)\s+(?P<operator>[a-z]+)\s+(?P<value>.+?)\s*", re.DOTALL)
_SIGNS = re.compile(r"\s*(?P<key>[\w.]+)\s*(?P<operator>[=<>~])\s*(?P<value>(?!=).+?)\s*", re.DOTALL)
_OPERATORS = {"=": "eq", "<": "lt", ">": "gt", "~": "contains"}

Scalar = str | int | float | bool | None


def parse_filter(text: str) -> RawFilter:
    """One filter, checked; raises BadInput that repeats it and says what is wrong with it."""
    found = _SIGNS.fullmatch(text) or _WORDS.fullmatch(text)
    if found is None:
        raise BadInput(
            f"--filter {text!r}: expected KEY OPERATOR VALUE, such as 'provider eq openai' or 'cost>0.01'"
        )
    key = found["key"]
    operator = _OPERATORS.get(found["operator"], found["operator"])
    raw = RawFilter(key, operator, _values(found["value"], KEYS.get(key)))
    try:
        parse(raw, (), for_dataset=True)
    except BadInput as problem:
        raise BadInput(f"--filter {text!r}: {problem.message}") from problem
    return raw


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
