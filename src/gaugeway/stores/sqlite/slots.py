"""Numbers in a memory-mapped file, which all processes of a data folder see at once."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from gaugeway.core.errors import StoreUnusable

_WIDTH = 8


def map_numbers(path: Path, count: int) -> tuple[mmap.mmap, memoryview]:
    """The file, and so many numbers in it: 0 where it is new. Raises StoreUnusable."""
    size = count * _WIDTH
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            there = os.fstat(file).st_size
            if there < size:  # written, not merely extended: a full disk shows here, not at use
                os.pwrite(file, bytes(size - there), there)
            mapped = mmap.mmap(file, size)
        finally:
            os.close(file)
    except OSError as problem:
        raise StoreUnusable(
            f"{path}: cannot be used ({problem.strerror}). Check that the data folder belongs to this user."
        ) from problem
    return mapped, memoryview(mapped).cast("Q")
