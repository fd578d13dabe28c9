"""The server's end of the process that scores beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from gaugeway.core.errors import GaugewayError
from gaugeway.core.samples import Mark, Work
from gaugeway.evaluation.scoring.wire import Closed, Scorers, receive_mark, send

PATIENCE_S = 30.0
"""How long one scorer may take over one log."""
START_S = 60.0
"""How long the process may take to begin."""

MAX_STRIKES = 5
"""Logs of a run on which a scorer may hang or bring the process down before it is not tried any more."""

COMMAND = (sys.executable, "-m", "gaugeway.evaluation.scoring.child")


class CannotScore(GaugewayError):
    """The process beside the server does not start, or was closed."""


NOT_TRIED = Mark(failed=True, note=f"not tried: it had to be ended on {MAX_STRIKES} logs of this run")


class _Child(Struct):
    process: subprocess.Popen[bytes]
    connection: socket.socket


class ScoringProcess:
    """A Scoring. A scorer that takes too long or brings the process down costs its own mark; the rest goes on."""

    def __init__(
        self, scorers: Scorers, *, command: Sequence[str] = COMMAND, patience_s: float = PATIENCE_S
    ) -> None:
        self._scorers = scorers
        self._command = command
        self._patience_s = patience_s
        self._child: _Child | None = None
        self._closed = False
        self._strikes: Counter[int] = Counter()

    def score(self, work: Work) -> list[Mark]:
        """See Scoring; CannotScore where no process can be had."""
        marks = {number: NOT_TRIED for number in work.scorers if self._strikes[number] >= MAX_STRIKES}
        left = [number for number in work.scorers if number not in marks]
        while left:
            child = self._running()
            try:
                send(child.connection, Work(work.record, work.bodies, work.expected, tuple(left)))
                while left:
                    marks[left[0]] = receive_mark(child.connection)
                    del left[0]
            except TimeoutError:
                self._end_child(wait_s=0)
                why = f"it took longer than {self._patience_s:g} s over this log"
                marks[left[0]] = self._strike(left[0], why)
                del left[0]
            except Closed:
                why = self._why_it_ended("while it scored this log")
                marks[left[0]] = self._strike(left[0], why)
                del left[0]
        return [marks[number] for number in work.scorers]

    def _strike(self, number: int, why: str) -> Mark:
        self._strikes[number] += 1
        return Mark(failed=True, note=why)

    def close(self) -> None:
        """See Scoring."""
        self._closed = True
        self._end_child(wait_s=0)

    def _running(self) -> _Child:
        if self._closed:
            raise CannotScore("the run was ended")
        if self._child is None:
            ours, theirs = socket.socketpair()
            with theirs:
                environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
                process = subprocess.Popen(  # noqa: S603 - a command of our own
                    self._command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment
                )
            self._child = _Child(process, ours)
            ours.settimeout(START_S)
            try:
                send(ours, self._scorers)
                receive_mark(ours)  # it is ready
            except (TimeoutError, Closed) as problem:
                raise CannotScore(
                    self._why_it_ended("before it was ready; its messages are in the server's")
                ) from problem
            ours.settimeout(self._patience_s)
        return self._child

    def _why_it_ended(self, when: str) -> str:
        """What became of a process that is gone."""
        status = self._end_child(wait_s=1)
        if self._closed:
            raise CannotScore("the run was ended")
        how = "" if status is None else f" by {signal.Signals(-status).name}" if status < 0 else f" ({status})"
        return f"the scoring process ended{how} {when}"

    def _end_child(self, wait_s: float) -> int | None:
        """End the process, if there is one: its exit status where it ends by itself within that time."""
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            status = child.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            status = None
        child.process.kill()
        child.process.wait()
        child.connection.close()
        return status


_SECRETS = ("GAUGEWAY_BOOTSTRAP_TOKEN",)
