"""One process at a time: tests run in several, and installing or building something is for one of them."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Wait until no other process of this environment is about the same thing; the kernel lets go for the dead."""
    with (Path(sys.prefix) / f".{what}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
