"""What analytics are asked for: the range of time, its buckets and its groups, within bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct
from pydantic import Field

from gaugeway.core import timestamps
from gaugeway.core.analytics import Bucket, GroupBy
from gaugeway.core.errors import BadInput
from gaugeway.management.validation import Query

MAX_BUCKETS = 1500  # a day of minutes, two months of hours, four years of days
MAX_POINTS = 5000  # buckets x groups: some 5 MB of JSON
MAX_TOP = 100
HOUR_MS, DAY_MS = Bucket.HOUR.ms, Bucket.DAY.ms
MINUTES_UP_TO_MS = 3 * HOUR_MS
HOURS_UP_TO_MS = 8 * DAY_MS


class Span(Struct, frozen=True):
    """A range of time, [start_ms, end_ms), in buckets."""

    start_ms: int
    end_ms: int
    bucket: Bucket

    def starts(self) -> range:
        """Where the buckets begin; the first one may begin before the range."""
        length = self.bucket.ms
        return range(self.start_ms // length * length, self.end_ms, length)

    def bounds(self) -> list[tuple[int, int]]:
        """Beginning and end of each bucket, as far as it is within the range."""
        length = self.bucket.ms
        return [(max(start, self.start_ms), min(start + length, self.end_ms)) for start in self.starts()]


class AnalyticsQuery(Query):
    """The query of analytics."""

    start: str | None = Field(
        None,
        description="RFC 3339; without a zone it is UTC; a bare date is its midnight. Without it: a day before"
        " `end`, and then the beginning of that hour.",
    )
    end: str | None = Field(None, description="Not included itself. Now, where it is left out.")
    bucket: Literal["auto", "minute", "hour", "day"] = Field(
        "auto", description="`auto`: minutes up to 3 hours, hours up to 8 days, days beyond that."
    )
    group_by: Literal["none", "gateway", "provider", "model", "outcome", "success", "cached"] = "none"
    top: Annotated[int, Field(ge=1, le=MAX_TOP)] | None = Field(
        None, description="Tell apart the groups with the most requests only; the others are one series."
    )

    def grouped_by(self) -> GroupBy | None:
        """What parts logs into groups."""
        return None if self.group_by == "none" else GroupBy(self.group_by)

    def span(self, now_ms: int) -> Span:
        """The range and its buckets; BadInput where there is none, or there are too many buckets."""
        end = now_ms if self.end is None else _moment(self.end, "end")
        start = (end - DAY_MS) // HOUR_MS * HOUR_MS if self.start is None else _moment(self.start, "start")
        if start < 0:
            raise BadInput("Expected a time after 1970", ("query", "start"))
        if start >= end:
            raise BadInput("start must be before end", ("query", "start"))
        span = Span(start, end, _bucket(self.bucket, end - start))
        number = len(span.starts())
        if number > MAX_BUCKETS:
            raise BadInput(
                f"At most {MAX_BUCKETS} buckets are answered, and this range has {number} of one {span.bucket}:"
                " choose longer buckets or a shorter range",
                ("query", "start" if span.bucket is Bucket.DAY else "bucket"),
            )
        return span


def check_size(buckets: int, groups: int) -> None:
    """BadInput where an answer would hold too many figures."""
    if buckets * groups > MAX_POINTS:
        raise BadInput(
            f"At most {MAX_POINTS} figures (buckets times groups) are answered, and this would be {buckets} times"
            f" {groups}: choose longer buckets, a shorter range, or `top`",
            ("query", "group_by"),
        )


def too_much(span: Span, most: int) -> BadInput:
    """What to do where a range cannot be answered from the sums that are kept of each hour."""
    if span.bucket is Bucket.MINUTE:
        what, name = "choose hours or days as buckets, or a shorter range", "bucket"
    else:
        what, name = "begin the range at a whole hour, and end it at one or now", "start"
    return BadInput(f"More than {most} logs would have to be read one by one: {what}", ("query", name))


def _moment(text: str, name: str) -> int:
    ms = timestamps.from_rfc3339(text)
    if ms is None:
        raise BadInput("Expected an RFC 3339 time or a date", ("query", name))
    return ms


def _bucket(wanted: str, length_ms: int) -> Bucket:
    if wanted != "auto":
        return Bucket(wanted)
    if length_ms <= MINUTES_UP_TO_MS:
        return Bucket.MINUTE
    return Bucket.HOUR if length_ms <= HOURS_UP_TO_MS else Bucket.DAY
