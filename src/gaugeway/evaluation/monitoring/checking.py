"""What a window says: each evaluation type against the reference, by the comparison that everything is compared by.

The p-values of all types of a look are adjusted together (Holm) and held against the look's own part of the week's
chance of a false alarm. "Cannot tell" and every reason for which nothing could be compared are findings too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from msgspec import Struct, field, structs

from gaugeway.core.comparisons import Analyst, Comparison, Difference, Question, Side, Verdict
from gaugeway.core.errors import BadInput
from gaugeway.core.items import ItemStatus, ItemStore
from gaugeway.core.judging import DAILY_CAP, SPEND_CAP, ModelScorer
from gaugeway.core.metrics import Direction
from gaugeway.core.model import Evaluation, Result, ResultStatus
from gaugeway.core.monitors import (
    ASKED_LOOKS,
    MINUTE_MS,
    SEVERITY,
    WEEK_MINUTES,
    Check,
    Finding,
    Monitor,
    MonitorStore,
    Rule,
    Window,
    alpha_of,
)
from gaugeway.core.ports import EvaluationStore, LogStore
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator
from gaugeway.evaluation.figures.contrast import Comparable
from gaugeway.evaluation.monitoring import clusters
from gaugeway.evaluation.monitoring.clusters import ByCluster
from gaugeway.evaluation.monitoring.strictness import strict_p
from gaugeway.evaluation.selection import Unselectable, select
from gaugeway.evaluation.statistics.clustered import Apart
from gaugeway.evaluation.statistics.holm import holm

_COMPLETED = (ResultStatus.COMPLETED, ResultStatus.COMPLETED_WITHOUT_LOGS)
_PAGE = 1000
_WINDOWS = 100
_RECOUNT_MS = 5_000
_REFERENCE, _WINDOW = "the reference", "the window"


class Checked(Struct, frozen=True, kw_only=True):
    """What came of a window."""

    checks: tuple[Check, ...]
    total_logs: int = 0
    alpha: float | None = None
    reference: tuple[str, ...] = ()
    recounted: list[Window] = field(default_factory=list[Window])  # earlier ones, with the logs that came late
    note: str = ""  # what the comparison lacks

    @property
    def finding(self) -> Finding:
        """The worst."""
        return min((one.finding for one in self.checks), key=SEVERITY.index, default=Finding.FAILED)


class CheckParts(Struct, frozen=True, kw_only=True):
    """What a checker needs."""

    monitors: MonitorStore
    evaluations: EvaluationStore
    logs: LogStore
    items: ItemStore
    analyst: Analyst
    evaluators: Sequence[AnyEvaluator]


class Checker:
    """Checks windows whose evaluation has ended. Blocks; from any thread."""

    def __init__(self, parts: CheckParts) -> None:
        self._parts = parts
        self._evaluators = {one.id: one for one in parts.evaluators}
        self._by_cluster = ByCluster(parts.logs, parts.items)

    def check(self, monitor: Monitor, window: Window, evaluation: Evaluation | None) -> Checked:
        """The findings, one for each evaluation type; `evaluation` None: it was deleted."""
        if evaluation is None:
            words = "the window's evaluation was deleted before it ended"
            return Checked(
                checks=tuple(_check(one.evaluation_type_id, Finding.FAILED, words) for one in monitor.types)
            )
        found = {
            result.evaluation_type_id: self._first_look(monitor, window, evaluation, at, result)
            for at, result in enumerate(evaluation.results)
        }
        open_ = [type_id for type_id, one in found.items() if one is None]
        earlier = self._earlier(monitor, window)
        references = {type_id: self._reference(monitor, earlier, type_id) for type_id in open_}
        looks: list[Look] = []
        notes: dict[str, None] = {}
        for type_id in open_:
            if not references[type_id]:
                found[type_id] = _without_reference(monitor, type_id)
        for sides in dict.fromkeys(tuple(one.id for one in sides) for sides in references.values() if sides):
            alike = [type_id for type_id in open_ if tuple(one.id for one in references[type_id]) == sides]
            compared = self._compare(evaluation, references[alike[0]], alike, found, notes)
            looks += [self._clustered(monitor, one, references[alike[0]], evaluation) for one in compared]
        judged = conclude(looks, monitor.rule, alpha_of(monitor))
        checks = {type_id: one for type_id, one in found.items() if one is not None} | judged
        used = dict.fromkeys(one.id for sides in references.values() for one in sides)
        return Checked(
            checks=tuple(checks[result.evaluation_type_id] for result in evaluation.results),
            total_logs=evaluation.total_logs,
            alpha=alpha_of(monitor) if looks else None,
            reference=tuple(used),
            recounted=self._recount(monitor, window),
            note="; ".join(notes),
        )

    def _first_look(
        self, monitor: Monitor, window: Window, evaluation: Evaluation, position: int, result: Result
    ) -> Check | None:
        """Why a result cannot be compared at all; None where it can."""
        evaluator = self._evaluator(result)

        def check(finding: Finding, words: str) -> Check:
            return _check(result.evaluation_type_id, finding, words, result)

        capped = self._is_capped(evaluation, position, result, evaluator)
        if capped:
            return check(Finding.CAPPED, f"{capped}: only {result.total_logs} logs were judged")
        if result.status not in _COMPLETED:
            return check(Finding.FAILED, result.status_description)
        if not evaluation.total_logs:
            return check(Finding.NO_LOGS, "the window has no logs")
        if result.failed > result.total_logs:
            tried = result.failed + result.total_logs
            return check(Finding.FAILED, f"it failed on {result.failed} of the {tried} logs that it was tried on")
        if result.total_logs < monitor.rule.min_logs:
            words = f"{result.total_logs} logs of the window have a figure; {monitor.rule.min_logs} are needed"
            return check(Finding.NOT_ENOUGH_LOGS, words)
        if not _is_comparable(evaluator):
            return check(Finding.NOT_COMPARED, "this evaluation type describes and does not judge")
        if monitor.cluster_by and not clusters.is_comparable(evaluator):
            return check(Finding.NOT_COMPARED, "this figure cannot be compared by clusters")
        if window.asked and self._asked_too_often(monitor, window):
            words = f"more than {ASKED_LOOKS} windows were asked for in a week; no look is left for this one"
            return check(Finding.NOT_COMPARED, words)
        return None

    def _evaluator(self, result: Result) -> AnyEvaluator | None:
        evaluator = self._evaluators.get(result.evaluator_id or result.evaluation_type_id)
        return evaluator.declared(result.parameters) if isinstance(evaluator, ItemEvaluator) else evaluator

    def _clustered(
        self, monitor: Monitor, look: Look, reference: Sequence[Evaluation], evaluation: Evaluation
    ) -> Look:
        """The look with the clusters taken into account, which can only make it more careful."""
        type_id = look.difference.type_id
        result = next(one for one in evaluation.results if one.evaluation_type_id == type_id)
        evaluator = self._evaluator(result)
        if not monitor.cluster_by or look.p_value is None or evaluator is None:
            return look
        apart = self._by_cluster.apart(evaluator, type_id, monitor.cluster_by, reference, evaluation)
        return clustered_look(look, apart, monitor.cluster_by)

    def _asked_too_often(self, monitor: Monitor, window: Window) -> bool:
        since = window.created_at - WEEK_MINUTES * MINUTE_MS
        return self._parts.monitors.asked_since(monitor, since) > ASKED_LOOKS

    def _is_capped(
        self, evaluation: Evaluation, position: int, result: Result, evaluator: AnyEvaluator | None
    ) -> str:
        """Which cap left logs unjudged; "" where none did."""
        if not result.failed or not isinstance(evaluator, ItemEvaluator):
            return ""
        if not issubclass(evaluator.scorer, ModelScorer):
            return ""
        offset = 0
        while True:
            page = self._parts.items.page(
                evaluation,
                position=position,
                status=ItemStatus.FAILED,
                worst_first=False,
                offset=offset,
                limit=_PAGE,
            )
            for item in page.items:
                if item.note.startswith((SPEND_CAP, DAILY_CAP)):
                    return item.note.partition(" has no room")[0] + " is reached"
            offset += len(page.items)
            if len(page.items) < _PAGE:
                return ""

    def _earlier(self, monitor: Monitor, window: Window) -> list[tuple[Window, Evaluation]]:
        """The windows before this one that measured the same and have logs, newest first."""
        found: list[tuple[Window, Evaluation]] = []
        wanted, offset = monitor.rule.reference_windows, 0
        while len(found) < wanted:
            page = self._parts.monitors.windows(monitor, offset=offset, limit=_WINDOWS)
            for one in page.items:
                if one.id == window.id or one.revision != window.revision or not one.total_logs:
                    continue
                evaluation = self._parts.evaluations.get(monitor.scope, one.evaluation_id)
                if evaluation is not None and len(found) < wanted:
                    found.append((one, evaluation))
            offset += len(page.items)
            if len(page.items) < _WINDOWS:
                break
        return found

    def _reference(
        self, monitor: Monitor, earlier: Sequence[tuple[Window, Evaluation]], type_id: str
    ) -> list[Evaluation]:
        """What one type is compared with; none where there is nothing."""
        if monitor.rule.baseline_id is not None:
            baseline = self._parts.evaluations.get(monitor.scope, monitor.rule.baseline_id)
            return [] if baseline is None else [baseline]
        return [evaluation for window, evaluation in earlier if _has_figure(window, evaluation, type_id)]

    def _compare(
        self,
        evaluation: Evaluation,
        reference: Sequence[Evaluation],
        type_ids: Sequence[str],
        found: dict[str, Check | None],
        notes: dict[str, None],
    ) -> list[Look]:
        """What the comparison says of types that have the same reference; what it cannot say is a finding."""
        question = Question(
            scope=evaluation.scope,
            sides=(
                Side(label=_REFERENCE, evaluation=reference[0], pooled=tuple(reference[1:])),
                Side(label=_WINDOW, evaluation=evaluation),
            ),
            type_ids=tuple(type_ids),
            find_pairs=False,
            margins={},
        )
        try:
            answer = self._parts.analyst.compare(question)
        except BadInput as problem:
            for type_id in type_ids:
                found[type_id] = _check(type_id, Finding.FAILED, f"it could not be compared: {problem.message}")
            return []
        notes |= dict.fromkeys(_gone(answer, reference, evaluation))
        return [look_of(answer, place) for place in range(len(type_ids))]

    def _recount(self, monitor: Monitor, window: Window) -> list[Window]:
        """The window before, with how many logs have come since it was counted. No figure of it has them."""
        for before in self._parts.monitors.windows(monitor, offset=0, limit=2).items:
            evaluation = self._parts.evaluations.get(monitor.scope, before.evaluation_id)
            if before.id == window.id or before.concluded_at is None or evaluation is None:
                continue
            try:
                where = select(evaluation)
            except Unselectable:
                continue
            now = self._parts.logs.count(evaluation.source, where, budget_ms=_RECOUNT_MS)
            if now is not None:
                return [structs.replace(before, late_logs=max(now - before.total_logs, 0))]
        return []


class Look(Struct, frozen=True):
    """One type's comparison."""

    difference: Difference
    direction: Direction
    unit: str
    figures: tuple[float | None, float | None]  # of the reference, of the window
    logs: tuple[int, int]
    p_value: float | None
    clusters: str = ""  # that it was compared by


