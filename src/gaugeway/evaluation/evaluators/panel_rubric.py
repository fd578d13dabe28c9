"""Several models score the answer by a rubric; the mean or the median of their scores counts."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Annotated, Literal

from msgspec import Meta

from gaugeway.core.estimates import Measure
from gaugeway.core.judging import Verdict
from gaugeway.core.samples import ItemEvaluator, Mark
from gaugeway.core.votes import Vote
from gaugeway.evaluation.evaluators.judge_rubric import Highest, Lowest, Rubric, RubricText
from gaugeway.evaluation.panels import JudgePanel


class RubricPanel(JudgePanel, frozen=True, kw_only=True):
    """The mean or the median of whole numbers from `lowest` to `highest`."""

    KIND = Rubric
    MEASURE = Measure.INTERVAL

    rubric: RubricText
    lowest: Lowest = 1
    highest: Highest = 5
    aggregate: Annotated[Literal["mean", "median"], Meta(description="What is made of the members' scores.")] = (
        "mean"
    )

    def said(self, verdict: Verdict) -> str:
        """The score."""
        return f"{verdict['score']:g}"

    def decide(self, given: Sequence[Vote]) -> Mark:
        """The mean or the median of those who gave a score."""
        scores = [vote.score for vote in given if vote.score is not None]
        value = fmean(scores) if self.aggregate == "mean" else median(scores)
        return Mark(value, note=f"{self.aggregate} of {', '.join(f'{score:g}' for score in scores)}")


EVALUATOR = ItemEvaluator(
    id="panel_rubric",
    name="Judge panel: rubric",
    version="1",
    type="judge",
    description="Several models' score for each answer by your rubric, their mean or median, in points of your"
    " scale, on average. Higher is better.",
    unit="points",
    scorer=RubricPanel,
)
