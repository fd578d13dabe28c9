"""From the scores of single logs to one figure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import variance

from msgspec import structs

from gaugeway.core.items import Counts
from gaugeway.core.metrics import Metric
from gaugeway.core.samples import MISS, PASS, Figure
from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG
from gaugeway.evaluation.statistics.decimals import divide, interval
from gaugeway.evaluation.statistics.rates import percentage
from gaugeway.evaluation.statistics.student import mean_interval


def figure(kind: Figure, scores: Sequence[float], counts: Counts, planned: int) -> Metric:
    """The mean of the scores, of `planned` logs that were to be judged.

    A SHARE of scores other than PASS and MISS is a ValueError.
    """
    n, left_out = len(scores), planned - len(scores)
    note = f"{n} of {planned} logs could be judged" + (f"; {left_out} left out" if left_out else "")
    if counts.failed:
        note += f", {counts.failed} of them because the evaluator failed"
    if kind is Figure.SHARE:
        passes = sum(score == PASS for score in scores)
        if passes + sum(score == MISS for score in scores) != n:
            raise ValueError("the scores of a share must be pass or miss")
        metric = percentage(passes, n, planned, note)
    else:
        metric = _mean(scores, note)
    return structs.replace(metric, skipped=counts.skipped, failed=counts.failed)


def _mean(scores: Sequence[float], note: str) -> Metric:
    """The mean of scores, each taken as its shortest decimal, with Student's interval."""
    n = len(scores)
    if not n:
        return Metric(value=None, n=0, note=note)
    value = divide(sum(map(Decimal, map(repr, scores)), Decimal(0)), Decimal(n))
    spread = variance(scores) if n > 1 else 0.0
    if not spread:
        return Metric(value=value, n=n, note=note, no_interval=ONE_LOG if n == 1 else NO_SPREAD)
    return Metric(value=value, n=n, note=note, interval=interval(*mean_interval(n, float(value), spread), "t"))
