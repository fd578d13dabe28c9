"""A model decides whether the answer meets criteria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from gaugeway.core.judging import JudgeScorer, Question, Verdict
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, passed
from gaugeway.evaluation.prompts import conversation, question, verdict_schema

CriteriaText = Annotated[
    str, Meta(description="What an answer must meet to pass, in words.", min_length=1, max_length=20_000)
]


class Criteria(JudgeScorer, frozen=True, kw_only=True):
    """Pass or not."""

    criteria: CriteriaText

    def questions(self, sample: Sample) -> Sequence[Question]:
        """One."""
        schema = verdict_schema(**{"pass": {"type": "boolean"}})
        material = [("CONVERSATION", conversation(sample)), ("ANSWER", sample.text)]
        return [question("criteria.1", material, schema, criteria=self.criteria)]

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """What was decided."""
        return passed(verdicts[0]["pass"], verdicts[0]["reason"])


EVALUATOR = ItemEvaluator(
    id="judge_criteria",
    name="Judge: criteria",
    version="1",
    type="judge",
    description="Answers that meet your criteria by a model's verdict, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Criteria,
)
