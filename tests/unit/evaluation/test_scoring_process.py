"""The process beside the server: what goes over, what comes back, and what becomes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from gaugeway.core.model import Bodies
from gaugeway.core.samples import Mark, Score, Scorer, Work
from gaugeway.evaluation.scoring.beside import MAX_STRIKES, NOT_TRIED, CannotScore, ScoringProcess
from gaugeway.evaluation.scoring.marks import MAX_NOTE, mark
from support import laboratory as lab
from support.laboratory_run import INSTALLED
from support.samples import sample

LENGTH, UNRULY, REGEX = 3, 0, 9


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(INSTALLED))


@contextmanager
def scoring(**options) -> Iterator[ScoringProcess]:
    process = ScoringProcess(
        {LENGTH: ("length", {}), UNRULY: ("unruly", {}), REGEX: ("regex", {"pattern": "a$"})}, **options
    )
    try:
        yield process
    finally:
        process.close()


def work(answer: str, *scorers: int) -> Work:
    body = {"choices": [{"message": {"content": answer}}]}
    return Work(lab.log(), Bodies(response=msgspec.json.encode(body)), None, scorers)


def test_marks_come_in_the_order_asked_for(installed: None):
    with scoring() as process:
        assert process.score(work("aba", LENGTH, REGEX, UNRULY)) == [
            Mark(3.0, note="1 words"),
            Mark(100.0, note="it matches"),
            Mark(100.0),
        ]
        assert process.score(work("ab", REGEX)) == [Mark(0.0, note="it does not match")]
        assert process.score(work("ab")) == []
        assert process.score(Work(lab.log(), None, None, (LENGTH,))) == [Mark(note="the log kept no bodies")]


def test_the_mark_that_never_came_is_the_one_that_failed(installed: None):
    with scoring(patience_s=1) as process:
        before, bad, after = process.score(work("hang", LENGTH, UNRULY, REGEX))
        assert (before.score, bad.failed, after.score) == (4.0, True, 0.0)
        assert bad.note == "it took longer than 1 s over this log"
        assert process.score(work("fine", UNRULY)) == [Mark(100.0)]


def test_what_ends_the_process_again_and_again_is_given_up(installed: None):
    with scoring() as process:
        for _ in range(MAX_STRIKES):
            length, bad = process.score(work("exit", LENGTH, UNRULY))
            assert length.score == 4.0
            assert bad.note == "the scoring process ended (3) while it scored this log"
        assert process.score(work("exit", UNRULY, LENGTH)) == [NOT_TRIED, Mark(4.0, note="1 words")]


def test_a_process_that_does_not_start_is_told(capfd: pytest.CaptureFixture[str]):
    process = ScoringProcess({1: ("length", {})}, command=(sys.executable, "-c", "raise SystemExit('no')"))
    with pytest.raises(CannotScore, match=r"ended \(1\) before it was ready"):
        process.score(work("a", 1))
    process.close()
    with pytest.raises(CannotScore, match="the run was ended"):
        process.score(work("a", 1))
    assert "no" in capfd.readouterr().err


class Says(Scorer, frozen=True, kw_only=True):
    said: object = None

    def score(self, sample):
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, Mark(note="not applicable")),
        (Score(1), Mark(1.0)),
        (Score(True), Mark(1.0)),
        (Score(float("nan")), None),
        (Score(float("inf")), None),
        (Score("1"), None),
        (1.0, None),
        (ValueError("it broke"), Mark(failed=True, note="ValueError: it broke")),
        (RecursionError(), Mark(failed=True, note="RecursionError")),
        (SystemExit(1), Mark(failed=True, note="SystemExit: 1")),
        (Score(1, "a\0b\nc\ud800"), Mark(1.0, note="a b c?")),
    ],
)
def test_whatever_a_scorer_says_a_mark_comes_of_it(said, expected):
    found = mark(Says(said=said), sample("x"))
    if expected is None:
        assert found.failed
        assert "finite value" in found.note
    else:
        assert found == expected


def test_notes_are_bounded():
    assert len(mark(Says(said=Score(1, "x" * 10_000)), sample("x")).note) == MAX_NOTE
