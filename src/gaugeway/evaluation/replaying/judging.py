"""Marks for both answers to one request: by the same scorers, with the same expected answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, structs

from gaugeway.core.errors import BadInput
from gaugeway.core.judging import ModelScorer
from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.replays import Trial
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator, Mark, Sample, Scorer, Scoring, Work
from gaugeway.evaluation.conversations import read_conversation
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.scoring.marks import sample_of
from gaugeway.evaluation.scoring.wire import Scorers
from gaugeway.evaluation.threads import in_thread, in_thread_until

AGAINST_LOGGED = "judge_pairwise"
"""The evaluator that compares the candidate's answer with the logged one."""
EVEN = 50.0
"""Its score where neither is better: what a logged answer is worth against itself."""


class Answer(Struct, frozen=True):
    """A log with its bodies."""

    record: LogRecord
    bodies: Bodies | None


class Judging:
    """The evaluators of one trial."""

    def __init__(
        self,
        trial: Trial,
        evaluators: Mapping[str, AnyEvaluator],
        open_scoring: Callable[[Scorers], Scoring],
        asking: Asking | None,
    ) -> None:
        self._trial = trial
        self._asking = asking
        self._judges: dict[int, ModelScorer] = {}
        self._broken: dict[int, str] = {}
        scorers: dict[int, tuple[str, dict[str, Any]]] = {}
        for at, one in enumerate(trial.judged):
            scorer = configured(evaluators.get(one.evaluator_id), one.parameters)
            if isinstance(scorer, str):
                self._broken[at] = scorer
            elif isinstance(scorer, ModelScorer):
                self._judges[at] = scorer
            else:
                scorers[at] = (one.evaluator_id, one.parameters)
        self._scorers = tuple(scorers)
        self._scoring = open_scoring(scorers) if scorers else None
        self._one_at_a_time = asyncio.Lock()

    def close(self) -> None:
        """End the process beside the server."""
        if self._scoring is not None:
            self._scoring.close()

    async def marks(self, logged: Answer, answer: Answer | None, expected: str | None) -> tuple[Mark, ...]:
        """By each evaluator, of the candidate's answer, or of the logged one where there is none.

        `expected`: what the request's item should have been answered, where its dataset says so.
        """
        judged = logged if answer is None else answer
        # what is known of the request is known of both answers
        record = structs.replace(judged.record, metadata=logged.record.metadata)
        work = Work(record, judged.bodies, expected, self._scorers)
        found: dict[int, Mark] = {at: Mark(failed=True, note=why) for at, why in self._broken.items()}
        if self._scoring is not None:
            async with self._one_at_a_time:
                marks = await in_thread_until(self._scoring.close, self._scoring.score, work)
            found |= dict(zip(self._scorers, marks, strict=True))
        if self._judges:
            sample = await in_thread(sample_of, work, reads_bodies=True)
            for at, judge in self._judges.items():
                found[at] = await self._ask(at, judge, sample, logged, against=answer is not None)
        return tuple(found[at] for at in range(len(self._trial.judged)))

    async def _ask(self, at: int, judge: ModelScorer, sample: Sample, logged: Answer, *, against: bool) -> Mark:
        if self._trial.judged[at].evaluator_id == AGAINST_LOGGED:
            if not against:
                return Mark(note="the logged answer is what the candidates' are compared with")
            conversation = read_conversation(logged.record, logged.bodies)
            if conversation.answer is None:
                return Mark(note=f"there is no logged answer to compare with: {conversation.problem}")
            sample = structs.replace(sample, expected=conversation.answer.text)
        if self._asking is None:
            return Mark(failed=True, note="this server has no judges")
        return await self._asking.mark(judge, sample, self._trial.account_id, self._trial.id, at)


def configured(evaluator: AnyEvaluator | None, parameters: dict[str, Any]) -> Scorer | str:
    """The scorer, or why there is none."""
    if not isinstance(evaluator, ItemEvaluator):
        return "this server has no such evaluator of single logs"
    try:
        return evaluator.configured(parameters)
    except BadInput as problem:
        return f"its parameters do not fit the evaluator as it is installed now: {problem.message}"
