"""From aggregates to figures, in exact decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from gaugeway.core.ports import Metric

DIGITS = 34
"""Significant digits of a quotient that does not end, as in IEEE 754's decimal128."""

_ARITHMETIC = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The exact quotient where it ends within DIGITS significant digits, else rounded half-even to them."""
    return _ARITHMETIC.divide(dividend, divisor)


def average(total: int, known: Decimal, summed: Decimal, what: str) -> Metric:
    """The mean over the logs where a column is known, of `total` selected; `what` names it: "a known cost"."""
    n = int(known)
    note = f"{n} of {total} logs have {what}" + (f"; {total - n} left out" if n < total else "")
    return Metric(value=divide(summed, known) if n else None, n=n, skipped=total - n, note=note)