def look_of(answer: Comparison, place: int) -> Look:
    """What a comparison of reference and window says of the type at that place."""
    subject = answer.subjects[place]
    reference, window = (side[subject.type_id] for side in answer.metrics)
    difference = answer.differences[place]
    return Look(
        difference=difference,
        p_value=strict_p(difference, reference, window),
        direction=subject.direction,
        unit=subject.unit,
        figures=tuple(None if one.value is None else float(one.value) for one in (reference, window)),  # type: ignore[arg-type]
        logs=(reference.n, window.n),
    )


def _gone(answer: Comparison, reference: Sequence[Evaluation], evaluation: Evaluation) -> Iterator[str]:
    """Logs that were evaluated and are not there any more to be compared: deleted by somebody, or by a limit."""
    then = (sum(one.total_logs for one in reference), evaluation.total_logs)
    for name, before, now in zip((_REFERENCE, _WINDOW), then, answer.totals, strict=True):
        if now < before:
            gone = f"{before - now} of the {before} logs of {name} were deleted"
            yield f"{gone}: figures over columns lack them"


def clustered_look(look: Look, apart: Apart | str, by: str) -> Look:
    """The same by clusters; a text: why they say nothing."""
    if isinstance(apart, str):
        return structs.replace(
            look, p_value=None, difference=structs.replace(look.difference, low=None, high=None, why=apart)
        )
    low, high = apart.interval()
    return structs.replace(
        look,
        p_value=max(look.p_value or 0.0, apart.p_value),
        difference=structs.replace(look.difference, low=low, high=high),
        clusters=f"{apart.clusters[0]} and {apart.clusters[1]} clusters of {by}",
    )


