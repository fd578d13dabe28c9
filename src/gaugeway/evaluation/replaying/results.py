"""From the items of a replay to its verdicts: each candidate against what was logged, request by request.

A request counts for a figure where it is known on both sides. Cost and duration are those of good answers that a
provider gave; the error rate is over the requests whose end says something of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gaugeway.core.comparisons import Comparison, Subject
from gaugeway.core.items import Counts
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.query import Grouping
from gaugeway.core.replays import MAX_REPLAYED, ItemState, Replay, ReplayItem, ReplayStore, Trial
from gaugeway.core.samples import MISS, PASS, AnyEvaluator, Figure, ItemEvaluator
from gaugeway.core.votes import PanelAgreement, Vote
from gaugeway.evaluation.comparing import verdicts
from gaugeway.evaluation.comparing.pairing import paired
from gaugeway.evaluation.comparing.verdicts import Found
from gaugeway.evaluation.figures.contrast import Contrast
from gaugeway.evaluation.figures.marks import paired_means, paired_shares
from gaugeway.evaluation.item_figures import figure
from gaugeway.evaluation.judging.agreement import agreement_of
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.replaying.judging import AGAINST_LOGGED, EVEN, configured
from gaugeway.evaluation.statistics.holm import holm

if TYPE_CHECKING:
    from numpy.typing import NDArray

REQUEST = Grouping("request")
FEW = "fewer than two requests have a figure on both sides"

Value = Callable[[ReplayItem], float | None]


class Measure(Struct, frozen=True):
    """One thing that is compared."""

    subject: Subject
    kind: Figure
    value: Value
    even: bool = False  # the logged answer's own value is EVEN, by definition


def _cost(item: ReplayItem) -> float | None:
    is_answer = item.state is ItemState.REPLAYED and item.success
    return float(item.cost) if is_answer and item.cost is not None else None


def _duration(item: ReplayItem) -> float | None:
    is_answer = item.state is ItemState.REPLAYED and item.success
    return float(item.duration) if is_answer and item.duration is not None else None


def _failed(item: ReplayItem) -> float | None:
    return None if item.success is None else MISS if item.success else PASS


COLUMNS = (
    Measure(Subject(type_id="cost", unit="USD", direction=Direction.LOWER), Figure.MEAN, _cost),
    Measure(Subject(type_id="speed", unit="ms", direction=Direction.LOWER), Figure.MEAN, _duration),
    Measure(Subject(type_id="error_rate", unit="%", direction=Direction.LOWER), Figure.SHARE, _failed),
)
"""What every replay is compared by; the names and units are those of the evaluation types."""


def measures_of(trial: Trial, evaluators: Mapping[str, AnyEvaluator]) -> list[Measure]:
    """The columns', then the evaluators' that can say which way is better."""
    found = list(COLUMNS)
    for at, judged in enumerate(trial.judged):
        evaluator = evaluators.get(judged.evaluator_id)
        if not isinstance(evaluator, ItemEvaluator):
            continue
        evaluator = evaluator.declared(judged.parameters)
        if evaluator.direction is Direction.NEITHER:
            continue
        subject = Subject(type_id=judged.evaluation_type_id, unit=evaluator.unit, direction=evaluator.direction)
        even = judged.evaluator_id == AGAINST_LOGGED
        found.append(Measure(subject, evaluator.figure, _mark(at), even))
    return found


def _mark(at: int) -> Value:
    def value(item: ReplayItem) -> float | None:
        return item.marks[at].score if at < len(item.marks) else None

    return value


def compare(store: ReplayStore, evaluators: Mapping[str, AnyEvaluator], replay: Replay) -> Comparison:
    """The verdicts over all that has ended."""
    sides = [_items(store, replay, side) for side in range(len(replay.candidates) + 1)]
    return compare_items(replay, evaluators, sides)


def compare_items(
    trial: Trial, evaluators: Mapping[str, AnyEvaluator], sides: Sequence[Sequence[ReplayItem]]
) -> Comparison:
    """Every candidate with what was logged."""
    measures = measures_of(trial, evaluators)
    tables = [[_values(items, measure.value) for measure in measures] for items in sides]
    for at, measure in enumerate(measures):
        if measure.even:
            tables[0][at] = {place: EVEN for table in tables[1:] for place in table[at]}
    metrics = [
        [_metric(measure, table[at], items) for at, measure in enumerate(measures)]
        for table, items in zip(tables, sides, strict=True)
    ]
    found = [
        _found(measure, side, tables[0][at], tables[side][at], metrics[0][at])
        for side in range(1, len(sides))
        for at, measure in enumerate(measures)
    ]
    adjusted = iter(holm([one.p_value for one in found if one.p_value is not None]))
    tests = sum(one.p_value is not None for one in found)
    differences = [
        verdicts.judge(one, trial.margins, next(adjusted) if one.p_value is not None else None, tests)
        for one in found
    ]
    return Comparison(
        subjects=tuple(measure.subject for measure in measures),
        totals=tuple(len(items) for items in sides),
        overlaps=(0,) * len(sides),
        metrics=tuple(
            {measure.subject.type_id: metric for measure, metric in zip(measures, row, strict=True)}
            for row in metrics
        ),
        differences=tuple(differences),
        gate=verdicts.overall(differences),
        agreements=agreements_of(trial, evaluators, sides),
    )


def agreements_of(
    trial: Trial, evaluators: Mapping[str, AnyEvaluator], sides: Sequence[Sequence[ReplayItem]]
) -> tuple[dict[str, PanelAgreement], ...]:
    """How far the members of each panel agree, by evaluation type: over each side's answers by themselves."""
    found: list[dict[str, PanelAgreement]] = [{} for _ in sides]
    for at, judged in enumerate(trial.judged):
        panel = configured(evaluators.get(judged.evaluator_id), judged.parameters)
        if isinstance(panel, JudgePanel):
            for of_side, items in zip(found, sides, strict=True):
                of_side[judged.evaluation_type_id] = agreement_of(panel, _voted(items, at))
    return tuple(found)


