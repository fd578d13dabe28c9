"""What a log costs the recorder: from the frame as it came, priced, to the committed rows of both files."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from time import process_time

from rich.console import Console
from rich.table import Table

from bench.gateway import ACCOUNT, CHAT
from gaugeway import providers
from gaugeway.core.ids import Uuid7
from gaugeway.core.model import Account, Bodies, Gateway, Logged, LogRecord, Outcome, Usage
from gaugeway.core.pricing import PriceBook
from gaugeway.recorder.retention import Retentions
from gaugeway.recorder.wire import HEADER, batch
from gaugeway.recorder.writing import Arrival, Parts, Writing
from gaugeway.stores import open_stores
from gaugeway.stores.sqlite.logs import SqliteLogStore

SIZES = (25, 75, 150, 300, 500)
"""Logs a commit: what comes in 150 ms at some 170, 500, 1,000, 2,000 and 3,300 requests/s."""

WARM_LOGS = 3_000  # a dictionary has been learnt, sums have been folded
ROUNDS = 150
COUNTED = (20, 80)  # commits under valgrind: the second less the first is what the others have cost

ANSWER = b'{"id":"chatcmpl-%d","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,'
ANSWER += b'"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":480,'
ANSWER += b'"completion_tokens":64,"total_tokens":544}}'


def _pass_over(_: object) -> None:
    """What the bench does not look at."""


class Acknowledged:
    """The connection that the frames came through."""

    def durable(self, number: int) -> None:
        """Nobody waits."""


class Bed:
    """A recorder's writing over real stores and prices, and frames for it."""

    def __init__(self, folder: Path) -> None:
        self.stores = open_stores(folder)
        self.logs = SqliteLogStore(folder)
        self.stores.accounts.create(Account(id=ACCOUNT, name="bench", created_at=1))
        self.stores.gateways.create(Gateway(account_id=ACCOUNT, id="bench", created_at=1, modified_at=1))
        found = providers.load()
        book = PriceBook({slug: one.price_id for slug, one in found.items()}, self.stores.price_rules.known)
        parts = Parts(
            open_store=lambda: self.logs,
            retention=Retentions(self.stores.gateways, self.stores.config),
            price=book.price,
            saved=book.saved,
            note_losses=_pass_over,
            say=_pass_over,
            living=lambda: {"bench"},
        )
        self.writing = Writing(parts, _pass_over, _pass_over)
        self._new_id = Uuid7(time.time_ns, os.urandom)
        self._number = 0

    def frame(self, logs: int) -> Arrival:
        """A frame as a worker sends it."""
        self._number += 1
        payload = batch(self._number, [self._log(n) for n in range(logs)])[HEADER.size :]
        return Arrival(Acknowledged(), "bench", self._number, payload, logs)

    def _log(self, number: int) -> Logged:
        answer = ANSWER % (number, b"What is measured can be told from what is hoped. %d " % (number * 7919) * 3)
        record = LogRecord(
            account_id=ACCOUNT,
            gateway_id="bench",
            id=self._new_id(),
            provider="openai",
            model="gpt-4o-mini",
            model_type="chat",
            path="chat/completions",
            method="POST",
            outcome=Outcome.SUCCESS if number % 50 else Outcome.UPSTREAM_ERROR,
            duration=300 + number * 37 % 900,
            first_byte_ms=200 + number * 31 % 500,
            status_code=200 if number % 50 else 500,
            user_agent="OpenAI/Python 3.54.0",
            request_content_type="application/json",
            response_content_type="application/json",
            request_size=len(CHAT),
            response_size=len(answer),
            usage=Usage(tokens_in=480, tokens_out=64),
        )
        return Logged(record, Bodies(request=CHAT, response=answer))

    async def write(self, arrival: Arrival) -> None:
        """Have one frame committed."""
        self.writing.take_in(arrival)
        self.writing.hurry()
        while not self.writing.is_done:
            await asyncio.sleep(0)

    def close(self) -> None:
        """Close the stores."""
        self.logs.close()
        self.stores.close()


async def run(folder: Path, logs: int, commits: int, *, warm: int = WARM_LOGS) -> float:
    """CPU seconds of one commit of that many logs: the least of many."""
    bed = Bed(folder)
    gc.freeze()  # as the recorder does (recorder/process.py)
    gc.set_threshold(100_000, 20, 20)
    loop = asyncio.create_task(bed.writing.run())
    for _ in range(warm // 500):
        await bed.write(bed.frame(500))
    bed.logs.tidy()
    least = float("inf")
    for _ in range(commits):
        frame = bed.frame(logs)
        began = process_time()
        await bed.write(frame)
        least = min(least, process_time() - began)
    loop.cancel()
    bed.close()
    return least


def measure(console: Console, folder: Path, *, instructions: bool = False) -> None:
    """Print the CPU time (and instructions) of a log by the size of its commit."""
    table = Table(title="The recorder, both bodies and a price a log", title_justify="left")
    for heading in ("logs a commit", "µs of CPU a log", "logs/s of one core", *["instructions"] * instructions):
        table.add_column(heading, justify="right")
    for logs in SIZES:
        seconds = asyncio.run(run(folder / str(logs), logs, ROUNDS)) / logs
        row = [str(logs), f"{seconds * 1e6:.1f}", f"{1 / seconds:,.0f}"]
        if instructions:
            row.append(f"{_count_instructions(folder, logs):,.0f}")
        table.add_row(*row)
    console.print(table)


def _count_instructions(folder: Path, logs: int) -> float:
    """Instructions of one log; making its frame is among them, and the same each time."""
    totals: list[int] = []
    for commits in COUNTED:
        place = folder / f"{logs}-{commits}"
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        ours = [sys.executable, "-m", "bench.recorder", str(place), str(logs), str(commits)]
        env = os.environ | {"PYTHONHASHSEED": "0"}
        out = subprocess.run([*command, *ours], env=env, capture_output=True, text=True, check=True).stderr
        found = re.search(r"I\s+refs:\s+([\d,]+)", out)
        assert found is not None
        totals.append(int(found.group(1).replace(",", "")))
    return (totals[1] - totals[0]) / (COUNTED[1] - COUNTED[0]) / logs


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), warm=500))
