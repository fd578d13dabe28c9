"""Streams: how much later a chunk arrives through the gateway, and what a chunk costs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from time import perf_counter, sleep

import uvloop
from rich.console import Console

from bench.client import connect, percentile, request_bytes
from bench.gateway import CHAT_PATH, HEADERS, PORT, running_gateway
from bench.machine import LOAD_CORE, cpu_seconds, start_pinned

SSE_PORT = 18083
STREAMS = 256
CHUNKS_A_SECOND = 100
SECONDS = 8
_STAMP = re.compile(rb'"t":([0-9.]+)')


async def one_stream(port: int, request: bytes, delays: list[float], firsts: list[float]) -> None:
    """Read one stream; each chunk's delay since the upstream wrote it, by the one clock of the machine."""
    connection = await connect(port)
    connection.writer.write(request)
    first = True
    while True:
        piece = await connection.reader.read(65536)
        now = perf_counter()
        for stamp in _STAMP.findall(piece):
            delay = now - float(stamp)
            (firsts if first else delays).append(delay)
            first = False
        if not piece or piece.endswith(b"0\r\n\r\n"):
            break
    connection.writer.close()


async def _many(port: int, path: str, streams: int, chunks: int, pause: float) -> tuple[list[float], list[float]]:
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "chunks": chunks, "pause": pause}).encode()
    request = request_bytes(path, HEADERS, body)
    delays: list[float] = []
    firsts: list[float] = []
    tasks = []
    for _ in range(streams):
        tasks.append(asyncio.create_task(one_stream(port, request, delays, firsts)))
        await asyncio.sleep(1 / CHUNKS_A_SECOND / streams * 7)  # not all at the same moment
    await asyncio.gather(*tasks)
    return delays, firsts


def measure(console: Console, folder: Path) -> None:
    """Print first-byte overhead, lateness and CPU a chunk."""
    upstream = start_pinned(LOAD_CORE, [sys.executable, "-m", "bench.sse_upstream", str(SSE_PORT)])
    sleep(1)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        with running_gateway(folder / "data", f"http://127.0.0.1:{SSE_PORT}") as gateway:
            uvloop.run(_many(PORT, CHAT_PATH, 20, 5, 0.01))
            _, direct = uvloop.run(_many(SSE_PORT, "/", 200, 2, 0.01))
            _, ours = uvloop.run(_many(PORT, CHAT_PATH, 200, 2, 0.01))
            later = percentile(ours, 0.5) - percentile(direct, 0.5)
            console.print(f"First byte of a stream: +{later * 1e3:.2f} ms over the upstream's (p50)")
            for name, port, path in (("direct", SSE_PORT, "/"), ("gateway", PORT, CHAT_PATH)):
                before = cpu_seconds(gateway.pids)
                chunks = CHUNKS_A_SECOND * SECONDS
                delays, _ = uvloop.run(_many(port, path, STREAMS, chunks, 1 / CHUNKS_A_SECOND))
                used = cpu_seconds(gateway.pids) - before
                p50, p99 = percentile(delays, 0.5) * 1e3, percentile(delays, 0.99) * 1e3
                cost = f"   {used / len(delays) * 1e6:.1f} µs CPU a chunk" if name == "gateway" else ""
                console.print(f"  {STREAMS} streams, {name:8} lateness p50 {p50:.2f} ms   p99 {p99:.2f} ms{cost}")
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        os.killpg(upstream.pid, signal.SIGTERM)
        upstream.wait(10)
