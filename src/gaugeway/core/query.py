"""Filters over logs: the one language that datasets, log lists and evaluations share.

A `RawFilter` is what was sent; `parse` turns it into a `Filter` whose values have the key's type, or says
what is wrong and where. Stores render `Filter`s, each in its own tongue; they never see raw input.

What a filter means (DESIGN section 6): eq, contains: any of the values; neq, not_contains: none of them; lt, gt:
exactly one. contains is case-insensitive. An unknown (null) column matches nothing, except eq/neq null in log
filters. `neq x` therefore does not match a null column; `neq null` matches every known one.

Groups of filters: any_of: at least one matches; all_of: each does; none_of: exactly the logs that any_of leaves
out, so that those whose column is unknown are among them.

Text is looked for in bodies as somebody would read it (`body_text.py`). A body that was not kept is unknown. Of one
that was cut, what its beginning contains is known, and the rest unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.filter_values import Kind, Value, parse_value
from gaugeway.core.model import Join, RawCriterion, RawFilter, RawGroup

MAX_FILTERS = 100
"""Filters and groups in one list, with all that is in its groups."""
MAX_DEPTH = 5
"""Groups within one another."""
MAX_VALUES = 1000
MAX_TEXTS = 20
"""Values of a filter on bodies: each is looked for in every one of them."""


class Operator(StrEnum):
    """How a column is compared."""

    EQ = "eq"
    NEQ = "neq"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"  # an extension
    LT = "lt"
    GT = "gt"


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
    "request_body": Kind.BODY,  # an extension, as the next one
    "response_body": Kind.BODY,
}
"""Every key a log filter may name (contract 1.8) and what its values are."""

METADATA = "metadata."
MAX_KEY = 200


def entry_of(key: str) -> str | None:
    """The name of the metadata's entry that a filter's key `metadata.NAME` means; None where it means none.

    `metadata.key` and `metadata.value` mean any entry, as they do at Cloudflare.
    """
    name = key.removeprefix(METADATA)
    return name if key not in KEYS and name != key and 0 < len(name) <= MAX_KEY else None


def kind_of(key: str) -> Kind | None:
    """What a filter key's values are; None where there is no such key."""
    return Kind.TEXT if entry_of(key) is not None else KEYS.get(key)


def _kind(key: str) -> Kind:
    kind = kind_of(key)
    if kind is None:
        raise ValueError(f"there is no filter key {key!r}")
    return kind


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
    # from here on extensions
    "id",
    "request_type",
    "model_type",
    "event_id",
    "user_agent",
    "authentication",
    "metadata.key",
    "metadata.value",
    "request_body",
    "response_body",
)
"""The keys a dataset's filters may name (contract 1.6), beside `metadata.NAME`."""

DATASET_OPERATORS = (Operator.EQ, Operator.CONTAINS, Operator.LT, Operator.GT, Operator.NEQ, Operator.NOT_CONTAINS)
"""The last two are extensions."""


class Filter(Struct, frozen=True):
    """A checked filter: `key` is of KEYS or `metadata.NAME`, `values` have the type of its Kind (None: null)."""

    key: str
    operator: Operator
    values: tuple[Value, ...]

    @property
    def kind(self) -> Kind:
        """What the values are."""
        return _kind(self.key)


class FilterGroup(Struct, frozen=True):
    """Checked filters, joined: see the head of this file."""

    join: Join
    criteria: tuple[Criterion, ...]


Criterion = Filter | FilterGroup
"""What a log may have to match."""


class Where(Struct, frozen=True):
    """Which logs: those that match every criterion of at least one alternative, and lie in the id range.

    No alternative at all matches nothing; one empty alternative matches everything. Several datasets are
    several alternatives, so a log in two of them is still one log.
    """

    alternatives: tuple[tuple[Criterion, ...], ...] = ((),)
    search: str | None = None  # text in the metadata, case-insensitive
    until_ms: int | None = None  # only logs created at this moment or before
    entries: tuple[tuple[str, str], ...] = ()  # only logs whose metadata have every one: key, value as text

    @property
    def reads_bodies(self) -> bool:
        """Whether bodies have to be looked into, which takes far longer than columns."""
        return any(map(_reads_bodies, self.alternatives))


def _reads_bodies(criteria: Iterable[Criterion]) -> bool:
    return any(
        _reads_bodies(item.criteria) if isinstance(item, FilterGroup) else item.kind is Kind.BODY
        for item in criteria
    )


EVERYTHING = Where()


class Grouping(Struct, frozen=True):
    """What parts logs: their `provider`, `model` or `event_id`, or one entry of their `metadata`."""

    kind: str
    key: str = ""  # of the metadata

    def __str__(self) -> str:
        return METADATA + self.key if self.key else self.kind


GROUPS = ("provider", "model")
ITEMS = ("event_id",)


def parse_grouping(text: str, path: Path, kinds: Sequence[str] = GROUPS) -> Grouping:
    """From one of the kinds or `metadata.KEY`; raises BadInput."""
    if text in kinds:
        return Grouping(text)
    key = text.removeprefix(METADATA)
    if key and key != text and len(key) <= MAX_KEY:
        return Grouping("metadata", key)
    expected = ", ".join(f"'{kind}'" for kind in kinds)
    raise BadInput(f"Expected {expected} or 'metadata.KEY', received '{text[:80]}'", path)


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


