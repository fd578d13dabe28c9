"""Which logs are meant: the parameters of listing and deleting logs (contract 1.8), as a `Where` and an order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Literal

from pydantic import Field

from gaugeway.core import ids, timestamps
from gaugeway.core.errors import BadInput
from gaugeway.core.model import Join, RawFilter
from gaugeway.core.money import PICO
from gaugeway.core.query import Criterion, Filter, FilterGroup, Operator, Where, parse, parse_all
from gaugeway.management.filters import QUERY_PATH, read_query
from gaugeway.management.paging import LAST_PAGE
from gaugeway.management.validation import Query, SearchText

OrderBy = Literal[
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
]
Direction = Literal["asc", "desc"]
Dollars = Annotated[float, Field(ge=0, le=1e6)] | None
Amount = Annotated[float, Field(ge=0, le=1e15)] | None
_EQUAL = (
    "cached",
    "success",
    "feedback",
    "model",
    "model_type",
    "provider",
    "request_content_type",
    "response_content_type",
)
_BOUNDED = {
    "cost": "cost",
    "duration": "duration",
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
    "total_tokens": "tokens",
}


class FilterParameters(Query):
    """Filters, as JSON (`filters`) or in parts; see `filters.read_query`."""

    filters: list[str] | None = Field(
        None, description="A JSON array of {key, operator, value: [...]} and groups of them."
    )
    filter_keys: list[str] | None = Field(None, alias="filters.key")
    filter_operators: list[str] | None = Field(None, alias="filters.operator")
    filter_values: list[str] | None = Field(None, alias="filters.value")


class LogDeletion(FilterParameters):
    """The query of a deletion."""

    order_by: OrderBy = "created_at"
    order_by_direction: Direction = "asc"
    limit: int = Field(10_000, ge=1, le=10_000)


class LogList(FilterParameters):
    """The query of a log list. Those that `filters` can say as well are deprecated at Cloudflare."""

    page: int = Field(1, ge=1, le=LAST_PAGE)
    per_page: int = Field(20, ge=1, le=50)
    order_by: OrderBy = "created_at"
    order_by_direction: Direction | None = None
    search: SearchText = None
    meta_info: bool = False
    count: Literal["exact", "quick"] = Field(
        "quick",
        description="quick: total_count and meta_info are null where finding them would take long. exact: they are"
        " not.",
    )
    direction: Direction | None = None
    start_date: str | None = None
    end_date: str | None = None
    cached: bool | None = None
    success: bool | None = None
    feedback: Annotated[int, Field(ge=-1, le=1)] | None = None
    model: str | None = None
    model_type: str | None = None
    provider: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
    min_cost: Dollars = None
    max_cost: Dollars = None
    min_duration: Amount = None
    max_duration: Amount = None
    min_tokens_in: Amount = None
    max_tokens_in: Amount = None
    min_tokens_out: Amount = None
    max_tokens_out: Amount = None
    min_total_tokens: Amount = None
    max_total_tokens: Amount = None

    @property
    def descending(self) -> bool:
        """The direction; BadInput where both parameters for it are there and disagree."""
        if self.direction and self.order_by_direction and self.direction != self.order_by_direction:
            raise BadInput("direction and order_by_direction disagree: send only one", ("query", "direction"))
        return (self.order_by_direction or self.direction or "desc") == "desc"


def where_of(pairs: Sequence[tuple[str, str]], simple: LogList | None = None) -> Where:
    """The logs that a query string's filters, and the simple parameters where there are any, select."""
    filters = parse_all(read_query(pairs), QUERY_PATH, for_dataset=False)
    if simple is not None:
        filters = (*filters, *_equals(simple), *_bounds(simple), *_dates(simple))
    criteria = tuple(map(_with_given_event_id, filters))
    return Where((criteria,), search=(simple and simple.search) or None)


def _equals(simple: LogList) -> list[Filter]:
    found: list[Filter] = []
    for name in _EQUAL:
        value = getattr(simple, name)
        if value is not None:
            found.append(parse(RawFilter(name, "eq", [value]), ("query", name), for_dataset=False))
    return found


def _bounds(simple: LogList) -> list[Filter]:
    """min_ and max_ include their bound, the filters' gt and lt do not: one unit lies between them."""
    found: list[Filter] = []
    for name, key in _BOUNDED.items():
        unit = PICO if key == "cost" else Decimal(1)
        low, high = getattr(simple, f"min_{name}"), getattr(simple, f"max_{name}")
        if low is not None:
            units = (Decimal(str(low)) / unit).to_integral_value(ROUND_CEILING) - 1
            found.append(Filter(key, Operator.GT, (_amount(units, unit),)))
        if high is not None:
            units = (Decimal(str(high)) / unit).to_integral_value(ROUND_FLOOR) + 1
            found.append(Filter(key, Operator.LT, (_amount(units, unit),)))
    return found


def _amount(units: Decimal, unit: Decimal) -> Decimal | int:
    return units * unit if unit == PICO else int(units)


def _dates(simple: LogList) -> list[Filter]:
    found: list[Filter] = []
    for name, operator, outward in (("start_date", Operator.GT, -1), ("end_date", Operator.LT, 1)):
        text = getattr(simple, name)
        if text is None:
            continue
        ms = timestamps.from_rfc3339(text)
        if ms is None:
            raise BadInput("Expected an RFC 3339 time or a date", ("query", name))
        found.append(Filter("created_at", operator, (ms + outward,)))
    return found


def _with_given_event_id(item: Criterion) -> Criterion:
    """A log whose client sent no event id is shown, and was answered, with its own id as event id.

    The column is empty then, so `event_id eq` and `neq` also look at the id.
    """
    if isinstance(item, FilterGroup):
        return FilterGroup(item.join, tuple(map(_with_given_event_id, item.criteria)))
    if item.key != "event_id" or item.operator not in (Operator.EQ, Operator.NEQ):
        return item
    if None in item.values:  # null asks about the column itself: whether the client sent one
        return item
    named = [ids.from_text(value) for value in item.values if isinstance(value, str)]
    own = tuple(identifier for identifier in named if identifier is not None)
    not_sent = Filter("event_id", Operator.EQ, (None,))
    if own:
        its_own = FilterGroup(Join.ALL_OF, (not_sent, Filter("id", item.operator, own)))
        return FilterGroup(Join.ANY_OF, (item, its_own))
    return item if item.operator is Operator.EQ else FilterGroup(Join.ANY_OF, (item, not_sent))
