"""Whether the answer is JSON of a certain shape."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Annotated, Any

from msgspec import Meta

from gaugeway.core.samples import Figure, ItemEvaluator, Sample, Score, Scorer, passed
from gaugeway.evaluation.expected import quoted
from gaugeway.evaluation.json_text import AllowFence, NoJson, read_json


class JsonSchema(Scorer, frozen=True, kw_only=True):
    """JSON Schema in the draft that the schema names, else 2020-12. Nothing is fetched: references stay within."""

    schema: Annotated[dict[str, Any], Meta(description="The JSON Schema that the answer must meet.")]
    allow_fence: AllowFence = False

    def __post_init__(self) -> None:
        """ValueError for what is no schema."""
        from jsonschema.exceptions import SchemaError

        try:
            self._validator.check_schema(self.schema)
        except SchemaError as problem:
            where = "".join(f".{part}" for part in problem.absolute_path)
            raise ValueError(f"it is no JSON Schema at schema{where}: {problem.message}") from problem

    @cached_property
    def _validator(self) -> Any:
        from jsonschema.validators import Draft202012Validator, validator_for

        registry: Any = import_module("jsonschema_specifications").REGISTRY  # it has no types
        kind: Any = validator_for(self.schema, default=Draft202012Validator)
        # A registry of one's own: the default one would fetch what a reference names
        return kind(self.schema, registry=registry)

    def score(self, sample: Sample) -> Score:
        """Pass or miss; the note says where it breaks the schema first."""
        best_match: Any = import_module("jsonschema.exceptions").best_match
        try:
            value = read_json(sample.text, allow_fence=self.allow_fence)
        except NoJson as problem:
            return passed(ok=False, note=f"no JSON: {problem}")
        problem: Any = best_match(self._validator.iter_errors(value))
        return passed(
            problem is None, "" if problem is None else f"{problem.json_path}: {quoted(problem.message, 200)}"
        )


EVALUATOR = ItemEvaluator(
    id="json_schema",
    name="JSON Schema",
    version="1",
    description="Answers that are JSON and meet a JSON Schema, in percent. Higher is better.",
    unit="%",
    figure=Figure.SHARE,
    scorer=JsonSchema,
)
