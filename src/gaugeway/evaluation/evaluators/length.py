"""How long the answer is."""

from __future__ import annotations

from gaugeway.core.metrics import Direction
from gaugeway.core.samples import ItemEvaluator, Sample, Score, Scorer


class Length(Scorer, frozen=True, kw_only=True):
    """Unicode code points of the text, white space included."""

    def score(self, sample: Sample) -> Score:
        """The number of characters."""
        return Score(float(len(sample.text)), f"{len(sample.text.split())} words")


EVALUATOR = ItemEvaluator(
    id="length",
    name="Length",
    version="1",
    description="Average length of an answer's text in characters. Neither is better.",
    unit="characters",
    direction=Direction.NEITHER,
    scorer=Length,
)
