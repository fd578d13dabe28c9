"""Evaluators, one file each with one `EVALUATOR`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.errors import GaugewayError
from gaugeway.core.metrics import Direction
from gaugeway.core.ports import Evaluator
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator

GROUP = "gaugeway.evaluators"
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")


def load() -> list[AnyEvaluator]:
    """The evaluators of this package, by file name, then those of the entry-point group `gaugeway.evaluators`.

    Raises GaugewayError where one is incomplete or two have the same id; what an import raises goes through.
    """
    sources: dict[str, str] = {}
    loaded: list[AnyEvaluator] = []
    for source, candidate in _candidates():
        evaluator = _checked(candidate, source)
        if evaluator.id in sources:
            raise GaugewayError(
                f"Two evaluators have the id {evaluator.id!r}: {sources[evaluator.id]} and {source}."
                " Rename or uninstall one."
            )
        sources[evaluator.id] = source
        loaded.append(evaluator)
    return loaded


def _candidates() -> Iterator[tuple[str, object]]:
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        name = f"{__name__}.{module.name}"
        yield name, getattr(import_module(name), "EVALUATOR", None)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        yield f"entry point {entry.name} = {entry.value}", entry.load()


def _checked(candidate: object, source: str) -> AnyEvaluator:
    for name in ("id", "name", "type", "version", "description", "unit"):
        value = getattr(candidate, name, None)
        if not isinstance(value, str) or not value:
            raise GaugewayError(f"{source}: an evaluator needs the text {name!r}, found {value!r}")
    direction: object = getattr(candidate, "direction", None)
    if not isinstance(direction, Direction):
        raise GaugewayError(f"{source}: an evaluator's direction must be a Direction, found {direction!r}")
    identifier: object = getattr(candidate, "id", None)
    if not _ID.fullmatch(str(identifier)):
        raise GaugewayError(f"{source}: the id {identifier!r} must match {_ID.pattern}")
    if isinstance(candidate, ItemEvaluator):
        return candidate
    if not callable(getattr(candidate, "conclude", None)):
        raise GaugewayError(f"{source}: an evaluator needs the method conclude(selected), or be an ItemEvaluator")
    evaluator: Evaluator = candidate  # pyright: ignore[reportAssignmentType] its parts were looked at just now
    wanted: object = getattr(candidate, "aggregates", None)
    if not isinstance(wanted, tuple | list) or not all(map(_is_aggregate, wanted)):  # pyright: ignore[reportUnknownArgumentType] a stranger's list
        raise GaugewayError(f"{source}: aggregates must be a tuple of Aggregate, found {wanted!r}")
    return evaluator


def _is_aggregate(item: object) -> bool:
    """Whether a store can compute it: a value belongs to COUNT_EQUAL and to nothing else."""
    return (
        isinstance(item, Aggregate)
        and (item.op is Op.COUNT_EQUAL) == isinstance(item.value, int)
        and not (item.op is Op.DISTRIBUTION and item.column is Column.COST_SAVED)
    )
