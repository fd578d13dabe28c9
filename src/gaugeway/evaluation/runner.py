"""Runs evaluations: claim → make sure that all logs are there → select and aggregate → conclude.

Each server process has one Runner. They share the queue in the evaluation store: a claim is a lease that its
holder renews while it works. Final results are written by one `save`, which the store refuses to anybody who
no longer holds the claim, so an evaluation is concluded once, whoever dies, hangs or comes back meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import ParamSpec, TypeVar

from msgspec import Struct

from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Evaluation, Result
from gaugeway.core.ports import Clock, EvaluationStore, Evaluator, LogSink, LogStore, LossJournal
from gaugeway.evaluation import conclusion
from gaugeway.evaluation.selection import Unselectable, select

P = ParamSpec("P")
T = TypeVar("T")
_logger = logging.getLogger(__name__)


class Pace(Struct, frozen=True, kw_only=True):
    """The runner's times and limits."""

    poll_s: float = 1.0  # between looks for evaluations that other processes accepted
    lease_ms: int = 10_000  # a claim not renewed for so long is anybody's
    renew_s: float = 3.0  # between renewals
    flush_timeout_s: float = 10.0  # for the logs accepted so far to be durable
    retry_s: float = 1.0  # before the second try; doubles with each
    retry_max_s: float = 30.0
    patience_s: float = 300.0  # of failing tries, until the evaluation is concluded as failed

    def delay_s(self, tries: int) -> float:
        """How long to wait after so many failed tries in a row."""
        return min(self.retry_s * 2 ** min(tries - 1, 30), self.retry_max_s)


STANDARD = Pace()


class LogsNotDurable(GaugewayError):
    """The recorder did not confirm in time that every accepted log is written."""


class _Claim(Struct, frozen=True):
    """An evaluation that we hold. Each claim has an owner of its own, so that a stale one cannot write."""

    evaluation: Evaluation
    owner: str


class _Conclusion(Struct, frozen=True):
    results: list[Result]
    total_logs: int


