"""Many slow streams at once, as chats have: whether the gateway keeps up on one core, and what memory it takes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Timer
from time import sleep

from rich.console import Console

from bench.client import percentile
from bench.gateway import CHAT_PATH, PORT, running_gateway
from bench.machine import LOAD_CORE, cpu_seconds, memory_mb, start_pinned
from bench.stream_readers import Read
from bench.streams import SSE_PORT, read_streams

STREAMS = 2_000
WATCHED = 40
CHUNKS_A_SECOND = 10
SECONDS = 20
RAMP_S = 4.0
"""In which they begin, one after another."""


def _read_all(port: int, path: str, pids: list[int]) -> tuple[Read, float, float]:
    """What the streams are like, CPU s, and RSS in MB when half of their time has passed."""
    before = cpu_seconds(pids)
    rss: list[float] = []
    look = Timer(RAMP_S + SECONDS / 2, lambda: rss.append(memory_mb(pids)[0]))
    look.start()
    chunks = CHUNKS_A_SECOND * SECONDS
    found = read_streams(port, path, STREAMS, WATCHED, chunks, 1 / CHUNKS_A_SECOND, RAMP_S)
    look.join()
    return found, cpu_seconds(pids) - before, rss[0]


def measure(console: Console, folder: Path) -> None:
    """Print lateness, whether it grows from the first third to the last, and RSS of worker and recorder."""
    upstream = start_pinned(LOAD_CORE, [sys.executable, "-m", "bench.sse_upstream", str(SSE_PORT)])
    sleep(1)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        with running_gateway(folder / "data", f"http://127.0.0.1:{SSE_PORT}") as gateway:
            for name, port, path in (("direct", SSE_PORT, "/"), ("gateway", PORT, CHAT_PATH)):
                found, cpu, rss = _read_all(port, path, gateway.pids)
                delays, broken = found.delays, STREAMS - found.whole
                third = len(delays) // 3
                p50, p99 = percentile(delays, 0.5) * 1e3, percentile(delays, 0.99) * 1e3
                first, last = (percentile(part, 0.5) * 1e3 for part in (delays[:third], delays[-third:]))
                line = (
                    f"  {STREAMS:,} streams of {CHUNKS_A_SECOND} chunks/s, {name:8} lateness p50 {p50:.2f} ms"
                    f"   p99 {p99:.2f} ms   (p50 of the first third {first:.2f}, of the last {last:.2f})"
                )
                if name == "gateway":
                    chunks = STREAMS * CHUNKS_A_SECOND * SECONDS
                    line += f"   {cpu / chunks * 1e6:.1f} µs CPU a chunk   RSS {rss:.0f} MB"
                console.print(line + (f"   [red]{broken} broken[/red]" if broken else ""))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        os.killpg(upstream.pid, signal.SIGTERM)
        upstream.wait(10)