def parse_all(raw: Sequence[RawCriterion], path: Path, *, for_dataset: bool) -> tuple[Criterion, ...]:
    """Check a list of filters and groups; raises BadInput that points at the first wrong part."""
    number = _number_of(raw)
    if number > MAX_FILTERS:
        raise BadInput(f"At most {MAX_FILTERS} filters are accepted, with all in groups; received {number}", path)
    return _parse_list(raw, path, for_dataset, depth=0)


def _number_of(raw: Sequence[RawCriterion]) -> int:
    return sum(1 + (_number_of(item.filters) if isinstance(item, RawGroup) else 0) for item in raw)


def _parse_list(raw: Sequence[RawCriterion], path: Path, for_dataset: bool, depth: int) -> tuple[Criterion, ...]:
    return tuple(
        _parse_group(item, (*path, index), for_dataset, depth + 1)
        if isinstance(item, RawGroup)
        else parse(item, (*path, index), for_dataset=for_dataset)
        for index, item in enumerate(raw)
    )


def _parse_group(raw: RawGroup, path: Path, for_dataset: bool, depth: int) -> FilterGroup:
    inside = (*path, raw.join.value)
    if depth > MAX_DEPTH:
        raise BadInput(f"At most {MAX_DEPTH} groups are accepted within one another", path)
    if not raw.filters:
        raise BadInput("A group needs at least one filter", inside)
    return FilterGroup(raw.join, _parse_list(raw.filters, inside, for_dataset, depth))


def as_sent(raw: RawCriterion) -> dict[str, Any]:
    """A filter or a group as JSON has it."""
    if isinstance(raw, RawGroup):
        return {raw.join.value: [as_sent(item) for item in raw.filters]}
    return {"key": raw.key, "operator": raw.operator, "value": raw.value}


def parse(raw: RawFilter, path: Path, *, for_dataset: bool) -> Filter:
    """Check one filter; raises BadInput."""
    keys = DATASET_KEYS if for_dataset else tuple(KEYS)
    if raw.key not in keys and entry_of(raw.key) is None:
        raise BadInput(_invalid_enum((*keys, "metadata.NAME"), raw.key), (*path, "key"))
    operators = DATASET_OPERATORS if for_dataset else tuple(Operator)
    if raw.operator not in operators:
        raise BadInput(_invalid_enum(operators, raw.operator), (*path, "operator"))
    operator, kind = Operator(raw.operator), _kind(raw.key)
    _check_operator_fits(operator, kind, raw.key, (*path, "operator"))
    _check_count(operator, raw.value, MAX_TEXTS if kind is Kind.BODY else MAX_VALUES, (*path, "value"))
    values = tuple(
        _parse_value(value, raw.key, operator, (*path, "value", index), nullable=not for_dataset)
        for index, value in enumerate(raw.value)
    )
    return Filter(raw.key, operator, values)


def _invalid_enum(allowed: Sequence[str], received: str) -> str:
    expected = " | ".join(f"'{item}'" for item in allowed)
    return f"Invalid enum value. Expected {expected}, received '{received}'"


def _check_operator_fits(operator: Operator, kind: Kind, key: str, path: Path) -> None:
    looking = (Operator.CONTAINS, Operator.NOT_CONTAINS)
    if kind is Kind.BODY and operator not in looking:
        raise BadInput(f"'{operator}' does not work on {key}: use contains or not_contains", path)
    if operator in looking and kind not in (Kind.TEXT, Kind.BODY):
        raise BadInput(f"'{operator}' works on text; {key} is a {kind.value}: use eq, lt or gt", path)
    ordered = (Kind.NUMBER, Kind.MONEY, Kind.TIME, Kind.ID, Kind.FEEDBACK)
    if operator in (Operator.LT, Operator.GT) and kind not in ordered:
        raise BadInput(f"'{operator}' works on numbers and times; {key} is a {kind.value}: use eq", path)


def _check_count(operator: Operator, values: Sequence[object], most: int, path: Path) -> None:
    if not values:
        raise BadInput("At least one value is required", path)
    if len(values) > most:
        raise BadInput(f"At most {most} values are accepted, received {len(values)}", path)
    if operator in (Operator.LT, Operator.GT) and len(values) != 1:
        raise BadInput(f"'{operator}' takes exactly one value, received {len(values)}", path)


def _parse_value(value: object, key: str, operator: Operator, path: Path, *, nullable: bool) -> Value:
    kind = _kind(key)
    compared = operator in (Operator.LT, Operator.GT)
    if value is None:
        if (nullable or kind is Kind.FEEDBACK) and operator in (Operator.EQ, Operator.NEQ):
            return None
        raise BadInput("null is not accepted here", path)
    try:
        return parse_value(kind, value, compared=compared)
    except ValueError as problem:
        raise BadInput(f"Expected {problem} for {key}, received {_shown(value)}", path) from problem


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
