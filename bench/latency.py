"""What the gateway adds at a calm 200 requests a second."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter

import uvloop
from rich.console import Console

from bench.client import connect, percentile, request_bytes
from bench.gateway import CHAT, CHAT_PATH, HEADERS, PORT, running_gateway
from bench.nginx import PROXY_PORT, UPSTREAM_PORT, running_proxy, running_upstream

RATE = 200
SECONDS = 10
CONNECTIONS = 20


async def _paced(port: int, request: bytes) -> list[float]:
    """Latencies, in seconds, of requests sent at fixed moments over a few connections."""
    free: asyncio.Queue[object] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await connect(port))
    latencies: list[float] = []

    async def one() -> None:
        connection = await free.get()
        latencies.append(await connection.ask(request))  # type: ignore[attr-defined]
        free.put_nowait(connection)

    began = perf_counter()
    tasks: list[asyncio.Task[None]] = []
    for number in range(RATE * SECONDS):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - perf_counter()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return latencies[RATE:]  # the first second warms


def measure(console: Console, folder: Path) -> None:
    """Print p50 and p99 over the direct path, for nginx and for the gateway."""
    ours = request_bytes(CHAT_PATH, HEADERS, CHAT)
    plain = request_bytes("/v1/chat/completions", HEADERS, CHAT)
    found: dict[str, list[float]] = {"direct": [], "nginx": [], "gateway": []}
    with running_upstream(folder) as upstream, running_gateway(folder / "data", upstream), running_proxy(folder):
        for _ in range(2):
            found["direct"] += uvloop.run(_paced(UPSTREAM_PORT, plain))
            found["nginx"] += uvloop.run(_paced(PROXY_PORT, plain))
            found["gateway"] += uvloop.run(_paced(PORT, ours))
    base50, base99 = percentile(found["direct"], 0.5), percentile(found["direct"], 0.99)
    console.print(
        f"Latency added at {RATE} requests/s (direct: p50 {base50 * 1e3:.2f} ms, p99 {base99 * 1e3:.2f} ms)"
    )
    for name in ("nginx", "gateway"):
        p50, p99 = percentile(found[name], 0.5) - base50, percentile(found[name], 0.99) - base99
        console.print(f"  {name:8} p50 +{p50 * 1e3:.2f} ms   p99 +{p99 * 1e3:.2f} ms")
