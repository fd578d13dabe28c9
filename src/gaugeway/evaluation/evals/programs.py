"""The functions of a run's `python` graders, each opened when the first item needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gaugeway.core.graders import PythonGrader
from gaugeway.core.sandbox import GRADE, Program, Returned, Sandbox
from gaugeway.evaluation.threads import in_thread_until


class Programs:
    """What grading.Run asks for, for one run."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._opened: dict[str, Program] = {}
        self._turn = asyncio.Lock()  # one thread at a time: the store needs threads, too

    async def __call__(self, grader: PythonGrader, arguments: Sequence[object]) -> Returned:
        """See grading.Run. Graders of one source share a process; no call leaves anything for another."""
        async with self._turn:
            program = self._opened.get(grader.source)
            if program is None:
                program = self._opened[grader.source] = self._sandbox.open(grader.source, GRADE)
            return await in_thread_until(program.close, program.call, arguments)

    def close(self) -> None:
        """End their processes."""
        for program in self._opened.values():
            program.close()
