"""Streams: how much later a chunk arrives through the gateway, and what a chunk costs."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from time import sleep

from rich.console import Console

from bench.client import percentile, request_bytes
from bench.gateway import CHAT_PATH, HEADERS, PORT, running_gateway
from bench.machine import LOAD_CORE, cpu_seconds, start_pinned
from bench.stream_readers import Read, Readers

SSE_PORT = 18083
STREAMS = 256
WATCHED = 16
CHUNKS_A_SECOND = 100
SECONDS = 8
RAMP_S = 0.5
"""In which they begin, not all at the same moment of a chunk's 10 ms."""


def read_streams(port: int, path: str, streams: int, watched: int, chunks: int, pause: float, ramp: float) -> Read:
    """What some streams of `chunks` each are like at a port, `watched` of them timed."""
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "chunks": chunks, "pause": pause}).encode()
    return Readers(port, request_bytes(path, HEADERS, body)).read(streams, watched, ramp)


def measure(console: Console, folder: Path) -> None:
    """Print first-byte overhead, lateness and CPU a chunk."""
    upstream = start_pinned(LOAD_CORE, [sys.executable, "-m", "bench.sse_upstream", str(SSE_PORT)])
    sleep(1)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        with running_gateway(folder / "data", f"http://127.0.0.1:{SSE_PORT}") as gateway:
            read_streams(PORT, CHAT_PATH, 20, 20, 5, 0.01, 0.1)
            firsts = [
                percentile(read_streams(port, path, 200, 200, 2, 0.01, 2.0).firsts, 0.5)
                for port, path in ((SSE_PORT, "/"), (PORT, CHAT_PATH))
            ]
            later = firsts[1] - firsts[0]
            console.print(f"First byte of a stream: +{later * 1e3:.2f} ms over the upstream's (p50)")
            for name, port, path in (("direct", SSE_PORT, "/"), ("gateway", PORT, CHAT_PATH)):
                before = cpu_seconds(gateway.pids)
                chunks = CHUNKS_A_SECOND * SECONDS
                found = read_streams(port, path, STREAMS, WATCHED, chunks, 1 / CHUNKS_A_SECOND, RAMP_S)
                used = cpu_seconds(gateway.pids) - before
                p50, p99 = percentile(found.delays, 0.5) * 1e3, percentile(found.delays, 0.99) * 1e3
                line = f"  {STREAMS} streams, {name:8} lateness p50 {p50:.2f} ms   p99 {p99:.2f} ms"
                if name == "gateway":
                    line += f"   {used / (STREAMS * chunks) * 1e6:.1f} µs CPU a chunk"
                broken = STREAMS - found.whole
                console.print(line + (f"   [red]{broken} broken[/red]" if broken else ""))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        os.killpg(upstream.pid, signal.SIGTERM)
        upstream.wait(10)
