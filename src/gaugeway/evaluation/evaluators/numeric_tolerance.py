"""Whether the number in the answer is near enough to the expected one."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from gaugeway.core.samples import Figure, ItemEvaluator, NotApplicable, Sample, Score, passed
from gaugeway.evaluation.expected import Comparing

_NUMBER = re.compile(r"(?<![\w.,])[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?(?![\w])")


class NumericTolerance(Comparing, frozen=True, kw_only=True):
    """|answer - expected| <= absolute + relative * |expected|, in exact decimals."""

    absolute: Annotated[float, Meta(description="How far it may be off, in the number's own unit.", ge=0)] = 0.0
    relative: Annotated[
        float, Meta(description="How far it may be off, as a part of the expected number.", ge=0)
    ] = 0.0
    which: Annotated[
        Literal["last", "first"], Meta(description="Which of the answer's numbers is meant, if it has several.")
    ] = "last"

    def score(self, sample: Sample) -> Score:
        """Pass or miss; an answer without a number misses."""
        wanted = numbers(self.expected_of(sample))
        if len(wanted) != 1:
            raise NotApplicable(f"the expected answer must have one number, it has {len(wanted)}")
        found = numbers(sample.text)
        if not found:
            return passed(ok=False, note="the answer has no number")
        number = found[-1] if self.which == "last" else found[0]
        allowed = Decimal(str(self.absolute)) + Decimal(str(self.relative)) * abs(wanted[0])
        return passed(abs(number - wanted[0]) <= allowed, f"expected {wanted[0]}, found {number}")


def numbers(text: str) -> list[Decimal]:
    """The numbers of a text: with a decimal point, with commas between thousands or without, with an exponent."""
    found = (match.group().replace(",", "").replace("\u2212", "-") for match in _NUMBER.finditer(text))
    return [Decimal(number) for number in found if any(character.isdigit() for character in number)]


EVALUATOR = ItemEvaluator(
    id="numeric_tolerance",
    name="Numeric tolerance",
    version="1",
    description="Answers whose number is near enough to the expected one, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=NumericTolerance,
)
