"""Waiting for what a server works on, with its progress shown on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec import Struct

from gaugeway.cli.output import console

FIRST_POLL_SECONDS = 0.05
POLL_SECONDS = 1.0
"""Between two looks: soon at first, then ever more seldom, up to this."""


class SoFar(Struct, frozen=True):
    """How far it is; `total` is None where that is not known."""

    description: str
    done: int
    total: int | None


def wait_for_end(
    told: dict[str, Any],
    look: Callable[[], dict[str, Any]],
    so_far: Callable[[dict[str, Any]], SoFar],
    timeout: float = inf,
    has_ended: Callable[[dict[str, Any]], bool] = lambda told: told["processed"],
) -> dict[str, Any]:
    """What `look` tells once that has ended; `told` is what was told last. TimeoutError after so many seconds."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    deadline = time.monotonic() + timeout
    target = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=target, transient=True, disable=not target.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        pause = FIRST_POLL_SECONDS
        while not has_ended(told):
            now = so_far(told)
            progress.update(task, completed=now.done, total=now.total, description=now.description)
            if time.monotonic() > deadline:
                raise TimeoutError(f"it has not ended after {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_SECONDS)
            told = look()
    return told
