"""Whether the answer is the expected one, word for word."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, passed
from gaugeway.evaluation.expected import Comparing, collapsed, quoted


class ExactMatch(Comparing, frozen=True, kw_only=True):
    """Equal texts pass."""

    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = False
    ignore_whitespace: Annotated[
        bool, Meta(description="Runs of white space are one blank, and none at the ends.")
    ] = True

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        answer, expected = self._normal(sample.text), self._normal(self.expected_of(sample))
        same = answer == expected
        return passed(same, "" if same else f"expected {quoted(expected)}, found {quoted(answer)}")

    def _normal(self, text: str) -> str:
        text = collapsed(text) if self.ignore_whitespace else text
        return text.casefold() if self.ignore_case else text


EVALUATOR = ItemEvaluator(
    id="exact_match",
    name="Exact match",
    version="1",
    description="Answers equal to the expected one, in percent of the answers that have one. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=ExactMatch,
)
