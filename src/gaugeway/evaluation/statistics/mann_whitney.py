"""Mann-Whitney's U: whether the items of one side tend to be larger than those of the other. Ranks only."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from gaugeway.evaluation.statistics.normal import cdf

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mann_whitney(first: NDArray[Any], second: NDArray[Any]) -> tuple[float, float]:
    """The two-sided p-value, by the normal approximation with the corrections for ties and continuity.

    And which way the second's ranks are off: above 0 where its items tend to be the larger ones.
    """
    import numpy as np

    n1, n2 = len(first), len(second)
    n = n1 + n2
    _, where, ties = np.unique(np.concatenate([first, second]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[where]
    u = float(ranks[:n1].sum()) - n1 * (n1 + 1) / 2
    counts = ties.astype(float)
    tied = float((counts**3 - counts).sum()) / (n * (n - 1)) if n > 1 else 0.0
    error = sqrt(n1 * n2 / 12 * (n + 1 - tied))
    if error == 0:
        return 1.0, 0.0
    z = (max(u, n1 * n2 - u) - n1 * n2 / 2 - 0.5) / error
    return min(2 * (1 - cdf(z)) if z < 5 else 2 * cdf(-z), 1.0), n1 * n2 / 2 - u
