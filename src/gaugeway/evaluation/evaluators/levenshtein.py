"""How near the answer is to the expected one, letter by letter."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gaugeway.core.samples import ItemEvaluator, Sample, Score
from gaugeway.evaluation.expected import Comparing


class Levenshtein(Comparing, frozen=True, kw_only=True):
    """100 * (1 - d / longer); d is how many letters must be put in, left out or changed (Levenshtein 1966)."""

    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = False

    def score(self, sample: Sample) -> Score:
        """The similarity; two empty texts are the same."""
        from rapidfuzz.distance import Levenshtein as Distance

        answer, expected = sample.text, self.expected_of(sample)
        if self.ignore_case:
            answer, expected = answer.casefold(), expected.casefold()
        distance = Distance.distance(answer, expected)
        longer = max(len(answer), len(expected))
        return Score(100 * (longer - distance) / longer if longer else 100.0, f"{distance} edits")


EVALUATOR = ItemEvaluator(
    id="levenshtein",
    name="Levenshtein similarity",
    version="1",
    description="Similarity to the expected answer by edits of single letters, in percent, on average. Higher is"
    " better.",
    unit="%",
    scorer=Levenshtein,
)
