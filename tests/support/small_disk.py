"""A real file system that is soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of that size in a new folder; skips the test where none may be mounted."""
    place = folder / "small-disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill it")
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "gaugeway-test", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounting.returncode:
        pytest.skip(f"a small file system to fill cannot be mounted here: {mounting.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def free_bytes(place: Path) -> int:
    """What can still be written."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
