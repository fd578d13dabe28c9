"""The keeper of one program's cells: takes requests from the server, one at a time, and forks a cell for each.

It runs nothing of anybody's program. Its standard input is a socket to the server: frames of four bytes of length
and JSON, but for requests, which are handed on unread: `c` to compile, `r` and the arguments to call. It ends with
the server.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gaugeway.evaluation.sandbox.inside import cell, layers, library

MAX_ANSWER = 16 * 1024
"""Bytes that a cell may answer."""


class Gone(Exception):
    """The server is."""


def main() -> None:
    """Serve the socket that is the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which closes the socket
    os.nice(10)  # requests come first
    library.load()
    null = os.open(os.devnull, os.O_RDWR)
    with contextlib.suppress(Gone):
        try:
            told = json.loads(_receive())
            wall_s = told.pop("wall_s")
            program = cell.Program(**told)
            base = _address_space()
            got = layers.give_up()
            library.close()
        except OSError as problem:
            _send({"broken": str(problem)})
            return
        gc.collect()
        gc.freeze()
        _send({"layers": got})
        while True:
            request = _receive()
            argument = request[1:] if request[:1] == b"r" else None
            _send(_watch(program, argument, null, base, wall_s))


def _watch(program: cell.Program, argument: bytes | None, null: int, base: int, wall_s: float) -> dict[str, Any]:
    """One cell from its first to its last moment: how it ended, and what it answered."""
    answer_from, answer_to = os.pipe()
    keeper, deadline = os.getpid(), time.monotonic() + wall_s
    pid = os.fork()
    if pid == 0:
        try:
            cell.live(program, argument, keeper=keeper, answer_to=answer_to, null=null, base=base)
        finally:
            os._exit(1)
    os.close(answer_to)
    handle = os.pidfd_open(pid)
    try:
        answer, how = _listen(answer_from, handle, deadline)
    finally:
        os.kill(pid, signal.SIGKILL)  # where it has ended, it is still there to be waited for
        os.close(handle)
        os.close(answer_from)
        _, status = os.waitpid(pid, 0)
    return {
        "how": how,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "answer": answer.decode("latin-1"),
    }


def _listen(answer_from: int, handle: int, deadline: float) -> tuple[bytes, str]:
    """What the cell says until it ends, is late, or says too much. Gone where the server is."""
    answer = bytearray()
    poll = select.poll()
    for descriptor in (0, answer_from, handle):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(max(deadline - time.monotonic(), 0) * 1000)}
        if 0 in ready:
            raise Gone  # the server says nothing while it waits
        if answer_from in ready:
            piece = os.read(answer_from, MAX_ANSWER + 1)
            answer += piece
            if len(answer) > MAX_ANSWER:
                return b"", "large"
            if not piece:
                poll.unregister(answer_from)
        elif handle in ready:  # and everything was read
            return bytes(answer), "ended"
        elif not ready:
            return b"", "late"


def _address_space() -> int:
    """Bytes that this process has mapped already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _send(said: dict[str, Any]) -> None:
    data = json.dumps(said).encode()
    left = len(data).to_bytes(4) + data
    try:
        while left:
            left = left[os.write(0, left) :]
    except OSError as problem:
        raise Gone from problem


def _receive() -> bytes:
    return _exactly(int.from_bytes(_exactly(4)))


def _exactly(size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        try:
            piece = os.read(0, min(size - len(data), 1 << 20))
        except OSError as problem:
            raise Gone from problem
        if not piece:
            raise Gone
        data += piece
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