def conclude(looks: Sequence[Look], rule: Rule, alpha: float) -> dict[str, Check]:
    """The findings of one look, by type: worse or better only where the adjusted p is at most `alpha`."""
    enough = [one for one in looks if min(one.logs) >= rule.min_logs]
    tested = {one.difference.type_id: one.p_value for one in enough if one.p_value is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    checks: dict[str, Check] = {}
    for one in looks:
        type_id = one.difference.type_id
        finding, words = _find(one, rule, adjusted.get(type_id), alpha)
        checks[type_id] = Check(
            type_id=type_id,
            finding=finding,
            words=words,
            logs=one.logs[1],
            reference_logs=one.logs[0],
            figure=one.figures[1],
            reference_figure=one.figures[0],
            difference=one.difference.difference,
            low=one.difference.low,
            high=one.difference.high,
            unit=one.unit,
            p_value=one.p_value,
            adjusted_p=adjusted.get(type_id),
        )
    return checks


def _find(look: Look, rule: Rule, adjusted_p: float | None, alpha: float) -> tuple[Finding, str]:
    difference = look.difference
    if min(look.logs) < rule.min_logs:
        words = f"{look.logs[0]} logs of the reference and {look.logs[1]} of the window have a figure"
        return Finding.NOT_ENOUGH_LOGS, f"{words}; {rule.min_logs} are needed"
    moved = difference.difference
    if moved is None or adjusted_p is None:
        return Finding.CANNOT_TELL, f"cannot tell: {difference.why or difference.words}"
    gain = moved if look.direction is Direction.HIGHER else -moved
    seen = _seen(look, adjusted_p, alpha)
    # The comparison's own verdict, at 5 %, must say so too; at this stricter level it always does.
    if adjusted_p > alpha or difference.verdict is Verdict.CANNOT_TELL:
        return Finding.CANNOT_TELL, f"cannot tell: {seen}"
    if gain > 0:
        return Finding.BETTER, f"better: {seen}"
    margin = rule.margins.get(difference.type_id)
    amount = 0.0
    if margin is not None:
        amount = float(margin.amount)
        if margin.is_percent:
            amount *= abs(look.figures[0] or 0.0) / 100
    if -gain < amount:
        return Finding.WITHIN_MARGIN, f"worse, but by less than the margin of {amount:.4g}: {seen}"
    return Finding.WORSE, f"worse: {seen}"


def _seen(look: Look, adjusted_p: float, alpha: float) -> str:
    before, now = look.figures
    unit = f" {look.unit}" if look.unit else ""
    figures = "" if before is None or now is None else f"{now:.4g}{unit} against {before:.4g}{unit}"
    interval = ""
    if look.difference.low is not None and look.difference.high is not None:
        interval = f", difference {look.difference.difference:.4g}"
        interval += f" (95 % interval {look.difference.low:.4g} … {look.difference.high:.4g})"
    interval += f", by {look.clusters}" if look.clusters else ""
    return f"{figures}{interval}; p {adjusted_p:.2g}, a look's part of the week {alpha:.2g}"


def _check(type_id: str, finding: Finding, words: str, result: Result | None = None) -> Check:
    if result is None:
        return Check(type_id=type_id, finding=finding, words=words)
    figure = float(result.result) if result.result else None
    return Check(
        type_id=type_id, finding=finding, words=words, logs=result.total_logs, figure=figure, unit=result.unit
    )


def _has_figure(window: Window, evaluation: Evaluation, type_id: str) -> bool:
    """Whether an earlier window is fit to compare with: all of its logs that could be were looked at."""
    checks = {one.type_id: one.finding for one in window.checks}
    if checks.get(type_id) in (None, Finding.CAPPED, Finding.FAILED):
        return False
    return any(
        result.evaluation_type_id == type_id and result.status is ResultStatus.COMPLETED
        for result in evaluation.results
    )


def _without_reference(monitor: Monitor, type_id: str) -> Check:
    if monitor.rule.baseline_id is not None:
        words = f"the baseline, evaluation {monitor.rule.baseline_id}, was deleted: nothing is compared without it"
        return _check(type_id, Finding.NO_BASELINE, words)
    return _check(type_id, Finding.NO_REFERENCE, "there is no earlier window with a figure to compare with")


def _is_comparable(evaluator: AnyEvaluator | None) -> TypeGuard[AnyEvaluator]:
    if evaluator is None or evaluator.direction is Direction.NEITHER:
        return False
    return isinstance(evaluator, (ItemEvaluator, Comparable))
