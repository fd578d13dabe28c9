"""Scorers of one run, some of them users' own Python: in the order asked for, each where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gaugeway.core.metrics import Direction
from gaugeway.core.model import Bodies
from gaugeway.core.replays import Judged, Replay
from gaugeway.core.samples import Figure, ItemEvaluator, Mark, Work
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.replaying.results import COLUMNS, measures_of
from gaugeway.evaluation.sandbox.program import NoSandbox
from gaugeway.evaluation.sandbox.sandbox import OFF, PythonSandbox
from gaugeway.evaluation.sandbox.scoring import PartedScoring
from gaugeway.evaluation.scoring.beside import ScoringProcess
from support import laboratory as lab

EVALUATORS = {one.id: one for one in load()}
MEAN = {"figure": "mean", "unit": "points", "direction": "higher"}
LENGTH, FIRST, SECOND, STALE = 3, 0, 9, 4


def own(source: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "python", {"source": f"def score(sample): return {source}", **MEAN, **more}


SCORERS = {
    LENGTH: ("length", {}),
    FIRST: own("{'score': len(sample['answer']), 'reason': sample['expected']}", expected="every"),
    SECOND: own("sample['answer'] == 'ab' if sample['answer'] else None", figure="share", unit=""),
    STALE: ("python", {"source": "x", "colour": "red"}),
}


@pytest.fixture(scope="module")
def sandbox() -> PythonSandbox:
    return PythonSandbox(wanted=True)


@pytest.fixture
def scoring(sandbox: PythonSandbox) -> Iterator[PartedScoring]:
    with closing(PartedScoring(SCORERS, sandbox, ScoringProcess)) as opened:
        yield opened


def work(answer: str, *scorers: int, expected: str | None = None) -> Work:
    body = {"choices": [{"message": {"content": answer}}]}
    return Work(lab.log(), Bodies(response=msgspec.json.encode(body)), expected, scorers)


def test_marks_come_in_the_order_asked_for(scoring: PartedScoring) -> None:
    assert scoring.score(work("ab", SECOND, LENGTH, FIRST)) == [
        Mark(100.0),
        Mark(2.0, note="1 words"),
        Mark(2.0, note="every"),
    ]
    assert scoring.score(work("abc", FIRST, SECOND, expected="this")) == [Mark(3.0, note="this"), Mark(0.0)]
    assert scoring.score(work("", SECOND)) == [Mark(note="not applicable")]
    assert scoring.score(work("ab", LENGTH)) == [Mark(2.0, note="1 words")]
    assert scoring.score(work("ab")) == []


def test_logs_without_an_answer_are_skipped_unless_it_wants_them(sandbox: PythonSandbox) -> None:
    wants = own("{'score': sample['answer'] is None, 'reason': sample['problem']}", figure="share", unit="")
    scorers = {0: own("1"), 1: (wants[0], {**wants[1], "needs_answer": False})}
    with closing(PartedScoring(scorers, sandbox, ScoringProcess)) as scoring:
        assert scoring.score(Work(lab.log(), None, None, (0, 1))) == [
            Mark(note="the log kept no bodies"),
            Mark(100.0, note="the log kept no bodies"),
        ]


def test_parameters_that_do_not_fit_any_more_fail(scoring: PartedScoring) -> None:
    [mark] = scoring.score(work("ab", STALE))
    assert mark.failed
    assert "its parameters do not fit the evaluator as it is installed now" in mark.note


def test_where_it_is_off_its_marks_fail_by_that_reason_and_all_others_are_given() -> None:
    off = PythonSandbox(wanted=False)
    with closing(PartedScoring(SCORERS, off, ScoringProcess)) as scoring:
        assert scoring.score(work("ab", FIRST, LENGTH)) == [Mark(failed=True, note=OFF), Mark(2.0, note="1 words")]


def test_what_was_closed_scores_no_more(sandbox: PythonSandbox) -> None:
    scoring = PartedScoring(SCORERS, sandbox, ScoringProcess)
    scoring.close()
    with pytest.raises(NoSandbox, match="the run was ended"):
        scoring.score(work("ab", FIRST))


def test_a_replay_measures_what_is_declared() -> None:
    _, parameters = own("1", direction="lower")
    neither = {**parameters, "direction": "neither"}
    judged = tuple(
        Judged(evaluation_type_id=f"t{at}", evaluator_id="python", parameters=one)
        for at, one in enumerate((parameters, neither))
    )
    replay = Replay(
        account_id=lab.ACCOUNT,
        gateway_id="main",
        id=lab.new_id(),
        name="r",
        created_at=1,
        modified_at=1,
        dataset=lab.dataset(),
        through="replays",
        candidates=(),
        judged=judged,
        max_cost=Decimal(1),
    )
    [measure] = measures_of(replay, EVALUATORS)[len(COLUMNS) :]
    assert (measure.subject.type_id, measure.subject.unit, measure.kind) == ("t0", "points", Figure.MEAN)
    assert measure.subject.direction is Direction.LOWER


def test_what_it_declares_is_shown_and_other_evaluators_stay_as_they_are() -> None:
    python, regex = EVALUATORS["python"], EVALUATORS["regex"]
    assert isinstance(python, ItemEvaluator)
    assert isinstance(regex, ItemEvaluator)
    declared = python.declared(own("1", figure="share", unit="", direction="lower")[1])
    assert (declared.unit, declared.figure, declared.direction) == ("%", Figure.SHARE, Direction.LOWER)
    assert python.declared({}) == python
    assert regex.declared({"pattern": "a"}) == regex
