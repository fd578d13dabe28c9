"""ROUGE of the answer against the expected one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from gaugeway.core.samples import ItemEvaluator, NotApplicable, Sample, Score
from gaugeway.evaluation.expected import Comparing

_WORD = re.compile(r"\w+")


class Rouge(Comparing, frozen=True, kw_only=True):
    """ROUGE (Lin 2004) as F1, over words in small letters, without stemming.

    `rouge1`, `rouge2`: words or pairs of words in common. `rougeL`: the longest common subsequence of words.
    """

    variant: Annotated[Literal["rouge1", "rouge2", "rougeL"], Meta(description="Which ROUGE.")] = "rougeL"

    def score(self, sample: Sample) -> Score:
        """0 to 100."""
        answer, expected = words(sample.text), words(self.expected_of(sample))
        if not expected:
            raise NotApplicable("the expected answer has no words")
        if self.variant == "rougeL":
            from rapidfuzz.distance import LCSseq

            common, found, wanted = LCSseq.similarity(answer, expected), len(answer), len(expected)
        else:
            size = int(self.variant[-1])
            ours, theirs = grams(answer, size), grams(expected, size)
            if not theirs:
                raise NotApplicable(f"the expected answer has fewer than {size} words")
            common, found, wanted = (ours & theirs).total(), ours.total(), theirs.total()
        precision = common / found if found else 0.0
        recall = common / wanted
        f1 = 2 * common / (found + wanted)
        return Score(100 * f1, f"precision {precision:.3g}, recall {recall:.3g}")


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return _WORD.findall(text.casefold())


def grams(of: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    """How often each run of so many words occurs."""
    return Counter(tuple(of[at : at + size]) for at in range(len(of) - size + 1))


EVALUATOR = ItemEvaluator(
    id="rouge",
    name="ROUGE",
    version="1",
    description="ROUGE-L (or ROUGE-1, ROUGE-2) of each answer against its expected one, as F1 in percent, on"
    " average. Higher is better.",
    unit="%",
    scorer=Rouge,
)
