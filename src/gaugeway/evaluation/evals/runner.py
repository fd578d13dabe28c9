"""Works the queue of eval runs."""

from __future__ import annotations

from msgspec import structs

from gaugeway.core.evals import EvalRun, RunStatus
from gaugeway.evaluation.evals.run import EvalParts, EvalWork
from gaugeway.evaluation.leased import STANDARD, Held, Leased, Pace

AT_ONCE = 2
"""Runs that one process works on at a time."""


class EvalRunner(Leased[EvalRun]):
    """Runs evals, a few at a time, until cancelled."""

    NAME = "eval run"

    def __init__(self, parts: EvalParts, owner: str, pace: Pace = STANDARD) -> None:
        super().__init__(parts.store, parts.clock, owner, AT_ONCE, pace)
        self._parts = parts

    async def work(self, held: Held[EvalRun]) -> None:
        """See Leased."""
        await EvalWork(held.job, held.owner, self._parts).work()

    def put_back(self, held: Held[EvalRun], why: str) -> bool:  # noqa: ARG002
        """The API has no word for why a run waits, so nothing is written."""
        return True

    def give_up(self, held: Held[EvalRun], why: str) -> None:
        """See Leased."""
        failed = structs.replace(held.job, status=RunStatus.FAILED, error=why)
        self._parts.store.save(failed, held.owner)
