"""Whether the model refused to answer."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from msgspec import Meta

from gaugeway.core.linear import Pattern, compile_linear
from gaugeway.core.metrics import Direction
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer, passed
from gaugeway.evaluation.expected import collapsed, quoted
from gaugeway.evaluation.word_lists import lines_of

BEGINNING = 400
"""Letters of an answer in which a refusal is looked for: one that comes later is a remark within an answer."""


class Refusal(Scorer, frozen=True, kw_only=True):
    """What the API marks as a refusal, or an answer that begins with words of refusing.

    The words are patterns in `refusals.txt` (English, German, French, Spanish). They find what is said, not what is
    meant: a refusal in other words is missed.
    """

    phrases: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=1000)], ...],
        Meta(description="More phrases that refuse, taken literally.", max_length=1000),
    ] = ()

    def score(self, sample: Sample) -> Score:
        """Pass is a refusal."""
        answer = sample.answer
        if answer.refusal is not None:
            return passed(ok=True, note=f"the API says so: {quoted(answer.refusal)}")
        beginning = collapsed(answer.text.replace("\u2019", "'"))[:BEGINNING]
        found = _patterns().search(beginning)
        if found is not None:
            return passed(ok=True, note=f"it says {quoted(found.group())}")
        folded = beginning.casefold()
        said = next((phrase for phrase in self.phrases if collapsed(phrase).casefold() in folded), None)
        return passed(said is not None, "" if said is None else f"it says {quoted(said)}")


@lru_cache(1)
def _patterns() -> Pattern:
    listed = lines_of(files("gaugeway.evaluation.word_lists") / "refusals.txt")
    return compile_linear("|".join(f"(?:{line})" for line in listed), ignore_case=True)


EVALUATOR = ItemEvaluator(
    id="refusal",
    name="Refusals",
    version="1",
    description="Answers in which the model refuses, in percent: what the API marks as a refusal, or words of"
    " refusing at the beginning. Lower is better.",
    unit="%",
    figure=Figure.SHARE,
    direction=Direction.LOWER,
    scorer=Refusal,
)
