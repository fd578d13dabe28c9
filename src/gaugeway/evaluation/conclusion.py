"""The states of a result, and the words for them. The table of these stands in docs/evaluators.md."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from gaugeway.core.aggregates import Aggregated
from gaugeway.core.items import Counts
from gaugeway.core.metrics import Interval, Metric
from gaugeway.core.model import Result, ResultStatus
from gaugeway.core.money import plain
from gaugeway.core.ports import Evaluator
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator
from gaugeway.evaluation.clustering import Clusters, clustered
from gaugeway.evaluation.item_figures import figure

MAX_REASON = 300
"""Characters of an error's message that a status description repeats."""

_logger = logging.getLogger(__name__)
_KEY_LIKE = re.compile(r"[A-Za-z0-9_\-]{24,}")


def start(results: Sequence[Result], now_ms: int) -> list[Result]:
    """Unfinished results, running."""
    return _change(results, now_ms, ResultStatus.RUNNING, "running")


def put_back(results: Sequence[Result], why: str, now_ms: int) -> list[Result]:
    """Unfinished results, waiting for another try."""
    return _change(results, now_ms, ResultStatus.QUEUED, f"queued again: {why}")


def fail(results: Sequence[Result], why: str, now_ms: int) -> list[Result]:
    """Unfinished results, failed for one reason."""
    return _change(results, now_ms, ResultStatus.FAILED, f"failed: {why}")


def warning_of_losses(lost: int) -> str:
    """What is to be said where logs were lost before they could be written, whatever they would have said."""
    if not lost:
        return ""
    return f"{lost} {'log' if lost == 1 else 'logs'} of this gateway could not be kept and may be missing"


def warning_of_holes(holes: int) -> str:
    """What is to be said of a snapshot's erased items."""
    return f"{holes} erased {'item' if holes == 1 else 'items'} of the snapshot could not count" if holes else ""


def warn(results: Sequence[Result], warning: str) -> list[Result]:
    """Figures that lack something say so."""
    if not warning:
        return list(results)
    return [
        structs.replace(result, status_description=f"{result.status_description}; {warning}")
        if result.status in (ResultStatus.COMPLETED, ResultStatus.COMPLETED_WITHOUT_LOGS)
        else result
        for result in results
    ]


def because(result: Result, note: str) -> Result:
    """A figure that lacks logs says why the first of them is lacking."""
    if not note:
        return result
    return structs.replace(result, status_description=f"{result.status_description}; the first: {note}")


def sampled(results: Sequence[Result], positions: Sequence[int], planned: int, total: int) -> list[Result]:
    """Figures over a sample say so."""
    said = list(results)
    for position in positions:
        [said[position]] = warn([results[position]], f"of a sample of {planned} of the window's {total} logs")
    return said


def _change(results: Sequence[Result], now_ms: int, status: ResultStatus, description: str) -> list[Result]:
    return [
        result
        if result.status.is_terminal
        else structs.replace(result, status=status, status_description=description, modified_at=now_ms)
        for result in results
    ]


def conclude(
    result: Result,
    evaluator: Evaluator | None,
    selected: Aggregated,
    now_ms: int,
    clusters: Clusters | None = None,
) -> Result:
    """The final state of one result: the evaluator's figure, or why there is none. Never raises."""
    if result.status.is_terminal:
        return result
    if evaluator is None:
        why = f"this server has no evaluator {result.evaluation_type_id!r}; install it, then evaluate anew"
        return fail([result], why, now_ms)[0]
    try:
        metric = evaluator.conclude(selected)
        _check(metric, selected.total)
        if clusters is not None:
            metric = clustered(metric, evaluator, clusters)
    except (Exception, SystemExit) as problem:
        # an evaluator may be anybody's: whatever it does, the other results and the server go on
        _logger.exception("evaluator %s failed on evaluation %s", evaluator.id, result.evaluation_id)
        return fail([result], f"the evaluator {evaluator.id!r} gave {reason(problem)}", now_ms)[0]
    return _of_metric(result, evaluator, metric, selected.total, now_ms)


