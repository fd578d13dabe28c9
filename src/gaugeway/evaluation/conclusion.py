"""The states of a result, and the words for them. The table of these stands in docs/evaluators.md."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from gaugeway.core.aggregates import Aggregated
from gaugeway.core.model import Result, ResultStatus
from gaugeway.core.money import plain
from gaugeway.core.ports import Evaluator, Metric

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


def warn_of_losses(results: Sequence[Result], lost: int) -> list[Result]:
    """Figures that lack logs say so: some were lost before they could be written, whatever they would have said."""
    if not lost:
        return list(results)
    warning = f"; {lost} {'log' if lost == 1 else 'logs'} of this gateway could not be kept and may be missing"
    return [
        structs.replace(result, status_description=result.status_description + warning)
        if result.status in (ResultStatus.COMPLETED, ResultStatus.COMPLETED_WITHOUT_LOGS)
        else result
        for result in results
    ]


def _change(results: Sequence[Result], now_ms: int, status: ResultStatus, description: str) -> list[Result]:
    return [
        result
        if result.status.is_terminal
        else structs.replace(result, status=status, status_description=description, modified_at=now_ms)
        for result in results
    ]


def conclude(result: Result, evaluator: Evaluator | None, selected: Aggregated, now_ms: int) -> Result:
    """The final state of one result: the evaluator's figure, or why there is none. Never raises."""
    if result.status.is_terminal:
        return result
    if evaluator is None:
        why = f"this server has no evaluator {result.evaluation_type_id!r}; install it, then evaluate anew"
        return fail([result], why, now_ms)[0]
    try:
        metric = evaluator.conclude(selected.total, selected.values)
        _check(metric, selected.total)
    except (Exception, SystemExit) as problem:
        # an evaluator may be anybody's: whatever it does, the other results and the server go on
        _logger.exception("evaluator %s failed on evaluation %s", evaluator.id, result.evaluation_id)
        return fail([result], f"the evaluator {evaluator.id!r} gave {reason(problem)}", now_ms)[0]
    return _of_metric(result, metric, selected.total, now_ms)


def _of_metric(result: Result, metric: Metric, total: int, now_ms: int) -> Result:
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
        modified_at=now_ms,
    )


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


def reason(problem: BaseException) -> str:
    """An error's type and message for a status description: one line, bounded, anything like a key left out."""
    message = " ".join(_KEY_LIKE.sub("…", str(problem)).split())
    message = message if len(message) <= MAX_REASON else message[: MAX_REASON - 1] + "…"
    return f"{type(problem).__name__}: {message}" if message else type(problem).__name__
