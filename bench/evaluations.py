"""Evaluations and pages over many synthetic logs, on the embedded store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from bench.synthetic_logs import SCOPE, START_MS, load
from gaugeway.core.aggregates import Aggregate
from gaugeway.core.analytics import Bucket, GroupBy, Question
from gaugeway.core.model import LogRecord, RawFilter
from gaugeway.core.ports import AnalyticsStore, LogStore
from gaugeway.core.query import EVERYTHING, Grouping, Slice, Where, parse_all
from gaugeway.core.samples import ItemEvaluator
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.evaluators import load as load_evaluators
from gaugeway.stores import open_stores

REPEATS = 3


def measure(console: Console, folder: Path, counts: Sequence[int]) -> None:
    """Print a table: one row a query, one column a number of logs."""
    table = Table(title="Best of 3, ms, warm", title_justify="left")
    table.add_column("query")
    rows: dict[str, list[str]] = {}
    for count in counts:
        data = folder / str(count)
        began = perf_counter()
        load(data, count)
        console.print(f"{count:,} synthetic logs loaded in {perf_counter() - began:.0f} s")
        table.add_column(f"{count:,} logs", justify="right")
        with closing(open_stores(data)) as stores:
            asked = _queries(stores.logs, "SQLite alone") | _analytics(stores.analytics)
            for name, ask in asked.items():
                rows.setdefault(name, []).append(f"{_best(ask) * 1e3:,.1f}")
            began = perf_counter()
            read = stores.columns.catch_up()
            (made,) = stores.columns.coverage()
            console.print(
                f"{made.projected:,} of them put into columns in {perf_counter() - began:.0f} s ({read:,} read,"
                f" {made.bytes / max(made.projected, 1):.0f} bytes a log)"
            )
            for name, ask in _figures(stores.logs, "by columns").items():
                rows.setdefault(name, []).append(f"{_best(ask) * 1e3:,.1f}")
    for name, figures in rows.items():
        table.add_row(name, *figures)
    console.print(table)


def _best(ask: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(REPEATS):
        began = perf_counter()
        ask()
        times.append(perf_counter() - began)
    return min(times)


def _where(*filters: RawFilter) -> Where:
    return Where(alternatives=(parse_all(filters, (), for_dataset=True),))


def _figures(logs: LogStore, how: str) -> dict[str, Callable[[], object]]:
    """Three and all evaluators over columns, over all logs and with filters of every kind."""
    three: list[Aggregate] = []
    every: list[Aggregate] = []
    for evaluator in load_evaluators():
        if isinstance(evaluator, ItemEvaluator):
            continue
        every += [aggregate for aggregate in evaluator.aggregates if aggregate not in every]
        if evaluator.id in ("cost", "speed", "human_feedback"):
            three += [aggregate for aggregate in evaluator.aggregates if aggregate not in three]
    day_before = RawFilter("created_at", "gt", [to_rfc3339(_newest(logs).created_at - 86_400_000)])
    several = (
        RawFilter("success", "eq", [True]),
        RawFilter("duration", "lt", [3000]),
        RawFilter("model", "neq", ["model-3"]),
        RawFilter("tokens", "gt", [300]),
    )
    asked: dict[str, tuple[Where, list[Aggregate]]] = {
        "three evaluators, all logs": (EVERYTHING, three),
        "three evaluators, one provider": (_where(_provider(logs)), three),
        "three evaluators, the last day": (_where(day_before), three),
        "all column evaluators, all logs": (EVERYTHING, every),
        "all column evaluators, one provider": (_where(_provider(logs)), every),
        "all column evaluators, the last day": (_where(day_before), every),
        "all column evaluators, model contains 1": (_where(RawFilter("model", "contains", ["1"])), every),
        "all column evaluators, cost above 0.0001": (_where(RawFilter("cost", "gt", [0.0001])), every),
        "all column evaluators, metadata.user not u7": (_where(RawFilter("metadata.user", "neq", ["u7"])), every),
        "all column evaluators, four filters": (_where(*several), every),
    }
    groups = {
        f"all column evaluators, by {by}: {how}": _asking_by(logs, Grouping(by), every)
        for by in ("model", "provider")
    }
    return groups | {f"{name}: {how}": _asking(logs, *question) for name, question in asked.items()}


def _asking(logs: LogStore, where: Where, wanted: Sequence[Aggregate]) -> Callable[[], object]:
    return lambda: logs.aggregate(SCOPE, where, wanted)


def _asking_by(logs: LogStore, by: Grouping, wanted: Sequence[Aggregate]) -> Callable[[], object]:
    return lambda: logs.aggregate_by(SCOPE, EVERYTHING, wanted, by, 10_000)


def _newest(logs: LogStore) -> LogRecord:
    return logs.page(SCOPE, EVERYTHING, Slice(limit=1))[0]


def _provider(logs: LogStore) -> RawFilter:
    return RawFilter("provider", "eq", [_newest(logs).provider])


def _queries(logs: LogStore, how: str) -> dict[str, Callable[[], object]]:
    day_before = RawFilter("created_at", "gt", [to_rfc3339(_newest(logs).created_at - 86_400_000)])
    failed, provider = RawFilter("success", "eq", [False]), _provider(logs)
    page = Slice(limit=50)
    return {
        **_figures(logs, how),
        "newest page": lambda: logs.page(SCOPE, EVERYTHING, page),
        "newest page, the last day": lambda: logs.page(SCOPE, _where(day_before), page),
        "newest page, one provider": lambda: logs.page(SCOPE, _where(provider), page),
        "newest page, failed": lambda: logs.page(SCOPE, _where(failed), page),
        "count of one provider's failures": lambda: logs.count(SCOPE, _where(provider, failed)),
    }


def _analytics(analytics: AnalyticsStore) -> dict[str, Callable[[], object]]:
    """Ranges that begin at a whole hour, as those that end now do where no start is given."""
    first_hour = START_MS // Bucket.HOUR.ms * Bucket.HOUR.ms
    month = first_hour + 30 * Bucket.DAY.ms

    def ask(days: int, bucket: Bucket, group_by: GroupBy | None) -> Callable[[], object]:
        question = Question(
            account_id=SCOPE.account_id,
            start_ms=month - days * Bucket.DAY.ms,
            end_ms=month,
            bucket=bucket,
            group_by=group_by,
        )
        return lambda: analytics.answer(question)

    return {
        "analytics, 30 days by day": ask(30, Bucket.DAY, None),
        "analytics, 30 days by day and model": ask(30, Bucket.DAY, GroupBy.MODEL),
        "analytics, 30 days by hour": ask(30, Bucket.HOUR, None),
        "analytics, a day by hour and model": ask(1, Bucket.HOUR, GroupBy.MODEL),
    }
