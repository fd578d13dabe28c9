"""The paired permutation test: if nothing differed, each pair's difference might as well have the other sign."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from gaugeway.evaluation.statistics.normal import two_sided_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT_PAIRS = 16
"""Up to so many pairs that differ, every assignment of signs is counted."""
MAX_PAIRS = 20_000
"""Beyond so many, the sum of signed differences is as good as normal."""
RESAMPLES = 9_999
_CHUNK = 4_000_000
_SLACK = 1e-12
"""Sums that differ by rounding only are the same sum."""


def paired_permutation(differences: NDArray[Any], seed: int = 0) -> float:
    """The two-sided p-value of the mean difference; exact, or by 9,999 random assignments drawn with the seed."""
    import numpy as np

    moved = np.asarray(differences, dtype=float)
    moved = moved[moved != 0]
    n = len(moved)
    if n == 0:
        return 1.0
    seen = abs(float(moved.sum())) * (1 - _SLACK)
    if n <= EXACT_PAIRS:
        signs = 1 - 2 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1)
        return float(np.mean(np.abs(signs @ moved) >= seen))
    if n > MAX_PAIRS:
        return two_sided_p(float(moved.sum()) / sqrt(float(moved @ moved)))
    random = np.random.default_rng(seed)
    as_far, left = 0, RESAMPLES
    while left:
        rows = min(left, max(_CHUNK // n, 1))
        signs = 1 - 2 * random.integers(0, 2, (rows, n), dtype=np.int8)
        as_far += int(np.count_nonzero(np.abs(signs @ moved) >= seen))
        left -= rows
    return (1 + as_far) / (1 + RESAMPLES)
