"""From aggregates to figures, in exact decimals."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from gaugeway.core.metrics import NO_INTERVAL, Interval, Metric

DIGITS = 34
"""Significant digits of a quotient that does not end, as in IEEE 754's decimal128."""

ENDS = 9
"""Significant digits of an interval's ends: more than they mean, few enough that any way of adding up agrees."""

_ARITHMETIC = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The exact quotient where it ends within DIGITS significant digits, else rounded half-even to them."""
    return _ARITHMETIC.divide(dividend, divisor)


def average(
    total: int,
    known: Decimal | int,
    summed: Decimal,
    what: str,
    *,
    interval: Interval | None = None,
    no_interval: str = NO_INTERVAL,
    divisor: Decimal | None = None,
) -> Metric:
    """The mean over the logs where a column is known, of `total` selected; `what` names it: "a known cost".

    `divisor` is what the sum is divided by, where that is not the number of logs.
    """
    n = int(known)
    note = f"{n} of {total} logs have {what}" + (f"; {total - n} left out" if n < total else "")
    return Metric(
        value=divide(summed, Decimal(n) if divisor is None else divisor) if n else None,
        n=n,
        skipped=total - n,
        note=note,
        interval=interval,
        no_interval=no_interval,
    )


def interval(low: float, high: float, method: str) -> Interval:
    """An interval of binary numbers as decimals, rounded outwards to ENDS digits."""
    return Interval(_end(low, ROUND_FLOOR), _end(high, ROUND_CEILING), method)


def _end(number: float, rounding: str) -> Decimal:
    # First to twelve digits, the nearest: a binary number just beside a short decimal means the short one.
    return Context(prec=ENDS, rounding=rounding).create_decimal(f"{number:.12g}")
