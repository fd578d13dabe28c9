"""Comparisons of evaluations, models, metadata or times, and breakdowns: what is asked, and what is answered."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import Dataset, Evaluation, Scope
from gaugeway.core.query import Criterion, Grouping
from gaugeway.core.votes import PanelAgreement

MAX_SIDES = 10


class Verdict(StrEnum):
    """What a comparison says. There is no fourth."""

    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot tell"


class Gate(StrEnum):
    """Whether a side may pass: what a CI pipeline acts on."""

    PASS = "pass"  # noqa: S105 - no password
    WORSE = "worse"
    CANNOT_TELL = "cannot tell"


class Side(Struct, frozen=True, kw_only=True):
    """Some logs: those of an evaluation or dataset that also meet the filters and the metadata entries."""

    label: str
    evaluation: Evaluation | None = None
    pooled: tuple[
        Evaluation, ...
    ] = ()  # whose logs count too: of the same gateway's live logs, as the evaluation's
    dataset: Dataset | None = None
    filters: tuple[Criterion, ...] = ()
    entries: tuple[tuple[str, str], ...] = ()  # of the metadata: key, value as text

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All whose logs it is made of; none where it is about no evaluation."""
        return () if self.evaluation is None else (self.evaluation, *self.pooled)

    def source(self, scope: Scope) -> Scope:
        """Where its logs are: the gateway's, or those that its evaluation's snapshot has frozen."""
        evaluation = self.evaluation
        return scope if evaluation is None or evaluation.snapshot is None else evaluation.source


class Subject(Struct, frozen=True, kw_only=True):
    """What is compared: an evaluation type, and what its figures mean."""

    type_id: str
    unit: str
    direction: Direction


class Margin(Struct, frozen=True):
    """How much worse still passes."""

    amount: Decimal  # above 0; in the evaluation type's unit, or in percent of the baseline's figure
    is_percent: bool = False


class Question(Struct, frozen=True, kw_only=True):
    """What to compare. The first side is the baseline; every other one is compared with it."""

    scope: Scope
    sides: tuple[Side, ...]
    type_ids: tuple[str, ...]
    pair_by: Grouping | None = None  # what tells that two logs are of one item
    find_pairs: bool = True  # without `pair_by`: by event_id, if most logs have a counterpart
    margins: dict[str, Margin]  # by evaluation type


class Pairs(Struct, frozen=True, kw_only=True):
    """How items matched."""

    by: str
    items: int  # items on both sides whose figure is known
    unmatched: tuple[int, int]  # items of the baseline, of the other side, without a counterpart
    means: tuple[float, float]  # over the matched items


class NonInferiority(Struct, frozen=True, kw_only=True):
    """Whether a side is not worse than the baseline by more than a margin."""

    margin: float  # in the unit
    verdict: str  # statistics.non_inferiority.Inferiority
    more_needed: int | None  # as in Difference


class Difference(Struct, frozen=True, kw_only=True):
    """One side against the baseline, for one evaluation type. Numbers are in the type's unit."""

    type_id: str
    side: int  # its place in the question
    verdict: Verdict
    words: str  # the verdict as a sentence
    difference: float | None  # side - baseline; None: one has no figure
    low: float | None = None  # 95 % interval; None: cannot be known
    high: float | None = None
    method: str = ""  # of the interval
    test: str = ""
    p_value: float | None = None
    spreads: tuple[tuple[int, float], ...] = ()  # items and their variance: of both sides, or of the pairs
    adjusted_p: float | None = None  # by Holm, over all differences of the question
    detectable: float | None = None  # the smallest difference that so many logs show four times in five
    more_needed: int | None = None  # more pairs, or logs on each side, to show a difference like this one
    why: str = ""  # what is missing, for people
    pairs: Pairs | None = None  # None: the sides' logs are different items
    non_inferiority: NonInferiority | None = None
    gate: Gate = Gate.CANNOT_TELL


class Comparison(Struct, frozen=True, kw_only=True):
    """The answer."""

    subjects: tuple[Subject, ...]  # as they were asked for
    totals: tuple[int, ...]  # logs of each side
    overlaps: tuple[
        int | None, ...
    ]  # logs of each side that are the baseline's too (0 for itself); None: not counted
    metrics: tuple[dict[str, Metric], ...]  # of each side, by evaluation type
    differences: tuple[Difference, ...]  # by side, then by type, as they were asked for
    gate: Gate
    agreements: tuple[dict[str, PanelAgreement], ...] = ()  # of panels of judges: of each side, by evaluation type


class Part(Struct, frozen=True):
    """One group of a breakdown."""

    name: str | None  # None: logs without the metadata entry
    total: int
    metrics: dict[str, Metric]


class Breakdown(Struct, frozen=True, kw_only=True):
    """The figures of an evaluation's logs, group by group, most logs first."""

    total: int
    parts: tuple[Part, ...]
    other_groups: int  # not shown, for being many
    other_logs: int


class Analyst(Protocol):
    """Who compares and breaks down. Blocks, for seconds where logs are many; BadInput for what cannot be asked."""

    def compare(self, question: Question) -> Comparison:
        """All sides with the baseline."""
        ...

    def break_down(
        self, side: Side, scope: Scope, type_ids: tuple[str, ...], by: Grouping, limit: int
    ) -> Breakdown:
        """The logs of one side by group."""
        ...
