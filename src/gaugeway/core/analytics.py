"""Figures over logs by time and by kind: what analytics count, and how a question about them is put."""

from __future__ import annotations

from collections import Counter
from decimal import Context, Decimal
from enum import StrEnum

from msgspec import Struct, field

from gaugeway.core.model import Outcome, Scope
from gaugeway.core.timings import Timings

Group = str | bool | None
"""What a group is called. None: all logs, where nothing is grouped by; else those of no group that is told apart,
and those of models and providers beyond the names that a store tells apart."""


EXACT = Context(prec=400)
"""In which sums of money are exact: a cost has at most some 120 digits."""


class Bucket(StrEnum):
    """How long a piece of time is. Pieces begin at whole minutes, hours and days of UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def ms(self) -> int:
        """Its length in ms."""
        return _LENGTHS[self]


_LENGTHS = {Bucket.MINUTE: 60_000, Bucket.HOUR: 3_600_000, Bucket.DAY: 86_400_000}


class GroupBy(StrEnum):
    """What parts logs into groups."""

    GATEWAY = "gateway"
    PROVIDER = "provider"
    MODEL = "model"
    OUTCOME = "outcome"
    SUCCESS = "success"
    CACHED = "cached"


class Question(Struct, frozen=True, kw_only=True):
    """Which logs to count, and how to part them."""

    account_id: str
    gateway_id: str | None = None  # None: all gateways of the account
    start_ms: int  # logs created at this moment or later
    end_ms: int  # and before this one
    bucket: Bucket
    group_by: GroupBy | None = None
    groups: frozenset[Group] | None = None  # the groups to tell apart, all others being None; None: every one


class Figures(Struct, kw_only=True):
    """What is counted over some logs. All sums are exact."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    tokens_in: int = 0  # of the logs that know theirs
    tokens_in_unknown: int = 0  # logs that do not
    tokens_out: int = 0
    tokens_out_unknown: int = 0
    cached_tokens_in: int = 0  # as far as providers reported them
    cost: Decimal = Decimal(0)  # dollars, of the logs whose cost is known
    cost_unknown: int = 0  # logs whose cost is not
    cost_saved: Decimal = Decimal(0)  # dollars that cached answers would have cost, where that is known
    cost_saved_unknown: int = 0  # cached answers for which it is not
    thumbs_up: int = 0
    thumbs_down: int = 0
    duration: Timings = field(default_factory=Timings)
    first_byte: Timings = field(default_factory=Timings)  # of the logs that have one

    @property
    def requests(self) -> int:
        """All logs."""
        return self.outcomes.total()

    @property
    def successes(self) -> int:
        """Logs whose `success` is true."""
        return sum(logs for outcome, logs in self.outcomes.items() if outcome.is_success)

    @property
    def cached(self) -> int:
        """Logs whose `cached` is true."""
        return self.outcomes[Outcome.CACHED]

    def add(self, other: Figures) -> None:
        """Count other logs in."""
        self.outcomes.update(other.outcomes)
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cost = EXACT.add(self.cost, other.cost)
        self.cost_saved = EXACT.add(self.cost_saved, other.cost_saved)
        for mine, its in ((self.duration, other.duration), (self.first_byte, other.first_byte)):
            mine.add(its.count, its.total, its.bins)


_COUNTS = (
    "tokens_in",
    "tokens_in_unknown",
    "tokens_out",
    "tokens_out_unknown",
    "cached_tokens_in",
    "cost_unknown",
    "cost_saved_unknown",
    "thumbs_up",
    "thumbs_down",
)

Point = tuple[int, Group]
"""Where figures belong: the beginning of the bucket in Unix ms, which may be before `start_ms`, and the group."""


class Total(Struct, frozen=True):
    """Figures over all logs that a gateway ever had of a provider: they only grow, whatever becomes of the logs."""

    gateway_id: str
    provider: str | None  # None: any that a store does not tell apart
    figures: Figures


class Difference(Struct, frozen=True):
    """A span of a gateway in which what analytics answer is not what the logs say."""

    scope: Scope
    bucket: Bucket
    start_ms: int
