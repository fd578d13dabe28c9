"""The machine's wall clock, behind the port `core.ports.Clock`."""

from __future__ import annotations

import time


class SystemClock:
    """Wall-clock time."""

    def now_ms(self) -> int:
        """Unix time in ms."""
        return time.time_ns() // 1_000_000

    def now_ns(self) -> int:
        """Unix time in ns, for identifiers whose order is that of time."""
        return time.time_ns()


CLOCK = SystemClock()
