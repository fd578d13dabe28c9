"""Whether the answer is JSON."""

from __future__ import annotations

from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer, passed
from gaugeway.evaluation.json_text import AllowFence, NoJson, read_json


class JsonValidity(Scorer, frozen=True, kw_only=True):
    """JSON by RFC 8259, with nothing around it."""

    allow_fence: AllowFence = False

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        try:
            read_json(sample.text, allow_fence=self.allow_fence)
        except NoJson as problem:
            return passed(ok=False, note=str(problem))
        return passed(ok=True)


EVALUATOR = ItemEvaluator(
    id="json_validity",
    name="JSON validity",
    version="1",
    description="Answers that are JSON and nothing else, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=JsonValidity,
)
