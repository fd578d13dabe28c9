"""How much of the expected JSON the answer has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, cast

from msgspec import Meta

from gaugeway.core.samples import ItemEvaluator, NotApplicable, Sample, Score
from gaugeway.evaluation.expected import Comparing
from gaugeway.evaluation.json_text import AllowFence, NoJson, read_json

Leaf = tuple[str, str]
"""Where a value stands, and the value with its type: 1 and "1" and true differ, 1 and 1.0 do not."""


class JsonDifference(Comparing, frozen=True, kw_only=True):
    """100 * leaves that are the same in both / leaves in either, where a leaf is a value with its place.

    An empty object or list is a leaf. An answer that is no JSON has nothing in common with any.
    """

    ignore_order: Annotated[bool, Meta(description="Lists are compared without regard to their order.")] = False
    allow_fence: AllowFence = False

    def score(self, sample: Sample) -> Score:
        """The share of leaves in common."""
        try:
            wanted = Counter(self._leaves(read_json(self.expected_of(sample), allow_fence=False), "$"))
        except NoJson as problem:
            raise NotApplicable(f"the expected answer is no JSON: {problem}") from problem
        try:
            found = Counter(self._leaves(read_json(sample.text, allow_fence=self.allow_fence), "$"))
        except NoJson as problem:
            return Score(0.0, f"no JSON: {problem}")
        common, either = (wanted & found).total(), (wanted | found).total()
        odd = next(iter(sorted((wanted - found) + (found - wanted))), None)
        return Score(100 * common / either, "" if odd is None else f"the first difference is at {odd[0]}")

    def _leaves(self, value: Any, path: str) -> Iterator[Leaf]:
        if isinstance(value, dict) and value:
            for key, inner in cast("dict[str, Any]", value).items():
                yield from self._leaves(inner, f"{path}.{key}")
        elif isinstance(value, list) and value:
            for index, inner in enumerate(cast("list[Any]", value)):
                yield from self._leaves(inner, f"{path}[{'*' if self.ignore_order else index}]")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield path, f"number {int(value) if value == int(value) else value!r}"
        else:
            yield path, f"{type(cast('object', value)).__name__} {value!r}"


EVALUATOR = ItemEvaluator(
    id="json_difference",
    name="JSON difference",
    version="1",
    description="Values that the answer's JSON has in common with the expected one, in percent of the values in"
    " either, on average. Higher is better.",
    unit="%",
    scorer=JsonDifference,
)
