"""Starts the recorder of a data folder, at most once at a time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gaugeway.core.settings import Settings, environment_of
from gaugeway.recorder.address import take_lock

_LOCK_IN_CHILD = 3


class Spawner:
    """Calling it makes sure that a recorder serves or starts; cheap where one does.

    The recorder's lock is taken here and handed to the new process, so two workers never start two. Each call
    also reaps the process that an earlier call started, should it have ended. `environment`: all of the
    new process's variables.
    """

    def __init__(self, data: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._data = data
        self._command = [*command, "--lock-fd", str(_LOCK_IN_CHILD)]
        self._environment = environment
        self._child: int | None = None

    def __call__(self) -> None:
        """Raises OSError where no process can be started."""
        self._reap()
        lock = take_lock(self._data)
        if lock is None:
            return
        # Not subprocess.Popen: the process is meant to outlive this one, which Popen takes for a mistake.
        try:
            self._child = os.posix_spawn(
                self._command[0],
                self._command,
                self._environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, lock, _LOCK_IN_CHILD),
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),  # nobody's pipe waits for its end
                    *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
                ],
                setsid=True,  # Ctrl-C in the terminal is not for it
                setsigmask=(),
            )
        finally:
            os.close(lock)  # the child's copy holds it

    def _reap(self) -> None:
        if self._child is None:
            return
        try:
            ended, _ = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:  # somebody else reaped it
            ended = self._child
        if ended:
            self._child = None


def _inheritable() -> list[int]:
    """Descriptors that a new process would get though they are not for it: a server's listening socket, say."""
    found: list[int] = []
    for entry in Path("/proc/self/fd").iterdir():
        descriptor = int(entry.name)
        with contextlib.suppress(OSError):  # closed in the meantime
            if descriptor > _LOCK_IN_CHILD and os.get_inheritable(descriptor):
                found.append(descriptor)
    return found


def spawn_recorder(settings: Settings, data: Path) -> Callable[[], None]:
    """What a `RecorderClient` calls to have a recorder of that folder, under these settings."""
    folder = data.resolve()
    command = (sys.executable, "-m", "gaugeway.record", "--data", str(folder))
    environment = {**os.environ, **environment_of(settings)}
    environment.pop("GAUGEWAY_BOOTSTRAP_TOKEN", None)  # it has no use for a secret
    return Spawner(folder, command, environment)
