"""Monitors: live traffic evaluated window by window, and an alert where a drop is more than chance.

A window is a span of time; each follows the one before, so that every log is counted in exactly one. For each an
ordinary evaluation is made, and compared with a reference: the windows before it, or a named evaluation.

Whoever looks often sees a drop by chance sooner or later. So the chance of a false alarm is set for a week, and a
look has its part of it (Bonferroni): `alpha_of`. That holds however windows depend on one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from gaugeway.core.comparisons import Margin
from gaugeway.core.model import Dataset, Evaluation, Scope
from gaugeway.core.notices import Notice
from gaugeway.core.ports import Page
from gaugeway.core.replays import Judged

MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 24 * 60
MAX_INTERVAL = WEEK_MINUTES
MAX_SETTLE = 86_400
MAX_MONITORS = 100
"""Of one gateway."""
MAX_REFERENCE = 50
ASKED_LOOKS = 5
"""Windows a week that somebody asks for beside the schedule, and that are compared: they are reckoned in."""


FARTHEST_MS = MAX_INTERVAL * MINUTE_MS + MAX_SETTLE * 1000
"""How far ahead a window can be due. What is due later was reckoned by a clock that was ahead itself."""


class Finding(StrEnum):
    """What a window says of one evaluation type. In the order of what to look at first."""

    WORSE = "worse"  # than the reference, by more than chance and by the margin: an alert
    FAILED = "failed"  # there is no figure, or it failed on most logs: none was made, it was cancelled or deleted
    CAPPED = "cap reached"  # judges had no money left, so that only a part was judged: not compared
    NO_BASELINE = "no baseline"  # it was deleted, so nothing is compared until another is named
    NO_LOGS = "no logs"  # the window has none
    NOT_ENOUGH_LOGS = "not enough logs"  # with a figure, in the window or in the reference
    NO_REFERENCE = "no reference"  # there is nothing yet to compare with
    NOT_COMPARED = "not compared"  # the type has no good direction, or too many looks were asked for
    CANNOT_TELL = "cannot tell"  # the difference may be chance
    WITHIN_MARGIN = "worse within the margin"
    BETTER = "better"


FAILURES = (Finding.FAILED, Finding.CAPPED, Finding.NO_BASELINE, Finding.NO_LOGS)
"""What `notify_on_failure` tells of."""
SEVERITY = tuple(Finding)


class Rule(Struct, frozen=True, kw_only=True):
    """When a window raises an alert."""

    reference_windows: int = 7  # so many before it are pooled
    baseline_id: str | None = None  # an evaluation in their place
    min_logs: int = 30  # with a figure, on both sides
    weekly_alpha: float = 0.05  # the chance of any false alarm in a week, at most
    margins: dict[str, Margin] = field(default_factory=dict[str, Margin])  # by type: how much worse is no alert


class Monitor(Struct, frozen=True, kw_only=True):
    """What is watched, how, and how far it is."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str
    created_at: int
    modified_at: int
    enabled: bool
    interval_minutes: int  # windows end at its multiples, counted from 1970-01-01T00:00Z
    settle_seconds: int  # a window is evaluated so long after its end: requests end, people give feedback
    datasets: tuple[Dataset, ...]  # as they were when the monitor was made or changed
    types: tuple[Judged, ...]  # likewise
    share: float = 1.0  # of a window's logs, for evaluators that look at each
    max_items: int | None = None
    daily_max_cost: Decimal | None = None  # dollars; None: it has no judges
    cluster_by: str = ""  # "model", "provider" or "metadata.KEY": logs with the same are alike; "": none are
    rule: Rule = Rule()
    webhook_url: str = ""  # "": alerts are only kept
    notify_on_failure: bool = False
    keep_windows: int = 1000  # older ones go, with their evaluations
    revision: int = 1  # of what is measured: only windows of the same one are compared
    # How far it is:
    counted_until: int  # logs created up to this moment were counted, or came before the monitor
    due_at: int | None = None  # when the next window is made; None: it is not enabled
    is_asked: bool = False  # that window was asked for, and ends when it is made
    open_window: str = ""  # the window whose evaluation is under way
    open_evaluation: str = ""
    raised: tuple[str, ...] = ()  # what was told and has not passed: "{finding}:{type}"

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)


class Check(Struct, frozen=True, kw_only=True):
    """What one window says of one evaluation type. Numbers are in the type's unit."""

    type_id: str
    finding: Finding
    words: str
    raised: bool = False  # it is new, and was told
    logs: int = 0  # with a figure, in the window
    reference_logs: int = 0
    figure: float | None = None
    reference_figure: float | None = None
    difference: float | None = None  # figure - reference_figure
    low: float | None = None  # 95 % interval of it
    high: float | None = None
    unit: str = ""
    p_value: float | None = None
    adjusted_p: float | None = None  # by Holm, over the types of this look


