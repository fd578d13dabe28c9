"""The cosine of the angle between two vectors."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """From -1 (opposite) to 1 (the same direction).

    ValueError for vectors of different lengths, and for one of zeros only, which has no direction.
    """
    if len(one) != len(other):
        raise ValueError(f"the vectors have {len(one)} and {len(other)} numbers")
    first, second = _scaled(one), _scaled(other)
    product = fsum(a * b for a, b in zip(first, second, strict=True))
    lengths = sqrt(fsum(a * a for a in first)) * sqrt(fsum(b * b for b in second))
    return max(-1.0, min(1.0, product / lengths))


def _scaled(vector: Sequence[float]) -> list[float]:
    """With 1 as the largest number, so that no square is too large or too small."""
    largest = max(map(abs, vector), default=0.0)
    if not largest:
        raise ValueError("a vector of zeros has no direction")
    return [number / largest for number in vector]
