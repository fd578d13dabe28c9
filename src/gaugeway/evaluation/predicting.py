"""What many calls would cost, from those of a sample: with a prediction interval."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import sqrt
from statistics import variance

from msgspec import Struct

from gaugeway.core.money import PICO
from gaugeway.evaluation.statistics import student


class Costs(Struct, frozen=True):
    """What the sampled items that something is asked about would cost."""

    each: Sequence[float]
    lengths_variance: float  # of what an average call costs, over the lengths that answers have
    known: int  # answers whose lengths are known
    calls_each: float = 1.0  # calls about one of these items


def predicted(costs: Costs, sampled: int, items: int) -> tuple[float, float | None, float | None]:
    """The cost of all items and its 95 % prediction interval, from those of the sampled ones that cost something.

    None for its ends where nothing is known of how much items or answers differ: one of them was seen only.

    What is open: which items there are beside the sampled ones, how long answers are on average, and how long each
    of them will be.
    """
    each = [*costs.each, *[0.0] * (sampled - len(costs.each))]  # the others cost nothing
    total = sum(each) / sampled * items
    if costs.known == 1 or (sampled == 1 and items > 1):
        return total, None, None
    unseen = items * items * (1 - sampled / items) * spread(each) / sampled
    answers = items * len(costs.each) / sampled * costs.calls_each
    lengths = costs.lengths_variance * (answers * answers / max(costs.known, 1) + answers)
    half = student.two_sided(0.95, max(sampled - 1, 1)) * sqrt(unseen + lengths)
    return total, max(total - half, 0.0), total + half


def spread(values: Sequence[float]) -> float:
    """The variance, 0 of a single value."""
    return variance(values) if len(values) > 1 else 0.0


def dollars(amount: float | None) -> Decimal | None:
    """An amount as it is kept."""
    return None if amount is None else Decimal(repr(amount)).quantize(PICO)
