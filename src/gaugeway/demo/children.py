"""Child processes that never outlive the demo, and say why where they fail."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gaugeway.core.errors import GaugewayError

STOP_SECONDS = 10.0
TAIL_LINES = 15


class ChildFailed(GaugewayError):
    """A child process ended, or did not become ready in time; the message holds its last words."""


class Child:
    """A Python module run in a process of its own; its output goes to a file.

    It gets a pipe as its standard input and must end when that closes, if it can: then it does not outlive us
    even where we are killed outright. It is in a session of its own, so that Ctrl-C reaches us alone and the
    children are stopped in order.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise ChildFailed where it has ended."""
        code = self._process.poll()
        if code is not None:
            raise ChildFailed(f"{self.name} ended with code {code}. Its last words:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its output."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "(none)"

    def address(self, seconds: float) -> str:
        """The address it prints as a line of its own; raises ChildFailed where none comes in that time."""
        deadline = time.monotonic() + seconds
        while True:
            for line in self.log.read_text(errors="replace").splitlines(keepends=True):
                if line.startswith("http://") and line.endswith("\n"):
                    return line.strip()
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed(f"{self.name} was not ready after {seconds:g} s")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and end it where it does not."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Children:
    """All of them; leaving the block stops them, the last started first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _undisturbed():
            while self._running:
                self._running.pop().stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Start a module: `arguments` are what follows `python -m`."""
        log = self._logs / f"{name.replace(' ', '-')}.log"
        child = Child(name, arguments, log, os.environ if environment is None else environment)
        self._running.append(child)
        return child

    def stop(self, child: Child) -> None:
        """Stop one of them now."""
        self._running.remove(child)
        child.stop()

    def check(self) -> None:
        """Raise ChildFailed where one of them has ended."""
        for child in self._running:
            child.check()

    def tails(self) -> str:
        """The last words of all of them."""
        return "\n".join(f"last words of {child.name}:\n{child.tail()}" for child in self._running)


class Interrupted(BaseException):
    """Ctrl-C, or somebody asked this process to end. Not an Exception: nothing may take it for a failure."""


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Within the block, SIGINT, SIGTERM and SIGHUP raise Interrupted, so that everything is cleaned up."""

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        raise Interrupted

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in watched]
    try:
        yield
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Within the block, another Ctrl-C does not break off the clean-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in watched]
    try:
        yield
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)
