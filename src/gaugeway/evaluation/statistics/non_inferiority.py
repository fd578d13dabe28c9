"""Whether something is not worse by more than a margin: what a cheaper model has to show."""

from __future__ import annotations

from enum import StrEnum


class Inferiority(StrEnum):
    """What an interval says about a margin."""

    NOT_WORSE = "not worse"
    WORSE = "worse"
    CANNOT_TELL = "cannot tell"


def inferiority(gain_low: float, gain_high: float, margin: float) -> Inferiority:
    """From the interval of how much better the second is (negative: worse) and a margin above 0.

    A 95 % interval makes this a one-sided test at 2.5 %, as regulators ask for.
    """
    if gain_low > -margin:
        return Inferiority.NOT_WORSE
    return Inferiority.WORSE if gain_high < -margin else Inferiority.CANNOT_TELL
