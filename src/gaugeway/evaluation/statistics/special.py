"""The incomplete beta function, from which Student's and the binomial distribution follow.

Continued fraction by Lentz's method (DLMF 8.17.22); the factor before it after C. Loader, "Fast and accurate
computation of binomial probabilities" (2000), so that nothing cancels out however many items there are.
"""

from __future__ import annotations

from math import exp, lgamma, log, pi

_TINY = 1e-300
_PRECISE = 1e-16
_MAX_STEPS = 100_000
_HALF_LOG_2PI = log(2 * pi) / 2


def beta_cdf(a: float, b: float, x: float, complement: float | None = None) -> float:
    """The regularised incomplete beta function I_x(a, b); `complement` is 1 - x, where known more exactly."""
    y = 1 - x if complement is None else complement
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _lower(b, a, y, x)
    return _lower(a, b, x, y)


def _lower(a: float, b: float, x: float, y: float) -> float:
    return exp(log_kernel(a, b, x, y)) / a * _fraction(a, b, x)


def log_kernel(a: float, b: float, x: float, y: float) -> float:
    """The logarithm of x^a y^b / B(a, b)."""
    n = a + b
    off = x * b - y * a  # = x n - a
    u, v = off / a, off / b
    body = a * _log1p_less(u, x * n / a) + b * _log1p_less(-v, y * n / b)
    return body + log(a * b / (2 * pi * n)) / 2 - (_stirling(a) + _stirling(b) - _stirling(n))


def _log1p_less(u: float, one_plus_u: float) -> float:
    """log(1 + u) - u."""
    if abs(u) > 0.01:
        return log(one_plus_u) - u
    power, total = u, 0.0
    for k in range(2, 12):
        power *= -u
        total += power / k
    return total


def _stirling(z: float) -> float:
    """What Stirling's formula lacks of log gamma(z)."""
    if z < 16:
        return lgamma(z) - ((z - 0.5) * log(z) - z + _HALF_LOG_2PI)
    square = z * z
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square) / square) / z


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, _MAX_STEPS):
        change = 1.0
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 + numerator * d, 1 + numerator / c
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            change = c * d
            value *= change
        if abs(change - 1) < _PRECISE * 4:
            return value
    raise ArithmeticError(f"the incomplete beta function of {a}, {b}, {x} does not converge")
