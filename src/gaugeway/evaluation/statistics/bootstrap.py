"""The bias-corrected and accelerated bootstrap of a mean: B. Efron, JASA 82 (1987). Seeded: repeatable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gaugeway.evaluation.statistics import normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 9_999
_CHUNK = 4_000_000


def bca_mean(values: NDArray[Any], level: float = 0.95, seed: int = 0) -> tuple[float, float] | None:
    """The interval of the mean; None where all values are equal, so that nothing is known of their spread."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    n = len(values)
    if n < 2 or float(np.ptp(values)) == 0:
        return None
    means = _resampled_means(values, seed)
    mean = values.mean()
    below = (np.count_nonzero(means < mean) + np.count_nonzero(means <= mean)) / (2 * len(means))
    if not 0 < below < 1:
        return None
    bias = normal.quantile(float(below))
    left_out = (values.sum() - values) / (n - 1)
    apart = left_out.mean() - left_out
    acceleration = float((apart**3).sum() / (6 * (apart**2).sum() ** 1.5))
    ends = [
        normal.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        for z in (normal.quantile((1 - level) / 2), -normal.quantile((1 - level) / 2))
    ]
    low, high = np.quantile(means, ends)
    return float(low), float(high)


def _resampled_means(values: NDArray[Any], seed: int) -> NDArray[Any]:
    import numpy as np

    random = np.random.default_rng(seed)
    n = len(values)
    parts: list[NDArray[Any]] = []
    left = RESAMPLES
    while left:
        rows = min(left, max(_CHUNK // n, 1))
        parts.append(values[random.integers(0, n, (rows, n))].mean(axis=1))
        left -= rows
    return np.concatenate(parts)
