"""BLEU of the answer against the expected one."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from msgspec import Meta

from gaugeway.core.samples import ItemEvaluator, NotApplicable, Sample, Score
from gaugeway.evaluation.expected import Comparing


class Bleu(Comparing, frozen=True, kw_only=True):
    """Sentence BLEU (Papineni et al. 2002) as sacrebleu computes it: exponential smoothing, effective order."""

    tokenize: Annotated[
        Literal["13a", "intl", "char", "none"], Meta(description="How sacrebleu splits texts into words.")
    ] = "13a"
    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = False

    @cached_property
    def _bleu(self) -> Any:
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(lowercase=self.ignore_case, tokenize=self.tokenize, effective_order=True)

    def score(self, sample: Sample) -> Score:
        """0 to 100."""
        expected = self.expected_of(sample)
        if not expected.strip():
            raise NotApplicable("the expected answer has no words")
        found: Any = self._bleu.sentence_score(sample.text, [expected])
        return Score(min(100.0, found.score), f"brevity penalty {found.bp:.3g}")


EVALUATOR = ItemEvaluator(
    id="bleu",
    name="BLEU",
    version="1",
    description="BLEU of each answer against its expected one, in points of 0-100, on average over the answers"
    " (which is not the BLEU of all of them as one text). Higher is better.",
    unit="points",
    scorer=Bleu,
)
