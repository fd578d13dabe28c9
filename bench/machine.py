"""Cores, processes and what they cost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

GATEWAY_CORE = 0
LOAD_CORE = 1
_TICKS = os.sysconf("SC_CLK_TCK")


def start_pinned(core: int, command: Sequence[str], env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a command (and what it starts) on one core, in a session of its own."""
    return subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def tree(root: int, also: str = "") -> list[int]:
    """A process and its descendants, and others whose command line contains `also`."""
    parents: dict[int, int] = {}
    extra: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if also and also in (entry / "environ").read_bytes().decode("latin-1"):
                extra.append(int(entry.name))
        except (OSError, IndexError):
            continue
    found = {root, *extra}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time that the processes have used."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def memory_mb(pids: Sequence[int]) -> tuple[float, float]:
    """Resident and proportional set size of the processes together, MB."""
    rss = pss = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    rss += int(line.split()[1])
                elif line.startswith("Pss:"):
                    pss += int(line.split()[1])
        except OSError:
            continue
    return rss / 1024, pss / 1024
