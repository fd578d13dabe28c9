"""The scorers of one run, wherever they work: users' own Python in the sandbox, all others beside the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite

from gaugeway.core.errors import BadInput
from gaugeway.core.samples import MISS, PASS, ItemEvaluator, Mark, NotApplicable, Sample, Scoring, Work
from gaugeway.core.sandbox import SCORE, Program, PythonScorer, Returned, Sandbox
from gaugeway.evaluation.evaluators.python import EVALUATOR
from gaugeway.evaluation.scoring.marks import sample_of, shortened
from gaugeway.evaluation.scoring.wire import Scorers


class SandboxedScoring:
    """A Scoring of users' own Python."""

    def __init__(self, scorers: Scorers, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._known: dict[int, PythonScorer | str] = {
            number: _configured(EVALUATOR, parameters) for number, (_, parameters) in scorers.items()
        }
        self._programs: dict[int, Program] = {}
        self._closed = False

    def score(self, work: Work) -> list[Mark]:
        """See Scoring; GaugewayError where no sandbox can be had."""
        if not work.scorers:
            return []
        if self._sandbox.refusal:
            return [Mark(failed=True, note=shortened(self._sandbox.refusal)) for _ in work.scorers]
        sample = sample_of(work, reads_bodies=True)
        return [self._mark(number, sample) for number in work.scorers]

    def close(self) -> None:
        """See Scoring."""
        self._closed = True
        for program in list(self._programs.values()):
            program.close()

    def _mark(self, number: int, sample: Sample) -> Mark:
        scorer = self._known[number]
        if isinstance(scorer, str):
            return Mark(failed=True, note=scorer)
        try:
            argument = scorer.argument(sample)
        except NotApplicable as problem:
            return Mark(note=shortened(str(problem)))
        program = self._programs.get(number)
        if program is None:
            program = self._programs[number] = self._sandbox.open(scorer.source, SCORE)
        if self._closed:  # perhaps just now, by another thread
            program.close()
        return mark(program.call([argument]), scorer)


class PartedScoring:
    """A Scoring of two: one opens when the first sample needs it."""

    def __init__(self, scorers: Scorers, sandbox: Sandbox, open_beside: Callable[[Scorers], Scoring]) -> None:
        sandboxed = {number: one for number, one in scorers.items() if one[0] == EVALUATOR.id}
        self._sandboxed = SandboxedScoring(sandboxed, sandbox)
        self._in_sandbox = frozenset(sandboxed)
        self._beside = open_beside({number: one for number, one in scorers.items() if number not in sandboxed})

    def score(self, work: Work) -> list[Mark]:
        """See Scoring."""
        marks: dict[int, Mark] = {}
        for scoring, mine in ((self._beside, False), (self._sandboxed, True)):
            numbers = tuple(number for number in work.scorers if (number in self._in_sandbox) is mine)
            if numbers:
                part = Work(work.record, work.bodies, work.expected, numbers)
                marks |= dict(zip(numbers, scoring.score(part), strict=True))
        return [marks[number] for number in work.scorers]

    def close(self) -> None:
        """See Scoring."""
        self._beside.close()
        self._sandboxed.close()


def mark(returned: Returned, scorer: PythonScorer) -> Mark:
    """What a call came to, as the figure that the scorer declares wants it."""
    if returned.problem:
        return Mark(failed=True, note=returned.problem)
    value = returned.value
    if value is None:
        return Mark(note=returned.reason or "not applicable")
    if scorer.figure == "share":
        if not isinstance(value, bool):
            return Mark(failed=True, note=f"score() returned {value:g}: for a share it has to be True or False")
        return Mark(PASS if value else MISS, note=returned.reason)
    if isinstance(value, bool) or not isfinite(value):
        return Mark(failed=True, note=f"score() returned {value}: for a mean it has to be a number")
    return Mark(value, note=returned.reason)


def _configured(evaluator: ItemEvaluator, parameters: Mapping[str, object]) -> PythonScorer | str:
    try:
        scorer = evaluator.configured(dict(parameters))
    except BadInput as problem:
        return f"its parameters do not fit the evaluator as it is installed now: {problem.message}"
    return scorer if isinstance(scorer, PythonScorer) else "it is no Python of a user's"
