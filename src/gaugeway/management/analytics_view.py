"""Analytics as the API shows them. The models describe the answer in `/openapi.json`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from gaugeway.core.analytics import Figures
from gaugeway.core.model import Outcome
from gaugeway.core.money import plain
from gaugeway.core.timings import Timings


class TimingsView(BaseModel):
    """Times in ms; null where `count` is 0."""

    count: int = Field(description="Requests that have the time.")
    mean: float | None
    p50: int | None = Field(description="Nearest rank; off by at most `percentile_error`, exact below 128 ms.")
    p90: int | None
    p95: int | None
    p99: int | None


class FiguresView(BaseModel):
    """What is counted over some logs. Sums are exact."""

    requests: int
    successes: int = Field(description="Requests whose `success` is true, those from the cache included.")
    errors: int = Field(description="All others; `outcomes` says how they ended.")
    cached: int = Field(description="Requests answered from the cache.")
    outcomes: dict[Outcome, int] = Field(description="Requests by how they ended; every outcome is there.")
    tokens_in: int = Field(description="Of the requests that know theirs.")
    tokens_in_unknown: int = Field(description="Requests that do not.")
    tokens_out: int
    tokens_out_unknown: int
    cached_tokens_in: int = Field(description="Input tokens that providers read from their own cache, as reported.")
    cost: str = Field(description="Dollars, an exact decimal: of the requests whose cost is known.")
    cost_unknown: int = Field(description="Requests whose cost is not known, and not in `cost`.")
    cost_saved: str = Field(description="Dollars that cached answers would have cost, where that is known.")
    cost_saved_unknown: int = Field(description="Cached answers for which it is not.")
    thumbs_up: int
    thumbs_down: int
    duration: TimingsView = Field(description="From arrival to the answer's last byte, of all requests.")
    first_byte_ms: TimingsView = Field(description="From arrival to the provider's first byte, where one came.")


class BucketView(BaseModel):
    """A piece of the range: [start, end)."""

    start: str
    end: str


class SeriesView(BaseModel):
    """The figures of one group."""

    group: str | bool | None = Field(description="null: all requests (nothing is grouped by), or `other`.")
    other: bool = Field(description="Whether this sums the groups that are not told apart.")
    totals: FiguresView
    points: list[FiguresView] = Field(description="One for each of `buckets`, in their order.")


class AnalyticsView(BaseModel):
    """Figures over a range of time."""

    start: str
    end: str
    bucket: Literal["minute", "hour", "day"]
    group_by: Literal["none", "gateway", "provider", "model", "outcome", "success", "cached"]
    percentile_error: float = Field(description="How far a percentile may be off, as a part of it.")
    buckets: list[BucketView]
    totals: FiguresView = Field(description="Over the whole range and all groups.")
    series: list[SeriesView] = Field(description="Most requests first, `other` last.")


class AnalyticsAnswer(BaseModel):
    """The envelope of analytics."""

    success: Literal[True]
    errors: list[Any]
    messages: list[dict[str, Any]]
    result: AnalyticsView


PERCENTS = (50, 90, 95, 99)


def show(figures: Figures) -> dict[str, Any]:
    """As FiguresView."""
    requests, successes = figures.requests, figures.successes
    return {
        "requests": requests,
        "successes": successes,
        "errors": requests - successes,
        "cached": figures.cached,
        "outcomes": {outcome.value: figures.outcomes[outcome] for outcome in Outcome},
        "tokens_in": figures.tokens_in,
        "tokens_in_unknown": figures.tokens_in_unknown,
        "tokens_out": figures.tokens_out,
        "tokens_out_unknown": figures.tokens_out_unknown,
        "cached_tokens_in": figures.cached_tokens_in,
        "cost": plain(figures.cost),
        "cost_unknown": figures.cost_unknown,
        "cost_saved": plain(figures.cost_saved),
        "cost_saved_unknown": figures.cost_saved_unknown,
        "thumbs_up": figures.thumbs_up,
        "thumbs_down": figures.thumbs_down,
        "duration": _show_timings(figures.duration),
        "first_byte_ms": _show_timings(figures.first_byte),
    }


def show_series(group: str | bool | None, totals: Figures, points: list[dict[str, Any]], *, other: bool) -> Any:
    """As SeriesView."""
    return {"group": group, "other": other, "totals": show(totals), "points": points}


def _show_timings(timings: Timings) -> dict[str, Any]:
    values = timings.percentiles(*PERCENTS)
    shown: dict[str, Any] = {"count": timings.count, "mean": timings.mean()}
    return shown | {f"p{percent}": value for percent, value in zip(PERCENTS, values, strict=True)}
