"""Memory: idle, under load, and whether it stays flat."""

from __future__ import annotations

from pathlib import Path
from time import sleep

from rich.console import Console

from bench.forward import _script, load
from bench.gateway import CHAT_PATH, Gateway, running_gateway
from bench.machine import memory_mb
from bench.nginx import running_upstream


def measure(console: Console, folder: Path, requests: int) -> None:
    """Print resident and proportional memory of worker and recorder together."""
    script = _script(folder)
    with running_upstream(folder) as upstream, running_gateway(folder / "data", upstream) as gateway:
        sleep(2)
        _say(console, "idle", gateway)
        done = 0.0
        for mark in sorted({50_000, requests}):
            while done < mark:
                rate, _, _ = load(script, gateway.url + CHAT_PATH, 64, 5, gateway.pids)
                done += rate * 5
            _say(console, f"under load, after {done:,.0f} requests", gateway)
        sleep(5)
        _say(console, "five seconds later", gateway)


def _say(console: Console, when: str, gateway: Gateway) -> None:
    rss, pss = memory_mb(gateway.pids)
    console.print(f"Memory {when}: RSS {rss:.0f} MB, proportional {pss:.0f} MB")
