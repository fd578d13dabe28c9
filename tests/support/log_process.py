"""Another process that writes logs: `python -m support.log_process ACTION ARGUMENT…`."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from gaugeway.core.model import Bodies, Logged
from gaugeway.core.ports import LogChange, Retention
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.some_logs import a_log, keep_all

TESTS = Path(__file__).parent.parent
BATCH = 25


def start(action: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that does one of the actions below; its output is a pipe."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "support.log_process", action, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TESTS,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed; AssertionError where it failed."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


def a_batch() -> list[Logged]:
    """Logs whose bodies say which log they belong to."""
    records = [a_log(cost=Decimal(1)) for _ in range(BATCH)]
    return [Logged(record, Bodies(request=record.id.hex().encode() * 40)) for record in records]


def append_for_ever(folder: str) -> None:
    """Append batches; print the ids of each once it is acknowledged."""
    store = SqliteLogStore(Path(folder))
    while True:
        batch = a_batch()
        store.append(batch, keep_all)
        print(" ".join(logged.record.id.hex() for logged in batch), flush=True)


def append_some(folder: str, batches: str, limit: str) -> None:
    """Append that many batches to a gateway of that limit (0: none)."""
    store = SqliteLogStore(Path(folder))
    for _ in range(int(batches)):
        store.append(a_batch(), lambda _scope: Retention(int(limit) or None, "DELETE_OLDEST"))
    store.close()


def project_for_ever(folder: str) -> None:
    """Append, change and delete logs, and bring columns up to date, in turns; say when there are some."""
    store = SqliteLogStore(Path(folder), sizes=Sizes(least=1, seal=20, spare=2, most=60, merge=3, changed=5))
    while True:
        batch = a_batch()
        store.append(batch, keep_all)
        store.columns.catch_up()
        for logged in batch[::4]:
            change = LogChange(fields=frozenset({"feedback"}), feedback=1)
            store.patch(logged.record.scope, logged.record.id, change)
        store.columns.catch_up()
        store.delete(batch[0].record.scope, EVERYTHING, Slice(limit=7))
        print("done", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
