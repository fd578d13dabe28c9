"""A model gives the answer one of your labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from gaugeway.core.judging import JudgeScorer, Question, Verdict
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, passed
from gaugeway.evaluation.prompts import conversation, question, verdict_schema

Label = Annotated[str, Meta(min_length=1, max_length=200)]
Labels = Annotated[tuple[Label, ...], Meta(description="The labels to choose from.", min_length=2, max_length=100)]
Good = Annotated[tuple[Label, ...], Meta(description="Those that pass.", min_length=1, max_length=99)]
Task = Annotated[str, Meta(description="What to look at, in words.", min_length=1, max_length=20_000)]
TASK = "what kind of answer it is"


class LabelOf(JudgeScorer, frozen=True, kw_only=True):
    """Passes with one of the `good` labels."""

    labels: Labels
    good: Good
    task: Task = TASK

    def __post_init__(self) -> None:
        """ValueError where a good label cannot be given, or labels repeat."""
        super().__post_init__()
        strange = [label for label in self.good if label not in self.labels]
        if strange:
            raise ValueError(f"good has {strange[0]!r}, which is none of the labels")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("each label is named once")

    def questions(self, sample: Sample) -> Sequence[Question]:
        """One."""
        schema = verdict_schema(label={"enum": list(self.labels)})
        material = [("CONVERSATION", conversation(sample)), ("ANSWER", sample.text)]
        listed = "\n".join(f"- {label}" for label in self.labels)
        return [question("label.1", material, schema, task=self.task, labels=listed)]

    def conclude(self, verdicts: Sequence[Verdict]) -> Score:
        """Pass for a good label."""
        label = verdicts[0]["label"]
        return passed(label in self.good, f"{label}: {verdicts[0]['reason']}")


EVALUATOR = ItemEvaluator(
    id="judge_label",
    name="Judge: label",
    version="1",
    type="judge",
    description="Answers that a model gives one of the good labels, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=LabelOf,
)