def _voted(items: Sequence[ReplayItem], at: int) -> Iterator[tuple[float | None, tuple[Vote, ...]]]:
    """The panel's score and the members' votes on each answer that came before it."""
    for item in items:
        if at < len(item.marks) and item.marks[at].votes:
            yield item.marks[at].score, item.marks[at].votes


def _items(store: ReplayStore, replay: Replay, side: int) -> list[ReplayItem]:
    page = store.items(replay, side=side, state=None, offset=0, limit=MAX_REPLAYED)
    return [item for _, item in page.items]


def _values(items: Sequence[ReplayItem], value: Value) -> dict[int, float]:
    return {item.place: found for item in items if (found := value(item)) is not None}


def _metric(measure: Measure, values: Mapping[int, float], items: Sequence[ReplayItem]) -> Metric:
    scores = list(values.values())
    failed = sum(item.state is ItemState.FAILED and item.place not in values for item in items)
    rest = max(len(items) - len(scores) - failed, 0)
    if measure.kind is Figure.SHARE and any(score not in (PASS, MISS) for score in scores):
        return figure(Figure.MEAN, scores, Counts(len(scores), failed, rest), len(items))
    return figure(measure.kind, scores, Counts(len(scores), failed, rest), len(items))


def _found(
    measure: Measure, side: int, first: Mapping[int, float], second: Mapping[int, float], baseline: Metric
) -> Found:
    value = None if baseline.value is None else float(baseline.value)
    matched = paired(dict(_named(first)), dict(_named(second)), _contrast(measure), REQUEST, asked=True)
    if matched is None:
        return Found(measure.subject, side, None, value)
    return Found(measure.subject, side, matched.contrast, matched.pairs.means[0], matched.pairs)


def _named(values: Mapping[int, float]) -> Iterator[tuple[str, list[float]]]:
    for place, value in values.items():
        yield str(place), [value]


def _contrast(measure: Measure) -> Callable[[NDArray[Any], NDArray[Any]], Contrast]:
    return paired_shares if measure.kind is Figure.SHARE and not measure.even else paired_means
