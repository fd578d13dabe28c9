"""Whether the answer matches a regular expression, by RE2: in linear time, whatever the pattern and the answer."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from msgspec import Meta

from gaugeway.core.linear import Pattern, compile_linear
from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer, passed


class Regex(Scorer, frozen=True, kw_only=True):
    """RE2's syntax: no look-around and no back-references."""

    pattern: Annotated[str, Meta(description="A pattern in RE2's syntax.", min_length=1, max_length=10_000)]
    whole: Annotated[bool, Meta(description="The whole answer must match, not only a part of it.")] = False
    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = False
    negate: Annotated[bool, Meta(description="Answers that do not match pass.")] = False

    def __post_init__(self) -> None:
        """ValueError for a pattern that RE2 does not take."""
        try:
            _ = self._compiled
        except ValueError as problem:
            raise ValueError(f"pattern is {problem}") from problem

    @cached_property
    def _compiled(self) -> Pattern:
        return compile_linear(self.pattern, ignore_case=self.ignore_case)

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        find = self._compiled.fullmatch if self.whole else self._compiled.search
        found = find(sample.text) is not None
        return passed(found != self.negate, "it matches" if found else "it does not match")


EVALUATOR = ItemEvaluator(
    id="regex",
    name="Regular expression",
    version="1",
    description="Answers that match a regular expression, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=Regex,
)
