"""Evaluators come in by one door, and a broken or doubled one stops the start."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from gaugeway.core.errors import GaugewayError
from gaugeway.core.samples import ItemEvaluator
from gaugeway.evaluation.evaluators import load

GOOD = """
from decimal import Decimal
from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.metrics import Direction, Metric

class Mine:
    id, name, type, version, unit = "mine", "Mine", "aggregate", "1", "%"
    description = "Logs with a score, in percent. Higher is better."
    direction = Direction.HIGHER
    aggregates = (Aggregate(Op.COUNT, Column.SCORE),)
    def conclude(self, selected):
        return Metric(value=Decimal(1), n=selected.total)

EVALUATOR = Mine()
"""


FOR_LOGS = """
from gaugeway.core.samples import ItemEvaluator, Scorer, passed

class Mine(Scorer, frozen=True, kw_only=True):
    at_most: int = 3
    def score(self, sample):
        return passed(len(sample.text.split()) <= self.at_most)

EVALUATOR = ItemEvaluator(
    id="mine", name="Mine", version="1", unit="%", scorer=Mine, figure="share",
    description="Answers of few words, in percent. Higher is better.",
)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a package with entry points, as pip would: its code and its metadata on the path."""
    added: list[str] = []

    def install(module: str, code: str, entry: str = "mine") -> None:
        (tmp_path / f"{module}.py").write_text(code)
        metadata = tmp_path / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[gaugeway.evaluators]\n{entry} = {module}:EVALUATOR\n")
        added.append(module)
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield install
    for module in added:
        sys.modules.pop(module, None)


def test_the_built_in_ones():
    assert {"cost", "human_feedback", "speed"} <= {evaluator.id for evaluator in load()}


def test_one_from_an_entry_point(install):
    built_in = [evaluator.id for evaluator in load()]
    install("their_evaluators", GOOD)
    assert [evaluator.id for evaluator in load()] == [*built_in, "mine"]


def test_one_for_single_logs_from_an_entry_point(install):
    install("their_evaluators", FOR_LOGS)
    [mine] = [evaluator for evaluator in load() if evaluator.id == "mine"]
    assert isinstance(mine, ItemEvaluator)
    assert mine.parameters_schema()["properties"] == {"at_most": {"type": "integer", "default": 3}}


def test_a_built_in_id_cannot_be_taken(install):
    install("their_evaluators", GOOD.replace('"mine"', '"cost"'))
    with pytest.raises(GaugewayError, match=r"the id 'cost': .*evaluators.cost and entry point"):
        load()


def test_two_of_theirs_cannot_share_an_id(install):
    install("one_evaluator", GOOD, entry="one")
    install("another_evaluator", GOOD, entry="another")
    with pytest.raises(GaugewayError, match=r"Two evaluators have the id 'mine': .*another.* and .*one"):
        load()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("EVALUATOR = Mine()", "EVALUATOR = None"), "needs the text 'id', found None"),
        (('"mine"', '""'), "needs the text 'id'"),
        (('"mine"', '"Mine It"'), "must match"),
        (('"%"', "5"), "needs the text 'unit', found 5"),
        (("Direction.HIGHER", '"higher"'), "direction must be a Direction, found 'higher'"),
        (("def conclude", "def judge"), "needs the method conclude"),
        (("(Aggregate(Op.COUNT, Column.SCORE),)", '"score"'), "tuple of Aggregate"),
        (("(Aggregate(Op.COUNT, Column.SCORE),)", '("score",)'), "tuple of Aggregate"),
        (("Op.COUNT, Column.SCORE", "Op.COUNT_EQUAL, Column.SCORE"), "tuple of Aggregate"),
        (("Op.COUNT, Column.SCORE", "Op.COUNT, Column.SCORE, 3"), "tuple of Aggregate"),
        (("Op.COUNT, Column.SCORE", "Op.DISTRIBUTION, Column.COST_SAVED"), "tuple of Aggregate"),
    ],
)
def test_an_incomplete_one_is_named(install, change, says):
    assert change[0] in GOOD
    install("their_evaluators", GOOD.replace(*change))
    with pytest.raises(GaugewayError) as refused:
        load()
    assert "entry point mine = their_evaluators:EVALUATOR" in str(refused.value)
    assert says in str(refused.value)


def test_one_that_cannot_be_imported_stops_the_start(install):
    install("their_evaluators", "import a_module_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        load()
