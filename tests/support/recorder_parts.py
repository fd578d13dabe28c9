"""A recorder process over a file-backed LogStore, and clients of it: `python recorder_parts.py recorder DATA`."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import structs

from gaugeway.core.errors import StoreFull
from gaugeway.core.ids import Uuid7
from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Scope, Usage
from gaugeway.core.ports import Mark, Retention
from gaugeway.core.pricing import Priced
from gaugeway.recorder.address import present
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import write_journal
from gaugeway.recorder.notice import notice
from gaugeway.recorder.process import serve
from gaugeway.recorder.retention import Retentions
from gaugeway.recorder.spawn import Spawner
from gaugeway.recorder.writing import Parts
from gaugeway.stores import open_stores

ACCOUNT = "a" * 32
SCRIPT = Path(__file__).resolve()
new_id = Uuid7(time.time_ns, os.urandom)


def logged(number: int = 0, *, body: bytes | None = b"", gateway: str = "main", **fields: object) -> Logged:
    """A log whose duration tells it from the others."""
    usual: dict[str, object] = {"model": "gpt-4o-mini", "status_code": 200}
    record = LogRecord(
        account_id=ACCOUNT,
        gateway_id=gateway,
        id=new_id(),
        provider="openai",
        outcome=Outcome.SUCCESS,
        duration=number,
        usage=Usage(tokens_in=100, tokens_out=20),
        **usual | fields,  # type: ignore[arg-type]
    )
    return Logged(record, None if body is None else Bodies(request=body, response=body))


class FileLogStore:
    """The part of LogStore that the recorder uses: each append is one transaction in `logs.sqlite3`.

    While the file `full` lies in the folder, it raises as a full disk does.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._connection = sqlite3.connect(data / "logs.sqlite3", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS logs (id BLOB PRIMARY KEY, duration INTEGER, cost TEXT,"
            " bodies_lost INTEGER, body INTEGER, error TEXT)"
        )

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        return {}

    def append(
        self,
        batch: Sequence[Logged],
        retention: Callable[[Scope], Retention],
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        if (self._data / "full").exists():
            raise StoreFull("no room left on the disk")
        rows = [
            (log.record.id, log.record.duration, str(log.record.cost), log.record.bodies_lost,
             None if log.bodies is None else len(log.bodies.request or b""), log.record.error)
            for log in batch
        ]  # fmt: skip
        for log in batch:
            retention(log.record.scope)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT OR IGNORE INTO logs (id, duration, cost, bodies_lost, body, error) VALUES (?,?,?,?,?,?)",
                rows,
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise


def stored(data: Path, columns: str = "duration") -> list[tuple[object, ...]]:
    """What is in the file-backed store, in order of `duration`."""
    if not (data / "logs.sqlite3").exists():
        return []
    connection = sqlite3.connect(data / "logs.sqlite3")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'logs'").fetchall():
            return []
        return connection.execute(f"SELECT {columns} FROM logs ORDER BY duration, id").fetchall()
    finally:
        connection.close()


def file_parts(data: Path) -> Parts:
    """A recorder's parts over the file-backed store."""

    return Parts(
        open_store=lambda: FileLogStore(data),  # type: ignore[arg-type, return-value]
        retention=lambda scope: Retention(None, None),
        price=lambda record: Priced(Decimal("0.5")),
        saved=lambda record: Decimal("0.25"),
        note_losses=lambda losses: write_journal(data, losses),
        living=lambda: present(data),
        say=notice,
    )


class DyingStore:
    """The real LogStore, in a process that dies right after a commit while the file `die` lies in the folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stores = open_stores(data)
        self.retention = Retentions(self._stores.gateways, self._stores.config)

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        return self._stores.logs.marks(living)

    def append(
        self,
        batch: Sequence[Logged],
        retention: Callable[[Scope], Retention],
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        self._stores.logs.append(batch, retention, marks)
        if (self._data / "die").exists():
            (self._data / "die").unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def dying_parts(data: Path) -> Parts:
    """A recorder's parts over the real store."""
    store = DyingStore(data)
    return structs.replace(file_parts(data), open_store=lambda: store, retention=store.retention)  # type: ignore[arg-type, return-value]


def dying_spawner(data: Path) -> Spawner:
    """Starts a recorder over the real store that dies when it is told to."""
    return Spawner(data, [sys.executable, str(SCRIPT), "dying", str(data)], os.environ)


def file_spawner(data: Path) -> Spawner:
    """Starts a recorder over the file-backed store."""
    return Spawner(data, [sys.executable, str(SCRIPT), "recorder", str(data)], os.environ)


async def put_many(data: Path, first: int, count: int, pause_s: float) -> None:
    """A server worker: puts `count` logs in small bursts, flushes, and tells how many it put."""
    client = RecorderClient(data, file_spawner(data), 64 * 1024 * 1024)
    client.start()
    for number in range(first, first + count):
        client.put(logged(number, body=b"x" * 500))
        if random.random() < 0.02:
            await asyncio.sleep(pause_s)
    is_durable = await client.flush(60)
    sys.stdout.write(json.dumps({"durable": is_durable, "lost": client.lost}) + "\n")
    sys.stdout.flush()
    await client.aclose(10)


async def put_and_wait(data: Path, count: int) -> None:
    """A server worker that puts logs, says so a second later, and is to be killed then."""
    client = RecorderClient(data, file_spawner(data), 64 * 1024 * 1024)
    client.start()
    await client.flush(20)
    for number in range(count):
        client.put(logged(number))
    await asyncio.sleep(1)
    sys.stdout.write("put\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


def main(arguments: list[str]) -> None:
    kind, data = arguments[0], Path(arguments[1])
    if kind in ("recorder", "dying"):
        lock = int(arguments[3]) if arguments[2:3] == ["--lock-fd"] else None
        serve(data, file_parts(data) if kind == "recorder" else dying_parts(data), lock)
    elif kind == "waiter":
        asyncio.run(put_and_wait(data, int(arguments[2])))
    elif kind == "putter":
        asyncio.run(put_many(data, int(arguments[2]), int(arguments[3]), float(arguments[4])))


if __name__ == "__main__":
    main(sys.argv[1:])
