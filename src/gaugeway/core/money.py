"""Amounts of money: exact decimals in US dollars, and their text."""

from __future__ import annotations

from decimal import Context, Decimal

PICO = Decimal("1e-12")
"""The unit costs are stored in: 10^-12 dollars. Public prices per million tokens have at most 6 decimals, so
a whole number of these is exact for them."""


def plain(amount: Decimal) -> str:
    """The shortest exact decimal without exponent: `Decimal("1.50E-5")` is `0.000015`."""
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def readable(text: str, digits: int = 6) -> str:
    """A decimal's text for people: as it is where it is short, else rounded to that many digits and marked so."""
    amount = Decimal(text)
    if len(amount.as_tuple().digits) <= digits:
        return text
    return "≈" + plain(Context(prec=digits).plus(amount))


def to_pico(amount: Decimal) -> int | None:
    """The amount in whole 10^-12 dollars, or None where that would not be exact or not fit 63 bits."""
    sign, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int):  # NaN and infinities
        return None
    shift = exponent + 12
    number = int("".join(map(str, digits)) or "0")
    if shift >= 0:
        if shift > 19:
            return None if number else 0
        number *= 10**shift
    else:
        number, rest = divmod(number, 10**-shift)
        if rest:
            return None
    number = -number if sign else number
    return number if abs(number) < 1 << 63 else None


def from_pico(pico: int) -> Decimal:
    """Exact dollars of a number of 10^-12 dollars."""
    return Decimal(pico).scaleb(-12)