class Window(Struct, frozen=True, kw_only=True):
    """One span of time, and what came of it."""

    id: str
    monitor_id: str
    created_at: int
    after_ms: int  # logs created after this moment
    until_ms: int  # and up to this one
    revision: int
    evaluation_id: str  # "": none could be made
    asked: bool = False
    missed: int = 0  # scheduled times that passed before, whose logs are in this window
    finding: Finding | None = None  # the worst of its checks; None: its evaluation is under way
    checks: tuple[Check, ...] = ()
    alpha: float | None = None  # what a look had; None: nothing was compared
    reference: tuple[str, ...] = ()  # the evaluations that it was compared with
    total_logs: int = 0  # of the window
    late_logs: int | None = None  # that came after it was counted, so in no figure; None: not looked yet
    notice_id: str = ""  # what was told of it
    note: str = ""
    concluded_at: int | None = None


class Span(Struct, frozen=True):
    """What the next window is about."""

    after_ms: int
    until_ms: int
    missed: int  # scheduled ends before `until_ms` that had no window


def first_due(monitor: Monitor) -> int:
    """When the window after what was counted is made, ms."""
    step = monitor.interval_minutes * MINUTE_MS
    return (monitor.counted_until // step + 1) * step + monitor.settle_seconds * 1000


def span_at(monitor: Monitor, now_ms: int) -> Span | None:
    """The window that is to be made now; None where none is due."""
    step, after = monitor.interval_minutes * MINUTE_MS, monitor.counted_until
    last = (now_ms - monitor.settle_seconds * 1000) // step * step
    until = max(last, now_ms) if monitor.is_asked else last
    if until <= after:
        return None
    ends = max(last // step - after // step, 0)  # scheduled ends in the span
    return Span(after, until, max(ends - (0 if monitor.is_asked else 1), 0))


def alpha_of(monitor: Monitor) -> float:
    """What one look may have of the week's chance of a false alarm."""
    looks = max(WEEK_MINUTES / monitor.interval_minutes, 1.0) + ASKED_LOOKS
    return monitor.rule.weekly_alpha / looks


def as_told(check: Check) -> dict[str, object]:
    """A check as webhooks are told it, and as the API shows it."""
    return {
        "evaluation_type_id": check.type_id,
        "finding": check.finding,
        "raised": check.raised,
        "words": check.words,
        "figure": check.figure,
        "reference_figure": check.reference_figure,
        "difference": check.difference,
        "low": check.low,
        "high": check.high,
        "unit": check.unit or None,
        "logs": check.logs,
        "reference_logs": check.reference_logs,
        "p_value": check.p_value,
        "adjusted_p": check.adjusted_p,
    }


class MonitorStore(Protocol):
    """Monitors, their windows, and the queue of what is due.

    A monitor waits while its time has come, or the evaluation of its open window has ended or is gone. Its time has
    come as well where it is farther ahead than FARTHEST_MS: the clock was set back.
    """

    def create(self, monitor: Monitor, secret: str) -> None:
        """NotFound without its gateway; Conflict where that has one of the name, or MAX_MONITORS already.

        `secret` signs what is sent to its webhook, and is kept sealed; "": there is none.
        """
        ...

    def get(self, scope: Scope, monitor_id: str) -> Monitor | None: ...
    def list(self, scope: Scope, *, name: str | None, offset: int, limit: int) -> Page[Monitor]:
        """Newest first. `name` is exact."""
        ...

    def change(
        self, scope: Scope, monitor_id: str, change: Callable[[Monitor], Monitor], secret: str | None = None
    ) -> Monitor:
        """Make it what `change` says, and take it from whoever works on it; NotFound, Conflict.

        What `change` raises goes through, and nothing is changed. `secret` None: the one that it has.
        """
        ...

    def delete(self, scope: Scope, monitor_id: str) -> Monitor:
        """The monitor that was; NotFound. Its windows and undelivered notices go; its evaluations stay."""
        ...

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Monitor | None:
        """One that waits and that nobody holds, now held by `owner`."""
        ...

    def renew(self, monitor: Monitor, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long from now (0: let go at once); False where it was lost or deleted."""
        ...

    def open(
        self,
        monitor: Monitor,
        owner: str,
        window: Window,
        evaluation: Evaluation | None,
        notices: Sequence[Notice] = (),
    ) -> bool:
        """Write a window with its evaluation and the monitor as it is from now on, all or nothing, and let go.

        Without an evaluation none could be made; `notices` are what is to be told of that.
        False where the claim was lost; Conflict where the gateway has an evaluation of that name.
        """
        ...

    def conclude(self, monitor: Monitor, owner: str, windows: Sequence[Window], notices: Sequence[Notice]) -> bool:
        """Write how windows ended, what is to be told, and the monitor, all or nothing, and let go.

        False where the claim was lost. Windows beyond `keep_windows` go, with their evaluations.
        """
        ...

    def windows(self, monitor: Monitor, *, offset: int, limit: int) -> Page[Window]:
        """Newest first."""
        ...

    def window(self, monitor: Monitor, window_id: str) -> Window | None: ...
    def asked_since(self, monitor: Monitor, since_ms: int) -> int:
        """How many windows were asked for and made since a moment."""
        ...

    def notices(self, monitor: Monitor, *, offset: int, limit: int) -> Page[Notice]:
        """Newest first."""
        ...
