"""Holm's correction: whoever asks many questions gets some wrong answers by chance; this keeps them to 1 in 20."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, adjusted for being so many, in the given order. S. Holm, Scand. J. Statistics 6 (1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min((len(p_values) - place) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted
