"""The recorder asks for long turns and keeps its policy and priority."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sched_setattr is Linux's")

ASK = """
import ctypes, os
from gaugeway.recorder.yielding import _ATTRIBUTES, _SET, TURN_NS, take_long_turns
os.nice(3)
asked = take_long_turns()
found = ctypes.create_string_buffer(_ATTRIBUTES.size)
got = ctypes.CDLL(None).syscall(_SET[os.uname().machine] + 1, 0, found, _ATTRIBUTES.size, 0)
_, policy, _, nice, _, turn, _, _ = _ATTRIBUTES.unpack(found.raw)
print(asked, got, policy == os.SCHED_OTHER, nice, turn in (0, TURN_NS))
"""
"""`sched_getattr` follows `sched_setattr` in every table of system calls; a kernel before 6.12 tells no turn."""


def test_it_asks_for_long_turns_and_nothing_else_changes() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["True", "0", "True", "3", "True"]
