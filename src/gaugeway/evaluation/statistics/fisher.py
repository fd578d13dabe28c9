"""Fisher's exact test of two rates: right also where hits are few and the level asked for is small."""

from __future__ import annotations

from math import exp, lgamma

NEGLIGIBLE = 1e-17


def fisher(k1: int, n1: int, k2: int, n2: int) -> float:
    """Two-sided p, as twice the smaller tail, of k1 of n1 and k2 of n2 hits having one rate.

    R. A. Fisher, Statistical Methods for Research Workers (5th ed., 1934): all margins given, the hits of the
    second are hypergeometric.
    """
    hits, total = k1 + k2, n1 + n2
    misses = total - hits
    if k2 * n1 > k1 * n2:  # the upper tail of hits is the lower tail of misses
        hits, misses, k2 = misses, hits, n2 - k2
    least = max(0, n2 - misses)
    term = exp(_choose(hits, k2) + _choose(misses, n2 - k2) - _choose(total, n2))
    tail, x = term, k2
    while x > least and term > NEGLIGIBLE * tail:
        term *= x * (misses - n2 + x) / ((hits - x + 1) * (n2 - x + 1))
        tail += term
        x -= 1
    return min(2 * tail, 1.0)


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
