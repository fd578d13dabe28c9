"""A model scores the answer by a rubric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from gaugeway.core.judging import JudgeScorer, Question, Verdict
from gaugeway.core.samples import ItemEvaluator, Sample, Score
from gaugeway.evaluation.prompts import conversation, question, verdict_schema

RubricText = Annotated[str, Meta(description="What the scores mean, in words.", min_length=1, max_length=20_000)]
Lowest = Annotated[int, Meta(description="The worst score.", ge=0, le=100)]
Highest = Annotated[int, Meta(description="The best score.", ge=1, le=100)]


class Rubric(JudgeScorer, frozen=True, kw_only=True):
    """A whole number from `lowest` to `highest`."""

    rubric: RubricText
    lowest: Lowest = 1
    highest: Highest = 5

    def __post_init__(self) -> None:
        """ValueError for a scale without steps."""
        super().__post_init__()
        if self.lowest >= self.highest:
            raise ValueError("highest must be above lowest")

    def questions(self, sample: Sample) -> Sequence[Question]:
        """One."""
        schema = verdict_schema(score={"type": "integer", "minimum": self.lowest, "maximum": self.highest})
        material = [("CONVERSATION", conversation(sample)), ("ANSWER", sample.text)]
        scale = {"lowest": str(self.lowest), "highest": str(self.highest)}
        return [question("rubric.1", material, schema, rubric=self.rubric, **scale)]

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """The score that was given."""
        return Score(float(verdicts[0]["score"]), verdicts[0]["reason"])


EVALUATOR = ItemEvaluator(
    id="judge_rubric",
    name="Judge: rubric",
    version="1",
    type="judge",
    description="A model's score for each answer by your rubric, in points of your scale, on average. Higher is"
    " better.",
    unit="points",
    scorer=Rubric,
)