class Runner:
    """Takes evaluations from the queue, one at a time, until cancelled.

    `owner` must differ between all processes that share the store, and from that of an earlier start.
    """

    def __init__(
        self,
        *,
        evaluations: EvaluationStore,
        logs: LogStore,
        sink: LogSink,
        evaluators: Sequence[Evaluator],
        clock: Clock,
        owner: str,
        losses: LossJournal | None = None,
        pace: Pace = STANDARD,
    ) -> None:
        self._evaluations = evaluations
        self._logs = logs
        self._sink = sink
        self._evaluators = {evaluator.id: evaluator for evaluator in evaluators}
        self._clock = clock
        self._owner = owner
        self._losses = losses
        self._pace = pace
        self._claims = count(1)
        self._troubles = _Troubles()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Look into the queue now: an evaluation was created. From any thread, at any time."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run_forever(self) -> None:
        """Run what is in the queue and what comes, until cancelled; a run in progress is then put back."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        while True:
            self._woken.clear()
            try:
                ran = await self._run_next()
            except Exception:
                failures += 1
                _logger.exception("the queue of evaluations cannot be read (%d times in a row)", failures)
                await asyncio.sleep(self._pace.delay_s(failures))
                continue
            failures = 0
            if not ran:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll_s):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _run_next(self) -> bool:
        """Whether there was an evaluation to run."""
        owner = f"{self._owner}/{next(self._claims)}"
        claim = self._evaluations.claim
        evaluation = await _in_thread(claim, owner, self._clock.now_ms(), self._pace.lease_ms)
        if evaluation is None:
            return False
        await self._run(_Claim(evaluation, owner))
        return True

    async def _run(self, claim: _Claim) -> None:
        """Run a claimed evaluation to its conclusion, or see to it that it is tried again."""
        evaluation = claim.evaluation
        try:
            concluded = await self._compute(claim)
        except asyncio.CancelledError:
            await self._put_back(claim, "the server was stopped", 0)
            raise
        except Exception as problem:
            _logger.warning("evaluation %s could not be run", evaluation.id, exc_info=True)
            await self._retry(claim, problem)
            return
        if concluded is not None:
            await self._conclude(claim, concluded)
        else:
            _logger.info("evaluation %s was taken over or deleted before it began", evaluation.id)

    async def _compute(self, claim: _Claim) -> _Conclusion | None:
        """The results, while the lease is kept alive; None where the claim was lost before it began."""
        running = conclusion.start(claim.evaluation.results, self._clock.now_ms())
        if not await self._save(claim, running, claim.evaluation.total_logs):
            return None
        async with self._held(claim):
            return await self._judge(claim.evaluation)

    async def _conclude(self, claim: _Claim, concluded: _Conclusion) -> None:
        """The only write of final results. A stop waits for it; nothing is put back once it has begun."""
        try:
            saved = await self._save(claim, concluded.results, concluded.total_logs)
        except Exception as problem:
            _logger.warning("results of evaluation %s not written", claim.evaluation.id, exc_info=True)
            await self._retry(claim, problem)
            return
        self._troubles.forget(claim.evaluation.id)
        if not saved:
            _logger.info("evaluation %s was taken over or deleted: result discarded", claim.evaluation.id)

    async def _judge(self, evaluation: Evaluation) -> _Conclusion:
        """The evaluation's final results, from one query for all its evaluators."""
        try:
            where = select(evaluation)
        except Unselectable as problem:
            failed = conclusion.fail(evaluation.results, str(problem), self._clock.now_ms())
            return _Conclusion(failed, 0)
        await self._flush()
        known = [self._evaluators.get(result.evaluation_type_id) for result in evaluation.results]
        wanted = dict.fromkeys(item for evaluator in known if evaluator for item in evaluator.aggregates)
        selected = await _in_thread(self._logs.aggregate, evaluation.scope, where, list(wanted))
        now_ms = self._clock.now_ms()

        def conclude() -> list[Result]:
            pairs = zip(evaluation.results, known, strict=True)
            results = [conclusion.conclude(result, evaluator, selected, now_ms) for result, evaluator in pairs]
            lost = self._losses.lost(evaluation.scope, evaluation.created_at) if self._losses else 0
            return conclusion.warn_of_losses(results, lost)

        return _Conclusion(await _in_thread(conclude), selected.total)

    async def _flush(self) -> None:
        """Until every log accepted before now is in the store: to count fewer would be silently wrong."""
        if not await self._sink.flush(self._pace.flush_timeout_s):
            raise LogsNotDurable(
                f"the recorder did not confirm within {self._pace.flush_timeout_s:g} s that all logs are written"
            )

    @asynccontextmanager
    async def _held(self, claim: _Claim) -> AsyncGenerator[None]:
        """Keep the lease alive meanwhile."""
        renewing = asyncio.create_task(self._renew(claim))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait((renewing,))

    async def _renew(self, claim: _Claim) -> None:
        """Renew until cancelled or lost. A lost claim needs no more than that: its `save` is refused."""
        while True:
            await asyncio.sleep(self._pace.renew_s)
            try:
                if not await self._lease(claim, self._pace.lease_ms):
                    return
            except Exception:
                _logger.warning("the lease of %s was not renewed", claim.evaluation.id, exc_info=True)

    async def _retry(self, claim: _Claim, problem: Exception) -> None:
        """Put it back for a later try, or conclude it as failed when these went on for too long."""
        evaluation = claim.evaluation
        tries, since_s = self._troubles.add(evaluation.id, asyncio.get_running_loop().time())
        why = conclusion.reason(problem)
        if since_s < self._pace.patience_s:
            delay_s = self._pace.delay_s(tries)
            await self._put_back(claim, f"try {tries} ended with {why}", round(delay_s * 1000))
            return
        why = f"given up after {tries} tries in {since_s:.0f} s, the last ended with {why}"
        failed = conclusion.fail(evaluation.results, why, self._clock.now_ms())
        try:
            await self._save(claim, failed, 0)
        except Exception:
            _logger.exception("evaluation %s: not even its failure could be written", evaluation.id)
        else:
            self._troubles.forget(evaluation.id)

    async def _put_back(self, claim: _Claim, why: str, delay_ms: int) -> None:
        """Say why it waits, and let the lease end in `delay_ms`. If that fails too, it ends by itself."""
        try:
            waiting = conclusion.put_back(claim.evaluation.results, why, self._clock.now_ms())
            if await self._save(claim, waiting, claim.evaluation.total_logs):
                await self._lease(claim, delay_ms)
        except Exception:
            _logger.warning("evaluation %s waits for its lease to end", claim.evaluation.id, exc_info=True)

    async def _lease(self, claim: _Claim, lease_ms: int) -> bool:
        renew = self._evaluations.renew
        return await _in_thread(renew, claim.evaluation, claim.owner, self._clock.now_ms(), lease_ms)

    async def _save(self, claim: _Claim, results: Sequence[Result], total_logs: int) -> bool:
        return await _in_thread(self._evaluations.save, claim.evaluation, claim.owner, results, total_logs)


class _Troubles:
    """How often and since when evaluations have failed in this process, of the latest 1000 of them."""

    LIMIT = 1000

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def add(self, evaluation_id: str, now_s: float) -> tuple[int, float]:
        """Count one more; how many in a row, and seconds since the first."""
        tries, first_s = self._known.pop(evaluation_id, (0, now_s))
        self._known[evaluation_id] = (tries + 1, first_s)
        if len(self._known) > self.LIMIT:
            del self._known[next(iter(self._known))]
        return tries + 1, now_s - first_s

    def forget(self, evaluation_id: str) -> None:
        """It went well."""
        self._known.pop(evaluation_id, None)


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`asyncio.to_thread`, but a cancelled caller waits for the thread, so that no store is closed under it."""
    call = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait((call,))
        if not call.cancelled():
            call.exception()  # looked at, or asyncio complains that nobody did
        raise
