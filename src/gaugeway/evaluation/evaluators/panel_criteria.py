"""Several models decide whether the answer meets criteria; the majority counts."""

from __future__ import annotations

from gaugeway.core.judging import Verdict
from gaugeway.core.samples import Figure, ItemEvaluator
from gaugeway.evaluation.evaluators.judge_criteria import Criteria, CriteriaText
from gaugeway.evaluation.panels import PassingPanel


class CriteriaPanel(PassingPanel, frozen=True, kw_only=True):
    """Pass or not, by majority."""

    KIND = Criteria

    criteria: CriteriaText

    def said(self, verdict: Verdict) -> str:
        """Pass or miss."""
        return "pass" if verdict["pass"] else "miss"


EVALUATOR = ItemEvaluator(
    id="panel_criteria",
    name="Judge panel: criteria",
    version="1",
    type="judge",
    description="Answers that meet your criteria by the majority of several models, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=CriteriaPanel,
)
