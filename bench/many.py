"""Many slow streams at once, as chats have: whether the gateway keeps up on one core, and what memory it takes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from time import sleep

import uvloop
from rich.console import Console

from bench.client import percentile, request_bytes
from bench.gateway import CHAT_PATH, HEADERS, PORT, running_gateway
from bench.machine import LOAD_CORE, cpu_seconds, memory_mb, start_pinned
from bench.streams import SSE_PORT, one_stream

STREAMS = 2_000
CHUNKS_A_SECOND = 10
SECONDS = 20
RAMP_S = 4.0
"""In which they begin, one after another."""


async def _all(port: int, path: str, pids: list[int]) -> tuple[list[float], int, float, float]:
    """Delays of all chunks in the order in which they came, streams without a first chunk, CPU s, and RSS in MB."""
    chunks = CHUNKS_A_SECOND * SECONDS
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "chunks": chunks, "pause": 1 / CHUNKS_A_SECOND})
    request = request_bytes(path, HEADERS, body.encode())
    delays: list[float] = []
    firsts: list[float] = []
    before = cpu_seconds(pids)
    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(STREAMS):
        await asyncio.sleep(max(0.0, began + number * RAMP_S / STREAMS - loop.time()))
        tasks.append(asyncio.create_task(one_stream(port, request, delays, firsts)))
    await asyncio.sleep(SECONDS / 2)
    rss, _ = await asyncio.to_thread(memory_mb, pids)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = sum(isinstance(one, BaseException) for one in ended) + STREAMS - len(firsts)
    return delays, broken, cpu_seconds(pids) - before, rss


def measure(console: Console, folder: Path) -> None:
    """Print lateness, whether it grows from the first third to the last, and RSS of worker and recorder."""
    upstream = start_pinned(LOAD_CORE, [sys.executable, "-m", "bench.sse_upstream", str(SSE_PORT)])
    sleep(1)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        with running_gateway(folder / "data", f"http://127.0.0.1:{SSE_PORT}") as gateway:
            for name, port, path in (("direct", SSE_PORT, "/"), ("gateway", PORT, CHAT_PATH)):
                delays, broken, cpu, rss = uvloop.run(_all(port, path, gateway.pids))
                third = len(delays) // 3
                p50, p99 = percentile(delays, 0.5) * 1e3, percentile(delays, 0.99) * 1e3
                first, last = (percentile(part, 0.5) * 1e3 for part in (delays[:third], delays[-third:]))
                line = (
                    f"  {STREAMS:,} streams of {CHUNKS_A_SECOND} chunks/s, {name:8} lateness p50 {p50:.2f} ms"
                    f"   p99 {p99:.2f} ms   (p50 of the first third {first:.2f}, of the last {last:.2f})"
                )
                if name == "gateway":
                    line += f"   {cpu / len(delays) * 1e6:.1f} µs CPU a chunk   RSS {rss:.0f} MB"
                console.print(line + (f"   [red]{broken} broken[/red]" if broken else ""))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        os.killpg(upstream.pid, signal.SIGTERM)
        upstream.wait(10)
