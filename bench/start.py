"""From the command to the first answered request."""

from __future__ import annotations

import http.client
from pathlib import Path
from time import perf_counter, sleep

from rich.console import Console

from bench.gateway import CHAT, CHAT_PATH, HEADERS, PORT, running_gateway, start, stop
from bench.nginx import running_upstream


def measure(console: Console, folder: Path) -> None:
    """Print the time to the first answer, on a data folder that exists."""
    with running_upstream(folder) as upstream:
        with running_gateway(folder / "data", upstream):
            pass
        began = perf_counter()
        gateway = start(folder / "data", upstream)
        try:
            while not _answers():
                sleep(0.01)
            console.print(f"Cold start to the first answered request: {perf_counter() - began:.2f} s")
        finally:
            stop(gateway)


def _answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("POST", CHAT_PATH, CHAT, HEADERS)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
