"""A rate that was counted by somebody who errs, with the errors taken off.

The estimate: W. J. Rogan, B. Gladen, American Journal of Epidemiology 107 (1978). Its interval, which reckons with
how little may be known of the errors: Z. Lang, J. Reiczigel, Preventive Veterinary Medicine 113 (2014).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from gaugeway.evaluation.statistics.normal import two_sided


class Counted(NamedTuple):
    """So many of so many."""

    hits: int
    n: int

    @property
    def rate(self) -> float:
        """The share; there must be one at least."""
        return self.hits / self.n


def corrected_rate(
    said: Counted, sensitivity: Counted, specificity: Counted, level: float = 0.95
) -> tuple[float, float, float] | None:
    """The true rate with the ends of its interval, all within 0 to 1.

    `said`: of all items, those that were called positive. `sensitivity`: of items known to be positive, those
    called so. `specificity`: of items known to be negative, those called so. None where the calls are no better
    than chance as far as is known, so that nothing follows from them.
    """
    if not (said.n and sensitivity.n and specificity.n):
        return None
    power = sensitivity.rate + specificity.rate - 1
    z = two_sided(level)
    square = z * z
    n = said.n + square
    rate = (said.hits + square / 2) / n
    se_n, sp_n = sensitivity.n + 2, specificity.n + 2
    se, sp = (sensitivity.hits + 1) / se_n, (specificity.hits + 1) / sp_n
    if power <= 0 or se + sp <= 1:
        return None
    value = (said.rate + specificity.rate - 1) / power
    middle = (rate + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / se_n, sp * (1 - sp) / sp_n
    error = sqrt(rate * (1 - rate) / n + middle**2 * of_se + (1 - middle) ** 2 * of_sp) / (se + sp - 1)
    shift = 2 * square * (middle * of_se - (1 - middle) * of_sp)
    ends = (middle + shift - z * error, middle + shift + z * error)
    value, low, high = (min(max(one, 0.0), 1.0) for one in (value, *ends))
    return value, min(low, value), max(high, value)
