"""Quotients: exact where they end, nearest where they do not."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.money import plain
from gaugeway.evaluation.statistics import DIGITS, divide
from support.laboratory import is_nearest


@given(st.integers(-(10**30), 10**30), st.integers(-20, 6), st.integers(1, 10**9))
def test_a_quotient_is_exact_or_the_nearest(number, exponent, divisor):
    dividend = Decimal(f"{number}E{exponent}")
    exact = Fraction(dividend) / divisor
    assert is_nearest(plain(divide(dividend, Decimal(divisor))), exact, DIGITS)


def test_a_tie_goes_to_the_even_digit():
    even, odd = "1" + "0" * 32 + "2", "1" + "0" * 32 + "3"
    assert plain(divide(Decimal(even + "5"), Decimal(10))) == even
    assert plain(divide(Decimal(odd + "5"), Decimal(10))) == "1" + "0" * 32 + "4"


def test_the_thread_s_decimal_context_changes_nothing():
    with decimal.localcontext() as context:
        context.prec, context.rounding = 3, decimal.ROUND_UP
        assert divide(Decimal(123456789), Decimal(2)) == Decimal("61728394.5")


def test_nothing_is_divided_by_zero():
    with pytest.raises(decimal.DivisionByZero):
        divide(Decimal(1), Decimal(0))
