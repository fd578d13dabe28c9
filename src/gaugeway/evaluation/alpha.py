"""Krippendorff's alpha as it is told: with its interval, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.estimates import Estimate, Measure
from gaugeway.evaluation.statistics.krippendorff import MIN_ITEMS, alpha

NOTHING_SHARED = "no item has labels of two annotators"
NO_VARIETY = "all labels are the same one: chance alone would agree fully, so agreement cannot be told from it"


def alpha_of(
    shared: Sequence[Sequence[int]],
    values: Sequence[float],
    measure: Measure,
    *,
    nothing: str = NOTHING_SHARED,
    who: str = "annotators",
) -> Estimate:
    """Agreement over items with two labels or more, each label as its place in `values`."""
    if not shared:
        return Estimate(value=None, note=nothing)
    found = alpha(shared, values, measure)
    if found is None:
        return Estimate(value=None, n=len(shared), note=NO_VARIETY)
    value, ends = found
    if ends is None:
        note = f"no interval: {len(shared)} items have labels of two {who}, and it takes {MIN_ITEMS}"
        return Estimate(value=value, n=len(shared), note=note)
    return Estimate(value=value, low=ends[0], high=ends[1], n=len(shared), method="bootstrap over items")
