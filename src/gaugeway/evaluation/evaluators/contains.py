"""Whether the answer has certain texts in it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gaugeway.core.samples import Figure, ItemEvaluator, NotApplicable, Sample, Score, passed
from gaugeway.evaluation.expected import Comparing, quoted

Piece = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Contains(Comparing, frozen=True, kw_only=True):
    """The texts are looked for anywhere in the answer, also within words."""

    texts: Annotated[
        tuple[Piece, ...], Meta(description="What to look for. None: the expected answer.", max_length=1000)
    ] = ()
    require: Annotated[Literal["all", "any", "none"], Meta(description="How many of the texts must be there.")] = (
        "all"
    )
    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = True

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        answer = self._normal(sample.text)
        wanted = self.texts or [self.expected_of(sample)]
        if not all(wanted):
            raise NotApplicable("the expected answer is empty, which is in every answer")
        found = [text for text in wanted if self._normal(text) in answer]
        if self.require == "none":
            return passed(not found, f"found {quoted(found[0])}" if found else "")
        if self.require == "any":
            return passed(bool(found), "" if found else "none of the texts is there")
        missing = [text for text in wanted if text not in found]
        return passed(not missing, f"missing {quoted(missing[0])}" if missing else "")

    def _normal(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


EVALUATOR = ItemEvaluator(
    id="contains",
    name="Contains",
    version="1",
    description="Answers with the given texts (or the expected answer) in them, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Contains,
)
