"""A model compares the answer's facts with the expected answer's."""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.judging import Question, Verdict
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, passed
from gaugeway.evaluation.expected import ComparingJudge
from gaugeway.evaluation.prompts import conversation, question, verdict_schema


class Factuality(ComparingJudge, frozen=True, kw_only=True):
    """Passes where the answer says what the expected one says."""

    def questions(self, sample: Sample) -> Sequence[Question]:
        """One."""
        schema = verdict_schema(verdict={"enum": ["same", "incomplete", "contradicts"]})
        material = [
            ("CONVERSATION", conversation(sample)),
            ("EXPECTED", self.expected_of(sample)),
            ("ANSWER", sample.text),
        ]
        return [question("factuality.1", material, schema)]

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """Pass for "same"."""
        verdict = verdicts[0]["verdict"]
        return passed(verdict == "same", f"{verdict}: {verdicts[0]['reason']}")


EVALUATOR = ItemEvaluator(
    id="judge_factuality",
    name="Judge: factuality",
    version="1",
    type="judge",
    description="Answers that say what the expected one says by a model's verdict, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Factuality,
)
