"""A model prefers the answer or the expected one, asked in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from gaugeway.core.judging import Question, Verdict
from gaugeway.core.samples import ItemEvaluator, Sample, Score
from gaugeway.evaluation.expected import ComparingJudge
from gaugeway.evaluation.prompts import conversation, question, verdict_schema

_POINTS = {"first": 50.0, "tie": 25.0, "second": 0.0}


class Pairwise(ComparingJudge, frozen=True, kw_only=True):
    """Half of the score from each order: 100 where the answer wins both, 50 where they disagree or it is a tie."""

    criteria: Annotated[
        str, Meta(description="What makes an answer better, in words.", min_length=1, max_length=20_000)
    ] = "It answers the question correctly, completely and clearly."

    def questions(self, sample: Sample) -> Sequence[Question]:
        """Two, the second with the answers the other way round."""
        said, expected = sample.text, self.expected_of(sample)
        schema = verdict_schema(better={"enum": ["first", "second", "tie"]})
        return [
            question(
                "pairwise.1",
                [("CONVERSATION", conversation(sample)), ("FIRST", first), ("SECOND", second)],
                schema,
                criteria=self.criteria,
            )
            for first, second in ((said, expected), (expected, said))
        ]

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """The points of both orders."""
        straight, swapped = (verdict["better"] for verdict in verdicts)
        points = _POINTS[straight] + 50.0 - _POINTS[swapped]
        note = verdicts[0]["reason"]
        if straight == swapped != "tie":
            note = f"the order decided, not the answers: {note}"
        return Score(points, note)


EVALUATOR = ItemEvaluator(
    id="judge_pairwise",
    name="Judge: pairwise",
    version="1",
    type="judge",
    description="How often a model prefers the answer to the expected one, asked in both orders, in percent; 50 is"
    " even. Higher is better.",
    unit="%",
    scorer=Pairwise,
)
