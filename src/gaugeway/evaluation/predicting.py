"""What many calls would cost, from those of a sample: with a prediction interval."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import sqrt
from statistics import fmean, variance
from typing import Protocol

from msgspec import Struct

from gaugeway.core.money import PICO
from gaugeway.evaluation.statistics import student


class Costs(Struct, frozen=True):
    """What the sampled items that something is asked about would cost."""

    each: Sequence[float]
    lengths_variance: float  # of what an average call costs, over the lengths that answers have
    known: int  # answers whose lengths are known
    calls_each: float = 1.0  # calls about one of these items


class Scale(Protocol):
    """What a sample stands for."""

    @property
    def sampled(self) -> int:
        """Items that were looked at, also those that cost nothing."""
        ...

    @property
    def items(self) -> float:
        """How many they stand for; of what is still to come, on average."""
        ...

    def predict(self, costs: Costs) -> tuple[float, float | None, float | None]:
        """What they all cost, and the ends of its 95 % prediction interval; None where there can be none."""
        ...


class Whole(Struct, frozen=True):
    """Items that are all there, some of which were looked at."""

    sampled: int
    items: int

    def predict(self, costs: Costs) -> tuple[float, float | None, float | None]:
        """See Scale."""
        return predicted(costs, self.sampled, self.items)


class Daily(Struct, frozen=True):
    """A day to come, like those before it, of whose requests a share is drawn by lot."""

    sampled: int
    days: Sequence[int]  # requests of each day before
    share: float  # of them that are drawn, 0 to 1

    @property
    def items(self) -> float:
        """See Scale."""
        return self.share * fmean(self.days)

    def predict(self, costs: Costs) -> tuple[float, float | None, float | None]:
        """See Scale. Of a single day, request or answer nothing is known of how much they differ.

        What is open: how many requests the day has, which of them are drawn, what requests these are, and how long
        their answers will be. With as few days as there are, Student's t has a degree less than there are days.
        """
        each = [*costs.each, *[0.0] * (self.sampled - len(costs.each))]  # the others cost nothing
        mean = sum(each) / max(self.sampled, 1)
        total = self.items * mean
        if len(self.days) < 2 or self.sampled == 1 or costs.known == 1:
            return total, None, None
        requests = self.share**2 * variance(self.days) * (1 + 1 / len(self.days))
        drawn = requests + self.share * (1 - self.share) * fmean(self.days)
        among = spread(each) * (self.items + self.items**2 / max(self.sampled, 1))
        answers = self.items * len(costs.each) / max(self.sampled, 1) * costs.calls_each
        lengths = costs.lengths_variance * (answers * answers / max(costs.known, 1) + answers)
        half = student.two_sided(0.95, len(self.days) - 1) * sqrt(mean * mean * drawn + among + lengths)
        return total, max(total - half, 0.0), total + half


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
