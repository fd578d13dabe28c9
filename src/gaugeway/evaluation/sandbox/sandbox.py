"""Whether this server runs users' Python, and how it is opened."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from threading import BoundedSemaphore

from gaugeway.core.errors import GaugewayError
from gaugeway.core.sandbox import SCORE, Function
from gaugeway.evaluation.sandbox.inside.syscalls import ARCHITECTURES
from gaugeway.evaluation.sandbox.program import COMMAND, NoSandbox, SandboxedProgram

SETTING = "GAUGEWAY_PYTHON_EVALUATORS"
OFF = f"Python that users write is not run by this server: {SETTING}=true turns it on (docs/settings.md)"
CHECKS_AT_ONCE = 2
_PROBE = "def score(sample):\n    return sample is None\n"


class PythonSandbox:
    """A Sandbox. Where it is wanted but cannot be had, it refuses, and says what is missing."""

    def __init__(self, *, wanted: bool, command: Sequence[str] = COMMAND) -> None:
        self.layers: list[str] = []
        self._command = command
        self._turns = BoundedSemaphore(CHECKS_AT_ONCE)
        self._refusal = self._proved() if wanted else OFF

    @property
    def refusal(self) -> str:
        """See Sandbox."""
        return self._refusal

    def check(self, source: str, function: Function) -> str:
        """See Sandbox."""
        program = self.open(source, function)
        with self._turns:
            try:
                return program.check()
            finally:
                program.close()

    def open(self, source: str, function: Function) -> SandboxedProgram:
        """See Sandbox."""
        if self._refusal:
            raise NoSandbox(self._refusal)
        return SandboxedProgram(source, function, command=self._command)

    def _proved(self) -> str:
        """Run a program of our own in it: why that cannot be done, or ""."""
        missing = _missing()
        if missing:
            return missing
        program = SandboxedProgram(_PROBE, SCORE, command=self._command)
        try:
            self.layers = program.layers()
            returned = program.call([None])
        except GaugewayError as problem:
            return f"Python that users write cannot be run on this machine: {problem}"
        finally:
            program.close()
        if returned.value is not True:
            return f"Python that users write cannot be run on this machine: {returned.problem or 'no answer'}"
        return ""


def _missing() -> str:
    machine = platform.machine()
    if sys.platform == "linux" and machine in ARCHITECTURES:
        return ""
    return (
        f"Python that users write is run on Linux on {' or '.join(ARCHITECTURES)} only, whose seccomp filters shut"
        f" it in; this is {platform.system()} on {machine}"
    )
