"""The recorder lets the server processes that share its core go first, without getting less of it.

A commit takes a few milliseconds, and a request that arrives on the same core meanwhile would wait for the end of
the recorder's turn. To be nice does not help: Linux (since 6.6) does not end a turn early for a task of higher
priority, but for one whose turns are shorter. So the recorder asks for long turns. Its share of the core stays what
it was.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

TURN_NS = 20_000_000
"""Several times the usual 0.7 to 3 ms."""
_SET = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
"""The number of sched_setattr by machine; Python has no name for it."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""See sched_setattr(2): size, policy, flags, nice, priority, runtime (here a turn's length), deadline, period."""


def take_long_turns() -> bool:
    """Whether the kernel was asked, for this thread and those that it starts. Before 6.12 it takes no notice."""
    number = _SET.get(os.uname().machine)
    if sys.platform != "linux" or number is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, TURN_NS, 0, 0)
    return ctypes.CDLL(None).syscall(number, 0, wanted, 0) == 0
