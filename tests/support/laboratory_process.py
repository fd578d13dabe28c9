"""A process with a runner over a data folder, for tests that stop, kill and multiply it.

    python -m support.laboratory_process DATA OWNER TRACE GATE PACE

It appends a line to the file TRACE for each claim, query and concluded evaluation. Where GATE is a path, a query
waits, once begun, until that file exists; "-" is no gate. PACE is JSON. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from gaugeway.core.ports import EvaluationStore, LogStore
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.item_run import ItemParts
from gaugeway.evaluation.leased import Pace
from gaugeway.evaluation.runner import Runner
from gaugeway.evaluation.scoring.beside import ScoringProcess
from gaugeway.stores import open_stores
from support.laboratory import ReadySink, SystemClock


class Trace:
    """What happened, line by line, readable by the parent at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def write(self, event: str, evaluation_id: str) -> None:
        self._file.write(f"{event} {evaluation_id}\n")


class TracedEvaluations:
    """An EvaluationStore that says what the runner did with it."""

    def __init__(self, store: EvaluationStore, trace: Trace) -> None:
        self._store = store
        self._trace = trace
        self.renew = store.renew

    def claim(self, owner, now_ms, lease_ms):
        evaluation = self._store.claim(owner, now_ms, lease_ms)
        if evaluation is not None:
            self._trace.write("claimed", evaluation.id)
        return evaluation

    def save(self, evaluation, owner, results, total_logs):
        saved = self._store.save(evaluation, owner, results, total_logs)
        if all(result.status.is_terminal for result in results):
            self._trace.write("concluded" if saved else "refused", evaluation.id)
        return saved


class GatedLogs:
    """A LogStore whose queries can be held up half-way."""

    def __init__(self, store: LogStore, trace: Trace, gate: Path | None) -> None:
        self._store = store
        self._trace = trace
        self._gate = gate
        self.get, self.bodies, self.ids = store.get, store.bodies, store.ids

    def aggregate(self, scope, where, wanted):
        self._trace.write("selecting", str(where.until_ms))
        while self._gate is not None and not self._gate.exists():
            time.sleep(0.01)
        return self._store.aggregate(scope, where, wanted)


async def main(data: str, owner: str, trace_path: str, gate: str, pace: str) -> None:
    stores = open_stores(data)
    trace = Trace(Path(trace_path))
    runner = Runner(
        evaluations=TracedEvaluations(stores.evaluations, trace),
        logs=GatedLogs(stores.logs, trace, None if gate == "-" else Path(gate)),
        sink=ReadySink(),
        evaluators=load(),
        clock=SystemClock(),
        owner=owner,
        item_parts=ItemParts(items=stores.items, open_scoring=partial(ScoringProcess, patience_s=1.0)),
        pace=msgspec.json.decode(pace, type=Pace),
    )
    task = asyncio.create_task(runner.run_forever())
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    stores.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
