"""Several models compare the answer's facts with the expected answer's; the majority counts."""

from __future__ import annotations

from gaugeway.core.judging import Verdict
from gaugeway.core.samples import Figure, ItemEvaluator
from gaugeway.evaluation.evaluators.judge_factuality import Factuality
from gaugeway.evaluation.expected import ExpectedKey, ExpectedText
from gaugeway.evaluation.panels import PassingPanel


class FactualityPanel(PassingPanel, frozen=True, kw_only=True):
    """Passes where the answer says what the expected one says, by majority."""

    KIND = Factuality

    expected: ExpectedText = None
    expected_key: ExpectedKey = "expected"

    def said(self, verdict: Verdict) -> str:
        """The same, incomplete or contradicts."""
        return verdict["verdict"]


EVALUATOR = ItemEvaluator(
    id="panel_factuality",
    name="Judge panel: factuality",
    version="1",
    type="judge",
    description="Answers that say what the expected one says by the majority of several models, in percent."
    " Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=FactualityPanel,
)
