"""Filters as they arrive: in JSON bodies, and in the three encodings of a query string (contract 1.8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Discriminator, Tag, TypeAdapter, ValidationError

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.model import Join, RawCriterion, RawFilter, RawGroup
from gaugeway.core.query import Kind, kind_of
from gaugeway.management.validation import Body, relocated, scalar_or_null, tag

QUERY_PATH: Path = ("query", "filters")
_PARTS = {"filters.key": "key", "filters.operator": "operator", "filters.value": "value"}


class FilterBody(Body):
    """One filter, with any key and operator: what they may be depends on where it is used."""

    key: str
    operator: str
    value: list[Annotated[Any, AfterValidator(scalar_or_null)]]

    def to_raw(self) -> RawFilter:
        """The filter as the core knows it."""
        return RawFilter(self.key, self.operator, self.value)


class _GroupBody(Body):
    """Filters that are joined (an extension); groups may hold groups."""

    join: ClassVar[Join]

    def to_raw(self) -> RawGroup:
        """The group as the core knows it."""
        filters: list[CriterionBody] = getattr(self, self.join)
        return RawGroup(self.join, [item.to_raw() for item in filters])


class AllOfBody(_GroupBody):
    """Logs that match every one of the filters."""

    join = Join.ALL_OF
    all_of: list[CriterionBody]


class AnyOfBody(_GroupBody):
    """Logs that match at least one of the filters."""

    join = Join.ANY_OF
    any_of: list[CriterionBody]


class NoneOfBody(_GroupBody):
    """Logs that match none of the filters: all that any_of leaves out, also where something is unknown."""

    join = Join.NONE_OF
    none_of: list[CriterionBody]


def _form_of(value: Any) -> str:
    if isinstance(value, dict):
        return next((tag(join) for join in Join if join in value), tag("filter"))
    return tag(value.join) if isinstance(value, _GroupBody) else tag("filter")


CriterionBody = Annotated[
    Annotated[FilterBody, Tag(tag("filter"))]
    | Annotated[AllOfBody, Tag(tag(Join.ALL_OF))]
    | Annotated[AnyOfBody, Tag(tag(Join.ANY_OF))]
    | Annotated[NoneOfBody, Tag(tag(Join.NONE_OF))],
    Discriminator(_form_of),
]
"""What a list of filters may hold."""

for _body in (AllOfBody, AnyOfBody, NoneOfBody):
    _body.model_rebuild()
_FILTERS = TypeAdapter(list[CriterionBody])


def read_query(pairs: Sequence[tuple[str, str]]) -> list[RawCriterion]:
    """The filters of a query string given as its (name, value) pairs in their order. Raises BadInput.

    - `filters=<JSON array>`, the only one that can have groups
    - `filters.key`, `filters.operator`, `filters.value` once per filter, one filter after the other
      (the TypeScript SDK)
    - the same, but all keys, then all operators, then all values (the Python SDK)
    """
    documents = [value for name, value in pairs if name == "filters"]
    dotted = [(_PARTS[name], value) for name, value in pairs if name in _PARTS]
    if documents and dotted:
        raise BadInput("Send filters either as JSON or as filters.key, filters.operator, filters.value", QUERY_PATH)
    if len(documents) > 1:
        raise BadInput("Expected one JSON array, received several", QUERY_PATH)
    if documents:
        return _from_json(documents[0])
    return [*_from_dotted(dotted)]


def _from_json(text: str) -> list[RawCriterion]:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"Malformed JSON: {problem}", QUERY_PATH) from problem
    try:
        return [item.to_raw() for item in _FILTERS.validate_python(decoded)]
    except ValidationError as problem:
        raise relocated(problem, QUERY_PATH) from problem


def _from_dotted(parts: Sequence[tuple[str, str]]) -> list[RawFilter]:
    """Split a sequence of parts into filters: a part that comes back after others begins the next filter."""
    runs = [(part, [value for _, value in group]) for part, group in groupby(parts, key=lambda pair: pair[0])]
    found: list[dict[str, list[str]]] = []
    for part, values in runs:
        if not found or part in found[-1]:
            found.append({})
        found[-1][part] = values
    if len(found) == 1:
        return _from_groups(found[0])
    return [_one(item, index) for index, item in enumerate(found)]


def _one(item: dict[str, list[str]], index: int) -> RawFilter:
    for part in ("key", "operator"):
        if len(item.get(part, ())) != 1:
            message = "Required" if part not in item else "Each filter has one key and one operator"
            raise BadInput(message, (*QUERY_PATH, index, part))
    if "value" not in item:
        raise BadInput("Required", (*QUERY_PATH, index, "value"))
    return _raw(item["key"][0], item["operator"][0], item["value"])


def _raw(key: str, operator: str, texts: Sequence[str]) -> RawFilter:
    """The TypeScript SDK writes null as an empty text, so that an empty text means null as well."""
    values: list[str | int | float | bool | None] = []
    for text in texts:
        if text == "" and operator in ("eq", "neq"):
            values.extend(("", None) if kind_of(key) is Kind.TEXT else (None,))
        else:
            values.append(text)
    return RawFilter(key, operator, values)


def _from_groups(groups: dict[str, list[str]]) -> list[RawFilter]:
    """All keys, all operators, all values: which value belongs to which filter shows only in their number."""
    keys, operators = groups.get("key", []), groups.get("operator", [])
    values = groups.get("value", [])
    if len(keys) <= 1:
        return [_one(groups, 0)]
    if len(operators) != len(keys):
        message = f"There are {len(keys)} keys but {len(operators)} operators"
        raise BadInput(message, (*QUERY_PATH, min(len(keys), len(operators)), "operator"))
    if len(values) != len(keys):
        raise BadInput(
            f"There are {len(keys)} filters but {len(values)} values, so it cannot be told which value belongs"
            " to which filter. Send filters as one JSON array: filters=[{...}]",
            QUERY_PATH,
        )
    return [RawFilter(key, operator, [value]) for key, operator, value in zip(keys, operators, values, strict=True)]
