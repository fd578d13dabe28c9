"""Agreement of two annotators beyond chance: J. Cohen, Educational and Psychological Measurement 20 (1960).

Its standard error: J. L. Fleiss, J. Cohen, B. S. Everitt, Psychological Bulletin 72 (1969), equation 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from gaugeway.evaluation.statistics.normal import two_sided


class Kappa(NamedTuple):
    """Kappa and the ends of its interval; no ends where no spread is left to reckon with.

    That is so where two agree fully, and where one of them gave all items the same label.
    """

    value: float
    low: float | None
    high: float | None


def cohen(table: Sequence[Sequence[int]], level: float = 0.95) -> Kappa | None:
    """Of a square table: how many items have the first's label of that row and the second's of that column.

    None where both gave all items one and the same label, or there is no item: chance alone would then agree fully.
    """
    n = sum(map(sum, table))
    if not n:
        return None
    labels = range(len(table))
    p = [[cell / n for cell in row] for row in table]
    first = [sum(row) for row in p]
    second = [sum(p[i][j] for i in labels) for j in labels]
    observed = sum(p[i][i] for i in labels)
    expected = sum(first[i] * second[i] for i in labels)
    if expected >= 1:
        return None
    kappa = (observed - expected) / (1 - expected)
    agree_fully = all(i == j or not table[i][j] for i in labels for j in labels)
    if agree_fully or 1 in (sum(map(bool, first)), sum(map(bool, second))):
        return Kappa(kappa, None, None)
    on = sum(p[i][i] * (1 - (first[i] + second[i]) * (1 - kappa)) ** 2 for i in labels)
    off = sum(p[i][j] * (second[i] + first[j]) ** 2 for i in labels for j in labels if i != j)
    variance = (on + (1 - kappa) ** 2 * off - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    half = two_sided(level) * sqrt(max(variance, 0.0))
    return Kappa(kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))
