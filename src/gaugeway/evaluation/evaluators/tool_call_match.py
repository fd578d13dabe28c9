"""Whether the answer calls the expected tools."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

from gaugeway.core.samples import Figure, ItemEvaluator, NotApplicable, Sample, Score, passed
from gaugeway.evaluation.expected import Comparing, quoted
from gaugeway.evaluation.json_text import NoJson, read_json

Call = tuple[str, str]
"""A tool's name, and its arguments in one spelling ("" where they do not matter)."""


class _Wanted(Struct, forbid_unknown_fields=True):
    name: str
    arguments: Any = None


class ToolCallMatch(Comparing, frozen=True, kw_only=True):
    """The expected answer is JSON: a list of `{"name": …, "arguments": {…}}`, or one of them; [] for no call.

    Arguments are compared as JSON, whatever the order of their keys. An expected call without arguments takes any.
    """

    ignore_arguments: Annotated[bool, Meta(description="Only the tools' names count.")] = False
    ignore_order: Annotated[bool, Meta(description="The calls may come in any order.")] = True

    def score(self, sample: Sample) -> Score:
        """Pass or miss."""
        wanted = self._wanted(self.expected_of(sample))
        called = [(call.name, _spelled(_arguments(call.arguments))) for call in sample.answer.tool_calls]
        if len(called) != len(wanted):
            return passed(ok=False, note=f"{len(wanted)} calls expected, {len(called)} made")
        if self.ignore_order:
            # those that take any arguments come last, so that they leave the others what only these can take
            wanted.sort(key=lambda call: call[1] == "")
        for position, want in enumerate(wanted):
            at = next((index for index, call in enumerate(called) if _meets(call, want)), None)
            if at is None or (at > 0 and not self.ignore_order):
                return passed(ok=False, note=f"call {position + 1}: {quoted(want[0])} as expected was not made")
            del called[at]
        return passed(ok=True)

    def _wanted(self, text: str) -> list[Call]:
        try:
            value = read_json(text, allow_fence=False)
            listed = cast("list[object]", value) if isinstance(value, list) else [value]
            calls = msgspec.convert(listed, list[_Wanted])
        except (NoJson, msgspec.ValidationError) as problem:
            raise NotApplicable(f"the expected answer is no list of tool calls: {problem}") from problem
        return [
            (call.name, "" if self.ignore_arguments or call.arguments is None else _spelled(call.arguments))
            for call in calls
        ]


def _meets(call: Call, wanted: Call) -> bool:
    return call[0] == wanted[0] and wanted[1] in ("", call[1])


def _arguments(text: str) -> Any:
    """Arguments as JSON; what is none stays text, and equals no JSON object."""
    try:
        return read_json(text or "{}", allow_fence=False)
    except NoJson:
        return text


def _spelled(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


EVALUATOR = ItemEvaluator(
    id="tool_call_match",
    name="Tool call match",
    version="1",
    description="Answers that call exactly the expected tools, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=ToolCallMatch,
)
