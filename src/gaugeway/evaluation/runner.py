"""Runs evaluations: claim → make sure that all logs are there → select and aggregate → conclude.

Each server process has one Runner. Final results are written by one `save`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from gaugeway.core.errors import BadInput, SearchTooLong
from gaugeway.core.items import Counts, ItemStatus, ItemStore
from gaugeway.core.judging import ModelScorer
from gaugeway.core.model import Evaluation, Result
from gaugeway.core.ports import Clock, EvaluationStore, LogSink, LogStore, LossJournal
from gaugeway.core.query import Where
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator, Scorer
from gaugeway.core.sandbox import PythonScorer
from gaugeway.core.snapshots import Snapshot, SnapshotStore
from gaugeway.evaluation import clustering, conclusion
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.item_run import Chosen, ClaimLost, ItemParts, ItemRun, TooMany, with_progress
from gaugeway.evaluation.judging.agreement import agreement_of
from gaugeway.evaluation.leased import STANDARD, Held, Leased, Pace
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.selection import Unselectable, select
from gaugeway.evaluation.threads import in_thread


class _Conclusion(Struct, frozen=True):
    results: list[Result]
    total_logs: int


class Runner(Leased[Evaluation]):
    """Runs evaluations, a few at a time, until cancelled."""

    NAME = "evaluation"

    def __init__(
        self,
        *,
        evaluations: EvaluationStore,
        logs: LogStore,
        sink: LogSink,
        evaluators: Sequence[AnyEvaluator],
        clock: Clock,
        owner: str,
        losses: LossJournal | None = None,
        snapshots: SnapshotStore | None = None,
        item_parts: ItemParts | None = None,
        pace: Pace = STANDARD,
    ) -> None:
        super().__init__(evaluations, clock, owner, pace.at_once, pace)
        self._evaluations = evaluations
        self._logs = logs
        self._sink = sink
        self._evaluators = {evaluator.id: evaluator for evaluator in evaluators}
        self._losses = losses
        self._snapshots = snapshots
        self._item_parts = item_parts

    async def work(self, held: Held[Evaluation]) -> None:
        """See Leased."""
        running = conclusion.start(held.job.results, self._clock.now_ms())
        await self._tell(held, running, held.job.total_logs)
        held.job = structs.replace(held.job, results=running)
        concluded = await self._judge(held)
        await self._tell(held, concluded.results, concluded.total_logs)

    def put_back(self, held: Held[Evaluation], why: str) -> bool:
        """See Leased."""
        waiting = conclusion.put_back(held.job.results, why, self._clock.now_ms())
        return self._evaluations.save(held.job, held.owner, waiting, held.job.total_logs)

    def give_up(self, held: Held[Evaluation], why: str) -> None:
        """See Leased."""
        failed = conclusion.fail(held.job.results, why, self._clock.now_ms())
        self._evaluations.save(held.job, held.owner, failed, 0)

    async def _tell(self, held: Held[Evaluation], results: Sequence[Result], total_logs: int) -> None:
        """Write how it stands; ClaimLost."""
        if not await in_thread(self._evaluations.save, held.job, held.owner, results, total_logs):
            raise ClaimLost

    async def _judge(self, held: Held[Evaluation]) -> _Conclusion:
        """The evaluation's final results, all of them failed where its logs cannot be selected."""
        try:
            return await self._judge_selected(held)
        except (Unselectable, SearchTooLong) as problem:
            failed = conclusion.fail(held.job.results, str(problem), self._clock.now_ms())
            return _Conclusion(failed, 0)

    async def _judge_selected(self, held: Held[Evaluation]) -> _Conclusion:
        """Results over columns from one query, then those of single logs. Unselectable, SearchTooLong."""
        evaluation = held.job
        where = select(evaluation)
        await self._require_snapshot(evaluation)
        if evaluation.snapshot is None:
            await until_durable(self._sink, self._pace.flush_timeout_s)
        concluded = await self._judge_columns(evaluation, where)
        chosen = self._choose_items(concluded.results)
        if chosen:
            concluded = await self._judge_items(held, where, chosen, concluded)
        warning = await self._warning(evaluation)
        return structs.replace(concluded, results=conclusion.warn(concluded.results, warning))

    async def _require_snapshot(self, evaluation: Evaluation) -> Snapshot | None:
        """The snapshot that it is about, if it is about one; Unselectable where that is gone."""
        ref = evaluation.snapshot
        if ref is None:
            return None
        store = self._snapshots
        found = None if store is None else await in_thread(store.get, evaluation.scope, ref.id)
        if found is None or found.frozen != ref.frozen:
            raise Unselectable(f"the snapshot {ref.name!r} ({ref.id}) was deleted")
        return found

    async def _warning(self, evaluation: Evaluation) -> str:
        """What the figures lack; Unselectable where the snapshot was deleted meanwhile: that may be everything."""
        snapshot = await self._require_snapshot(evaluation)
        if snapshot is not None:
            return conclusion.warning_of_holes(snapshot.holes)
        lost = await in_thread(self._losses.lost, evaluation.scope, evaluation.created_at) if self._losses else 0
        return conclusion.warning_of_losses(lost)

    async def _judge_columns(self, evaluation: Evaluation, where: Where) -> _Conclusion:
        """Every result concluded but those of item-wise evaluators, which stay as they are."""
        known = [
            self._evaluators.get(result.evaluator_id or result.evaluation_type_id) for result in evaluation.results
        ]
        columns = [each for each in known if each is not None and not isinstance(each, ItemEvaluator)]
        wanted = dict.fromkeys(item for evaluator in columns for item in evaluator.aggregates)
        selected = await in_thread(self._logs.aggregate, evaluation.source, where, list(wanted))
        clusters = None
        if evaluation.cluster_by:
            clusters = await in_thread(clustering.gather, self._logs, evaluation.source, where, evaluation, columns)
        now_ms = self._clock.now_ms()

        def conclude() -> list[Result]:
            return [
                result
                if isinstance(evaluator, ItemEvaluator)
                else conclusion.conclude(result, evaluator, selected, now_ms, clusters)
                for result, evaluator in zip(evaluation.results, known, strict=True)
            ]

        return _Conclusion(await in_thread(conclude), selected.total)

    def _choose_items(self, results: list[Result]) -> dict[int, Chosen]:
        """The item-wise evaluators of what is not final yet; those that cannot work fail their result."""
        chosen: dict[int, Chosen] = {}
        for position, result in enumerate(results):
            evaluator = self._evaluators.get(result.evaluator_id or result.evaluation_type_id)
            if result.status.is_terminal or not isinstance(evaluator, ItemEvaluator):
                continue
            try:
                scorer = evaluator.configured(result.parameters)
            except BadInput as problem:
                why = f"its parameters do not fit the evaluator as it is installed now: {problem.message}"
                [results[position]] = conclusion.fail([result], why, self._clock.now_ms())
            else:
                why = self._why_no_python(scorer)
                if why:
                    [results[position]] = conclusion.fail([result], why, self._clock.now_ms())
                    continue
                judge = scorer if isinstance(scorer, ModelScorer) else None
                chosen[position] = Chosen(scorer.declared(evaluator), result.parameters, judge)
        return chosen

    def _why_no_python(self, scorer: Scorer) -> str:
        """Why a user's own Python is not run, where it is that; "" where it is."""
        if not isinstance(scorer, PythonScorer) or self._item_parts is None:
            return ""
        sandbox = self._item_parts.sandbox
        return "this server runs no Python that users write" if sandbox is None else sandbox.refusal

    async def _judge_items(
        self, held: Held[Evaluation], where: Where, chosen: dict[int, Chosen], concluded: _Conclusion
    ) -> _Conclusion:
        """Those results concluded too, from a score for each log, kept as they come."""
        if self._item_parts is None:
            why = "this server cannot judge single logs"
            return structs.replace(concluded, results=conclusion.fail(concluded.results, why, self._clock.now_ms()))

        async def tell(counts: Mapping[int, Counts], planned: int) -> bool:
            told = with_progress(concluded.results, counts, planned, list(chosen), self._clock.now_ms())
            total = _selected(held.job, concluded.total_logs, planned)
            return await in_thread(self._evaluations.save, held.job, held.owner, told, total)

        run = ItemRun(
            evaluation=held.job,
            owner=held.owner,
            chosen=chosen,
            logs=self._logs,
            parts=self._item_parts,
            snapshots=self._snapshots,
            tell=tell,
        )
        held.when_lost = run.abandon
        try:
            planned = await run.run(where)
        except TooMany as problem:
            failed = conclusion.fail(concluded.results, str(problem), self._clock.now_ms())
            return structs.replace(concluded, results=failed)
        results = await in_thread(self._conclude_items, held.job, chosen, concluded.results, planned)
        total = _selected(held.job, concluded.total_logs, planned)
        if total > planned:
            results = conclusion.sampled(results, list(chosen), planned, total)
        return _Conclusion(results, total)

    def _conclude_items(
        self, evaluation: Evaluation, chosen: Mapping[int, Chosen], results: Sequence[Result], planned: int
    ) -> list[Result]:
        """Those results concluded from the items kept."""
        if self._item_parts is None:
            return list(results)
        items, now_ms = self._item_parts.items, self._clock.now_ms()
        counts, concluded = items.counts(evaluation), list(results)
        for position, each in chosen.items():
            scores, known = items.scores(evaluation, position), counts.get(position, Counts())
            result = conclusion.conclude_items(results[position], each.evaluator, scores, known, planned, now_ms)
            result = conclusion.because(result, _first_left_out(items, evaluation, position, known))
            if isinstance(each.judge, JudgePanel):
                votes = items.votes(evaluation, position)
                result = structs.replace(result, agreement=agreement_of(each.judge, votes))
            concluded[position] = clustering.unclustered(result, evaluation.cluster_by)
        return concluded


def _first_left_out(items: ItemStore, evaluation: Evaluation, position: int, known: Counts) -> str:
    """Why the first log has no score that has none; one on which the evaluator failed, where it did."""
    if not known.failed and not known.skipped:
        return ""
    status = ItemStatus.FAILED if known.failed else ItemStatus.SKIPPED
    page = items.page(evaluation, position=position, status=status, worst_first=False, offset=0, limit=1)
    return page.items[0].note if page.items else ""


def _selected(evaluation: Evaluation, selected: int, planned: int) -> int:
    """The logs that it is about: those planned, unless they are a sample of a monitor's window."""
    return planned if evaluation.window is None else max(selected, planned)
