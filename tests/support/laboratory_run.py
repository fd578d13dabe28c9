"""Laboratories in processes of their own, to be stopped, killed and multiplied."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gaugeway.core.model import Evaluation
from gaugeway.evaluation.leased import Pace
from gaugeway.stores import Stores

TESTS = Path(__file__).parents[1]
INSTALLED = Path(__file__).parent / "installed"
"""A folder of packages, as pip would install them: with evaluators by their entry points."""
PATIENT = Pace(poll_s=0.02, lease_ms=120_000)
SHORT = Pace(poll_s=0.02, lease_ms=500, renew_s=0.1)


def kept(stores: Stores, item: Evaluation) -> Evaluation:
    found = stores.evaluations.get(item.scope, item.id)
    assert found is not None
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen within a minute"
        time.sleep(0.02)


class Laboratory:
    """A process with a runner, and what it said that it did."""

    def __init__(self, data: Path, name: str, gate: Path | None, pace: Pace) -> None:
        self._trace = data.parent / f"{name}.trace"
        arguments = [str(data), name, str(self._trace), str(gate or "-"), msgspec.json.encode(pace).decode()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.laboratory_process", *arguments],
            env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{INSTALLED}"},
            stdin=subprocess.PIPE,
        )

    def did(self, event: str) -> list[str]:
        """The evaluations of which it said so."""
        if not self._trace.exists():
            return []
        lines = [line.split() for line in self._trace.read_text().splitlines()]
        return [evaluation_id for kind, evaluation_id in lines if kind == event]

    def end(self) -> int:
        """Let it stop as a server does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)


@contextmanager
def laboratory(data: Path, name: str, gate: Path | None = None, pace: Pace = PATIENT) -> Iterator[Laboratory]:
    started = Laboratory(data, name, gate, pace)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        assert started.process.stdin is not None
        started.process.stdin.close()
