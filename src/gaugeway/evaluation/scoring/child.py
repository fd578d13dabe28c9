"""The process beside the server: scores what it is sent, one mark at a time, until the server's end is closed.

    python -m gaugeway.evaluation.scoring.child    (its standard input is a socket)

A mark goes out before the next one is begun, so that the server knows which scorer it was that never answered.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket

from gaugeway.core.samples import ItemEvaluator, Mark, Scorer
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.scoring.marks import mark, sample_of
from gaugeway.evaluation.scoring.wire import Closed, receive_scorers, receive_work, send

MEMORY_BYTES = 768 * 1024 * 1024
"""More than that a scorer does not get: it fails on the log instead."""


def main() -> None:
    """Serve the socket that is the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which closes the socket
    os.nice(10)  # requests come first
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=os.dup(0)) as connection, contextlib.suppress(Closed):
        _serve(connection)


def _serve(connection: socket.socket) -> None:
    known = {evaluator.id: evaluator for evaluator in load() if isinstance(evaluator, ItemEvaluator)}
    scorers: dict[int, tuple[ItemEvaluator, Scorer]] = {
        number: (known[evaluator_id], known[evaluator_id].configured(parameters))
        for number, (evaluator_id, parameters) in receive_scorers(connection).items()
    }
    send(connection, Mark())  # ready
    while True:
        work = receive_work(connection)
        sample = sample_of(work, reads_bodies=any(scorers[number][0].reads_bodies for number in work.scorers))
        for number in work.scorers:
            send(connection, mark(scorers[number][1], sample))


if __name__ == "__main__":
    main()
