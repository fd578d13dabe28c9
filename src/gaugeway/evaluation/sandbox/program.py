"""One program with its keeper: the server's end of their socket."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

import gaugeway
from gaugeway.core.errors import GaugewayError
from gaugeway.core.sandbox import Function, Returned
from gaugeway.evaluation.sandbox.inside.cell import MAX_NUMBER
from gaugeway.evaluation.scoring.marks import shortened

WALL_S = 5.0
"""How long one call may take."""
CPU_S = 5
"""Seconds of a processor that one call may use."""
MEMORY_BYTES = 256 * 1024 * 1024
"""That one call may take beyond what the interpreter needs."""
MAX_REQUEST = 32 * 1024 * 1024
"""Bytes of a call's arguments as JSON."""
MAX_STRIKES = 5
"""Calls that had to be ended before the program is not tried any more."""
PROGRAM_S = 7200.0
"""Seconds that all calls of one opened program may take together."""
START_S = 60.0
"""How long the keeper may take to begin."""
GRACE_S = 30.0
"""How much longer than a call may take the keeper is waited for: it ends cells itself."""

NOT_TRIED = Returned(problem=f"not tried: it had to be ended on {MAX_STRIKES} items of this run")

_ROOT = str(Path(gaugeway.__file__).parent.parent)
_BEGIN = f"""import sys
sys.path.append({_ROOT!r})
from gaugeway.evaluation.sandbox.inside import keeper
sys.path.pop()
keeper.main()
"""
COMMAND = (sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BEGIN)


class NoSandbox(GaugewayError):
    """There is no sandbox to be had, or it was closed; the message says why."""


class Limits(Struct, frozen=True):
    """What one call may take, and all of a program."""

    wall_s: float = WALL_S
    cpu_s: int = CPU_S
    memory_bytes: int = MEMORY_BYTES
    program_s: float = PROGRAM_S  # of all calls together


class _Fate(Struct):
    """What the keeper says of a cell."""

    how: str  # ended, late, large
    signal: int
    answer: str  # Latin-1, byte by byte


class _Answer(Struct, forbid_unknown_fields=True):
    """What a cell says. It may be forged by the program in it."""

    value: float | bool | None = None
    reason: str = ""
    problem: str = ""
    broken: str = ""


class _Keeper(Struct):
    process: subprocess.Popen[bytes]
    connection: socket.socket
    layers: list[str]


class SandboxedProgram:
    """A Program. A call that takes too much is ended, and costs its own value; the rest goes on."""

    def __init__(
        self, source: str, function: Function, *, limits: Limits | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        self._source = source
        self._function = function
        self._limits = limits or Limits()
        self._command = command
        self._keeper: _Keeper | None = None
        self._closed = False
        self._strikes = 0
        self._used_s = 0.0
        self._turn = Lock()

    def call(self, arguments: Sequence[object]) -> Returned:
        """See Program; NoSandbox."""
        try:
            request = b"r" + msgspec.json.encode(list(arguments))
        except (ValueError, TypeError, RecursionError) as problem:
            return Returned(problem=shortened(f"it cannot be given this item: {problem}"))
        if len(request) > MAX_REQUEST:
            return Returned(problem=f"the item has more than {MAX_REQUEST // 1024**2} MiB")
        with self._turn:
            if self._strikes >= MAX_STRIKES:
                return NOT_TRIED
            if self._used_s >= self._limits.program_s:
                return Returned(problem=f"not tried: all items of a run may take {self._limits.program_s:g} s")
            begun = time.monotonic()
            answer = self._ask(request)
            self._used_s += time.monotonic() - begun
        if isinstance(answer, str):
            return Returned(problem=shortened(answer))
        problem = answer.broken or answer.problem
        if problem:
            return Returned(problem=shortened(problem))
        return Returned(value=answer.value, reason=shortened(answer.reason))

    def check(self) -> str:
        """See Sandbox.check; NoSandbox."""
        with self._turn:
            answer = self._ask(b"c")
        if isinstance(answer, str):
            return answer
        if answer.broken:
            raise NoSandbox(answer.broken)
        return shortened(answer.problem)

    def layers(self) -> list[str]:
        """What this machine gives beyond the filter; NoSandbox."""
        with self._turn:
            return self._running().layers

    def close(self) -> None:
        """See Program."""
        self._closed = True
        self._end_keeper()

    def _ask(self, request: bytes) -> _Answer | str:
        """What a new cell answers, or why it had to be ended."""
        keeper = self._running()
        try:
            _send(keeper.connection, request)
            fate = msgspec.json.decode(_receive(keeper.connection), type=_Fate)
        except (OSError, EOFError):  # it was killed, or the machine is too busy to live
            self._end_keeper()
            if self._closed:
                raise NoSandbox("the run was ended") from None
            self._strikes += 1
            return "the sandbox was ended from outside while it ran"
        return self._read(fate)

    def _read(self, fate: _Fate) -> _Answer | str:
        answer = _answer_in(fate.answer)
        if answer is not None:
            return answer
        limits = self._limits
        if fate.how == "large":
            return "it wrote more than an answer has"
        if fate.answer:
            return "what it wrote is no answer"
        if fate.how == "late":
            self._strikes += 1
            return f"it took longer than {limits.wall_s:g} s"
        if fate.signal:
            self._strikes += 1
            if fate.signal == signal.SIGXCPU:
                return f"it used more than {limits.cpu_s} s of the processor"
            return f"it was ended by {signal.Signals(fate.signal).name}"
        return "it ended without an answer"

    def _running(self) -> _Keeper:
        if self._closed:
            raise NoSandbox("the run was ended")
        keeper = self._keeper
        if keeper is None:
            self._keeper = keeper = self._started()
            if self._closed:  # meanwhile
                self._end_keeper()
                raise NoSandbox("the run was ended")
        return keeper

    def _started(self) -> _Keeper:
        ours, theirs = socket.socketpair()
        ours.settimeout(START_S)
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 - a command of our own
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as problem:
                ours.close()
                raise NoSandbox(f"its process cannot be started: {problem}") from problem
        keeper = _Keeper(process, ours, [])
        limits = self._limits
        told = {
            "source": self._source,
            "function": self._function.name,
            "parameters": self._function.parameters,
            "memory_bytes": limits.memory_bytes,
            "cpu_s": limits.cpu_s,
            "wall_s": limits.wall_s,
        }
        try:
            _send(ours, msgspec.json.encode(told))
            said: dict[str, Any] = msgspec.json.decode(_receive(ours))
        except (OSError, EOFError, ValueError) as problem:
            _end(keeper)
            raise NoSandbox("its process did not begin; its messages are in the server's") from problem
        if "broken" in said:
            _end(keeper)
            raise NoSandbox(str(said["broken"]))
        ours.settimeout(limits.wall_s + GRACE_S)
        keeper.layers = said["layers"]
        return keeper

    def _end_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            _end(keeper)


def _answer_in(said: str) -> _Answer | None:
    """What a cell said, if it is an answer: the program in it may have written what it liked."""
    try:
        answer = msgspec.json.decode(said.encode("latin-1"), type=_Answer)
    except (ValueError, RecursionError):
        return None
    return answer if abs(answer.value or 0) <= MAX_NUMBER else None


def _end(keeper: _Keeper) -> None:
    """End a keeper, and by its death its cell."""
    keeper.process.kill()
    keeper.process.wait()
    keeper.connection.close()


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(len(data).to_bytes(4) + data)


def _receive(connection: socket.socket) -> bytes:
    return _exactly(connection, int.from_bytes(_exactly(connection, 4)))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