def conclude_items(  # noqa: PLR0917 - what it is computed from, in order
    result: Result, evaluator: ItemEvaluator, scores: Sequence[float], counts: Counts, planned: int, now_ms: int
) -> Result:
    """The final state of a result whose logs were judged one by one: `planned` of them, with these scores."""
    try:
        metric = figure(evaluator.figure, scores, counts, planned)
        _check(metric, planned)
    except (TypeError, ValueError) as problem:
        _logger.exception("the items of %s in evaluation %s do not add up", evaluator.id, result.evaluation_id)
        return fail([result], f"its items gave {reason(problem)}", now_ms)[0]
    return structs.replace(_of_metric(result, evaluator, metric, planned, now_ms), pending=0)


def _of_metric(result: Result, evaluator: AnyEvaluator, metric: Metric, total: int, now_ms: int) -> Result:
    if metric.value is not None:
        status, description = ResultStatus.COMPLETED, "completed"
    elif metric.failed:
        status, description = ResultStatus.FAILED, f"failed: on all {metric.failed} logs it could use"
    else:
        status, description = ResultStatus.COMPLETED_WITHOUT_LOGS, "completed without usable logs"
    note = metric.note if total else "no log matches the datasets"
    return structs.replace(
        result,
        status=status,
        status_description=f"{description}: {note}" if note else description,
        result="" if metric.value is None else plain(metric.value),
        total_logs=metric.n,
        skipped=metric.skipped,
        failed=metric.failed,
        low="" if metric.interval is None else plain(metric.interval.low),
        high="" if metric.interval is None else plain(metric.interval.high),
        interval_method="" if metric.interval is None else metric.interval.method,
        interval_note=_why_no_interval(metric),
        unit=evaluator.unit,
        direction=evaluator.direction,
        modified_at=now_ms,
    )


def _why_no_interval(metric: Metric) -> str:
    if metric.interval is not None:
        return ""
    return "there is no value" if metric.value is None else metric.no_interval


def _check(metric: object, total: int) -> None:
    """Refuse a figure whose denominator does not add up."""
    if not isinstance(metric, Metric):
        raise TypeError(f"conclude() must return a Metric, returned {type(metric).__name__}")
    if metric.value is not None and not (isinstance(metric.value, Decimal) and metric.value.is_finite()):  # pyright: ignore[reportUnnecessaryIsInstance] the evaluator may be untyped
        raise TypeError(f"a Metric's value must be a finite Decimal or None, not {metric.value!r}")
    counts = (metric.n, metric.skipped, metric.failed)
    if min(counts) < 0 or sum(counts) != total:
        raise ValueError("n={} + skipped={} + failed={} must be the {} logs selected".format(*counts, total))
    if (metric.value is None) != (metric.n == 0):
        raise ValueError(f"a value needs logs, and logs a value: value={metric.value}, n={metric.n}")
    if metric.interval is not None:
        _check_interval(metric.interval, metric.value)


def _check_interval(interval: Interval, value: Decimal | None) -> None:
    """Refuse an interval that cannot be one."""
    ends = (interval.low, interval.high)
    if value is None or not all(isinstance(end, Decimal) and end.is_finite() for end in ends):  # pyright: ignore[reportUnnecessaryIsInstance] the evaluator may be untyped
        raise TypeError(f"an interval needs a value and two finite Decimals, not {interval!r} of {value}")
    if interval.low > interval.high or not interval.method:
        raise ValueError(f"an interval runs from low to high and names its method: {interval!r}")


def reason(problem: BaseException) -> str:
    """An error's type and message for a status description: one line, bounded, anything like a key left out."""
    message = " ".join(_KEY_LIKE.sub("…", str(problem)).split())
    message = message if len(message) <= MAX_REASON else message[: MAX_REASON - 1] + "…"
    return f"{type(problem).__name__}: {message}" if message else type(problem).__name__
