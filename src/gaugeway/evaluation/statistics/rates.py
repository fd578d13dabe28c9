"""A share of items, in percent, as a figure."""

from __future__ import annotations

from decimal import Decimal

from gaugeway.core.metrics import Metric
from gaugeway.evaluation.statistics.decimals import divide, interval
from gaugeway.evaluation.statistics.wilson import wilson


def percentage(part: int, n: int, total: int, note: str) -> Metric:
    """100 * part / n, of `total` items selected, with its Wilson interval."""
    if not n:
        return Metric(value=None, n=0, skipped=total, note=note)
    low, high = wilson(part, n)
    return Metric(
        value=divide(Decimal(100 * part), Decimal(n)),
        n=n,
        skipped=total - n,
        note=note,
        interval=interval(100 * low, 100 * high, "wilson"),
    )
