"""Steps of the interpreter that a request takes, by function: the same each time, however busy the machine is.

The protocol, pipeline, connector, stores and recorder's client are the gateway's own; only the two sockets are
played. `--instructions` counts the processor's instructions as well, under valgrind, which takes minutes.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time, thread_time
from types import CodeType, FrameType
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench.bed import KINDS, Bed, opened_bed

WARM, COUNTED = 60, 21
SHOWN = 60
TIMED_ROUNDS, TIMED_REQUESTS = 200, 10
RESTS, REST_S = 60, 0.005
ROUNDS = (40, 240)  # requests under valgrind: the second less the first is what the others have cost
_HERE = str(Path(__file__).parent)

Steps = Counter[CodeType]
Trace = Callable[[FrameType, str, Any], Any]


async def count_steps(bed: Bed, requests: int) -> list[Steps]:
    """The steps of each of some requests by code object. What the bench itself does is not counted."""
    counts: list[Steps] = []
    steps: Steps = Counter()

    def step(frame: FrameType, event: str, _: Any) -> Trace:
        if event == "opcode":
            steps[frame.f_code] += 1
        return step

    def enter(frame: FrameType, _: str, __: Any) -> Trace | None:
        if frame.f_code.co_filename.startswith(_HERE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return step

    for _ in range(requests):
        steps = Counter()
        sys.settrace(enter)
        try:
            await bed.ask()
        finally:
            sys.settrace(None)
        counts.append(steps)
    return counts


async def time_requests(bed: Bed) -> float:
    """CPU time of a request in the worker's process, s: the least of many short rounds, as others disturb most."""
    least = float("inf")
    for _ in range(TIMED_ROUNDS):
        began = process_time()
        for _ in range(TIMED_REQUESTS):
            await bed.ask()
        least = min(least, process_time() - began)
    return least / TIMED_REQUESTS


async def time_rested(bed: Bed) -> float:
    """CPU time of a request that comes after a rest, s: other programs have had the caches meanwhile."""
    taken: list[float] = []
    for _ in range(RESTS):
        await asyncio.sleep(REST_S)
        began = thread_time()
        await bed.ask()
        taken.append(thread_time() - began)
    return sorted(taken)[RESTS // 10]


async def _count(kind: str, folder: Path) -> tuple[dict[CodeType, int], float, float]:
    async with opened_bed(kind, folder) as bed:
        for _ in range(WARM):
            await bed.ask()
        counts = await count_steps(bed, COUNTED)
        seconds, rested = await time_requests(bed), await time_rested(bed)
    codes = {code for steps in counts for code in steps}
    # The least leaves out what is done now and then: a timer, an acknowledgement.
    least = {code: min(steps[code] for steps in counts) for code in codes}
    return {code: steps for code, steps in least.items() if steps}, seconds, rested


def measure(console: Console, folder: Path, *, instructions: bool = False, by_function: bool = True) -> None:
    """Print steps (and instructions) for each kind of request, and the functions that take most of them."""
    for kind in KINDS:
        steps, seconds, rested = uvloop.run(_count(kind, folder / kind))
        line = f"[bold]{kind}[/bold]: {sum(steps.values()):,.0f} steps in {len(steps)} functions"
        line += f", {seconds * 1e6:.1f} µs of CPU, {rested * 1e6:.0f} after a rest of {REST_S * 1e3:.0f} ms"
        if instructions:
            line += f"; {_count_instructions(kind, folder / kind):,.0f} instructions"
        console.print(line)
        if by_function:
            console.print(_table(steps))


def _table(steps: dict[CodeType, int]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("steps", justify="right")
    table.add_column("function")
    for code, number in sorted(steps.items(), key=lambda item: -item[1])[:SHOWN]:
        path = Path(code.co_filename)
        table.add_row(f"{number:,.0f}", f"{code.co_qualname}  [dim]{path.parent.name}/{path.name}[/dim]")
    return table


def _count_instructions(kind: str, folder: Path) -> float:
    """Instructions of one request, all that runs in the worker's process for it included."""
    totals: list[int] = []
    for requests in ROUNDS:
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        ours = [
            sys.executable,
            "-m",
            "bench.steps",
            kind,
            str(folder.with_name(f"{kind}-{requests}")),
            str(requests),
        ]
        env = os.environ | {"PYTHONHASHSEED": "0"}
        out = subprocess.run([*command, *ours], env=env, capture_output=True, text=True, check=True).stderr
        found = re.search(r"I\s+refs:\s+([\d,]+)", out)
        assert found is not None
        totals.append(int(found.group(1).replace(",", "")))
    return (totals[1] - totals[0]) / (ROUNDS[1] - ROUNDS[0])


async def _repeat(kind: str, folder: Path, requests: int) -> None:
    async with opened_bed(kind, folder) as bed:
        for _ in range(requests):
            await bed.ask()


if __name__ == "__main__":
    uvloop.run(_repeat(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
