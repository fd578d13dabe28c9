"""Evaluations and pages over many synthetic logs, on the embedded store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from bench.synthetic_logs import SCOPE, load
from gaugeway.core.aggregates import Aggregate
from gaugeway.core.model import RawFilter
from gaugeway.core.ports import LogStore
from gaugeway.core.query import EVERYTHING, Slice, Where, parse_all
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
            for name, ask in _queries(stores.logs).items():
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


def _queries(logs: LogStore) -> dict[str, Callable[[], object]]:
    wanted: list[Aggregate] = []
    for evaluator in load_evaluators():
        wanted += [aggregate for aggregate in evaluator.aggregates if aggregate not in wanted]
    newest = logs.page(SCOPE, EVERYTHING, Slice(limit=1))[0]
    day_before = RawFilter("created_at", "gt", [to_rfc3339(newest.created_at - 86_400_000)])
    failed, provider = RawFilter("success", "eq", [False]), RawFilter("provider", "eq", [newest.provider])
    page = Slice(limit=50)
    return {
        "three evaluators, all logs": lambda: logs.aggregate(SCOPE, EVERYTHING, wanted),
        "three evaluators, one provider": lambda: logs.aggregate(SCOPE, _where(provider), wanted),
        "three evaluators, the last day": lambda: logs.aggregate(SCOPE, _where(day_before), wanted),
        "newest page": lambda: logs.page(SCOPE, EVERYTHING, page),
        "newest page, the last day": lambda: logs.page(SCOPE, _where(day_before), page),
        "newest page, one provider": lambda: logs.page(SCOPE, _where(provider), page),
        "newest page, failed": lambda: logs.page(SCOPE, _where(failed), page),
        "count of one provider's failures": lambda: logs.count(SCOPE, _where(provider, failed)),
    }
