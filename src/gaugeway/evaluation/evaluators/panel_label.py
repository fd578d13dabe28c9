"""Several models give the answer one of your labels; the one that most of them give counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gaugeway.core.judging import Verdict
from gaugeway.core.samples import Figure, ItemEvaluator, Mark, passed
from gaugeway.core.votes import Vote
from gaugeway.evaluation.evaluators.judge_label import TASK, Good, LabelOf, Labels, Task
from gaugeway.evaluation.panels import JudgePanel, Tie, split


class LabelPanel(JudgePanel, frozen=True, kw_only=True):
    """Passes where the label that most members give is one of the `good` ones."""

    KIND = LabelOf

    labels: Labels
    good: Good
    task: Task = TASK
    tie: Tie = "miss"

    def said(self, verdict: Verdict) -> str:
        """The label."""
        return verdict["label"]

    def decide(self, given: Sequence[Vote]) -> Mark:
        """By the label given most often; where several are, and not all on one side, it is a tie."""
        times = Counter(vote.verdict for vote in given)
        most = max(times.values())
        first = [label for label in self.labels if times[label] == most]
        note = f"{' or '.join(first)}: {most} of {len(given)} members"
        sides = {label in self.good for label in first}
        if len(sides) > 1:
            return split(self.tie, note)
        return Mark(passed(sides.pop()).value, note=note)


EVALUATOR = ItemEvaluator(
    id="panel_label",
    name="Judge panel: label",
    version="1",
    type="judge",
    description="Answers that most of several models give a good label, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=LabelPanel,
)
