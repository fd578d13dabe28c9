"""Agreement of any number of annotators, each of whom may have marked some items only: Krippendorff's alpha.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections C and D. Its interval is the
percentile bootstrap over items, seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gaugeway.core.annotations import Measure

RESAMPLES = 2_000
MIN_ITEMS = 10
"""Below it a bootstrap has too few different draws to say anything."""
_CHUNK = 4_000_000


def alpha(
    items: Sequence[Sequence[int]], values: Sequence[float], measure: Measure, level: float = 0.95, seed: int = 0
) -> tuple[float, tuple[float, float] | None] | None:
    """Alpha, and its interval where there are enough items.

    `items`: for each, the labels that it was given, as places in `values` (the numbers that labels are, for the
    measure `interval`). Items with fewer than two labels say nothing of agreement and are left out. None where
    there is no other, or all labels are the same one.
    """
    import numpy as np

    shared = [labels for labels in items if len(labels) >= 2]
    if not shared:
        return None
    pairs = _coincidences(shared, len(values))
    whole = float(_alphas(pairs.sum(axis=0)[None], values, measure)[0])
    if np.isnan(whole):
        return None
    if len(shared) < MIN_ITEMS:
        return whole, None
    flat = pairs.reshape(len(shared), -1)
    random = np.random.default_rng(seed)
    drawn: list[NDArray[Any]] = []
    for size in _portions(len(shared)):
        weights = random.multinomial(len(shared), np.full(len(shared), 1 / len(shared)), size)
        drawn.append(_alphas((weights @ flat).reshape(size, len(values), len(values)), values, measure))
    found = np.nan_to_num(np.concatenate(drawn), nan=1.0)  # all labels alike: nobody disagrees
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return whole, (min(float(low), whole), max(float(high), whole))


def distances(values: Sequence[float], counts: NDArray[Any], measure: Measure) -> NDArray[Any]:
    """The square of how far apart each two labels are; `counts`: how often each was given, in the last axis."""
    import numpy as np

    if measure == "nominal":
        return 1 - np.eye(len(values))
    ranks = np.cumsum(counts, axis=-1) - counts / 2  # the middle one of what was given each label
    places = np.asarray(values, dtype=float) if measure == "interval" else ranks
    return (places[..., :, None] - places[..., None, :]) ** 2


def _coincidences(items: Sequence[Sequence[int]], size: int) -> NDArray[Any]:
    """Each item's share of the coincidence matrix: the ordered pairs of its labels, weighed by 1 / (labels - 1)."""
    import numpy as np

    lengths = np.array([len(labels) for labels in items])
    counts = np.zeros((len(items), size))
    places = np.fromiter((label for labels in items for label in labels), dtype=int)
    np.add.at(counts, (np.repeat(np.arange(len(items)), lengths), places), 1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(size)
    return pairs / (lengths - 1)[:, None, None]


def _alphas(coincidences: NDArray[Any], values: Sequence[float], measure: Measure) -> NDArray[Any]:
    """Alpha of each of several coincidence matrices; not a number where all labels are alike."""
    import numpy as np

    counts = coincidences.sum(axis=1)
    apart = np.broadcast_to(distances(values, counts, measure), coincidences.shape)
    observed = (coincidences * apart).sum(axis=(1, 2))
    expected = np.einsum("ri,rij,rj->r", counts, apart, counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 - (counts.sum(axis=1) - 1) * observed / expected
    return np.where(expected > 0, found, np.nan)


def _portions(items: int) -> list[int]:
    """The resamples, so many at a time as fit into memory."""
    size = max(min(_CHUNK // items, RESAMPLES), 1)
    whole, rest = divmod(RESAMPLES, size)
    return [size] * whole + ([rest] if rest else [])
