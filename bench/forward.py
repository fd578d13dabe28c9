"""JSON completions as fast as they go, against nginx as a plain reverse proxy."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.gateway import CHAT, CHAT_PATH, HEADERS, UNIVERSAL, UNIVERSAL_PATH, count_logs, running_gateway
from bench.machine import LOAD_CORE, cpu_seconds
from bench.nginx import running_proxy, running_upstream

CONCURRENCIES = (1, 16, 64, 256)
FALLBACK_CLIENTS = 64
SECONDS = 5
ROUNDS = 2


def _script(folder: Path, name: str = "chat", body: bytes = CHAT) -> Path:
    lines = ['wrk.method = "POST"', f"wrk.body = [==[{body.decode()}]==]"]
    lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items()]
    path = folder / f"{name}.lua"
    path.write_text("\n".join(lines))
    return path


def load(script: Path, url: str, concurrency: int, seconds: float, pids: Sequence[int]) -> tuple[float, float, int]:
    """Requests/s, CPU µs a request, and answers that were no 2xx."""
    before = cpu_seconds(pids)
    began = time.monotonic()
    command = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        "wrk",
        "-t1",
        f"-c{concurrency}",
        f"-d{seconds}s",
        "-s",
        str(script),
    ]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    took = time.monotonic() - began
    used = cpu_seconds(pids) - before
    found = re.search(r"(\d+) requests in", out)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    requests = int(found.group(1)) if found else 0
    return requests / took, used / max(requests, 1) * 1e6, int(bad.group(1)) if bad else 0


def measure(console: Console, folder: Path) -> None:
    """Print a row per concurrency; checks that every request became a log."""
    script = _script(folder)
    table = Table(title="JSON completions, one core, every log written with its bodies", title_justify="left")
    for heading in ("clients", "nginx req/s", "gateway req/s", "ratio", "nginx µs", "gateway µs", "CPU ratio"):
        table.add_column(heading, justify="right")
    answered = 0
    with running_upstream(folder) as upstream, running_gateway(folder / "data", upstream) as gateway:
        load(script, gateway.url + CHAT_PATH, 16, 2, gateway.pids)  # warm: dictionary, pools, code caches
        answered_before = count_logs(gateway.url)
        for concurrency in CONCURRENCIES:
            ours: list[tuple[float, float, int]] = []
            theirs: list[tuple[float, float, int]] = []
            for _ in range(ROUNDS):
                with running_proxy(folder) as (url, pid):
                    theirs.append(load(script, url + "/v1/chat/completions", concurrency, SECONDS, [pid]))
                counted = count_logs(gateway.url)
                ours.append(load(script, gateway.url + CHAT_PATH, concurrency, SECONDS, gateway.pids))
                answered += count_logs(gateway.url) - counted
            bad = sum(row[2] for row in ours)
            if bad:
                console.print(f"[red]{bad} answers of the gateway were no 2xx[/red]")
            ours_best, theirs_best = max(ours), max(theirs)
            table.add_row(
                str(concurrency),
                f"{theirs_best[0]:,.0f}",
                f"{ours_best[0]:,.0f}",
                f"{ours_best[0] / theirs_best[0]:.3f}",
                f"{theirs_best[1]:.1f}",
                f"{ours_best[1]:.1f}",
                f"{theirs_best[1] / ours_best[1]:.3f}",
            )
        logs = count_logs(gateway.url) - answered_before
        universal = _script(folder, "universal", UNIVERSAL)
        best = max(
            load(universal, gateway.url + UNIVERSAL_PATH, FALLBACK_CLIENTS, SECONDS, gateway.pids)
            for _ in range(ROUNDS)
        )
    console.print(table)
    bad = f"; {best[2]:,} answers were no 2xx" if best[2] else ""
    console.print(
        f"A universal request that falls back once, {FALLBACK_CLIENTS} clients:"
        f" {best[0]:,.0f} req/s, {best[1]:.1f} µs of CPU a request{bad}"
    )
    console.print(f"{logs:,} logs written; RSS and the rest: `memory`")
