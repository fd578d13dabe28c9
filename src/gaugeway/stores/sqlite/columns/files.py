"""A segment's file: columns one after the other, and nothing else. Where each stands, logs.db knows.

A file is written once under a name of its own and never changed, so it may be mapped without looking again. What
stands in it is believed only where the checksum in logs.db agrees, once a process and column.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gaugeway.stores.sqlite.columns.segments import Part, Segment

Array = NDArray[Any]
ALIGNED = 64
UNFINISHED = ".new"

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Damaged(Exception):
    """A file cannot be read, or is not what was written (`is_wrong`)."""

    def __init__(self, path: Path, why: str, *, is_wrong: bool) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.is_wrong = is_wrong


def write(path: Path, columns: Mapping[str, Array | list[Any]]) -> tuple[dict[str, Part], int]:
    """Write a file at once or not at all; where its parts stand, and its size. OSError where it cannot be."""
    unfinished = path.with_name(path.name + UNFINISHED)
    parts: dict[str, Part] = {}
    offset = 0
    try:
        with _created(unfinished) as file:
            for name, column in columns.items():
                content, kind, largest = _content(column)
                parts[name] = Part(kind, offset, len(content), zlib.crc32(content), largest)
                offset += file.write(content + bytes(-len(content) % ALIGNED))
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return parts, offset


@contextmanager
def _created(path: Path) -> Generator[Any]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _content(column: Array | list[Any]) -> tuple[bytes, str, int]:
    """A column as bytes, its items' type, and what bounds them."""
    if isinstance(column, list):
        return _pack(column), "", 0
    largest = 0
    if column.dtype.kind in "iu" and len(column):
        largest = max(abs(int(column.min())), abs(int(column.max())))
    if len(column) > 1 and bool((column == column[0]).all()):
        column = column[:1]
    return column.tobytes(), column.dtype.str, largest


class Mapped:
    """A segment's file in memory, as far as the system keeps it there. Raises Damaged."""

    def __init__(self, folder: Path, segment: Segment) -> None:
        self.segment = segment
        path = folder / segment.file
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != segment.size:
                    raise Damaged(path, "is not as long as it was", is_wrong=True)
                self._bytes = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except (OSError, ValueError) as problem:
            raise Damaged(path, str(problem), is_wrong=False) from problem
        self._path = path
        self._known: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.segment.parts

    def largest(self, name: str) -> int:
        """No whole number in a column is further from 0."""
        return self.segment.parts[name].largest

    def column(self, name: str) -> Array:
        """One item a log."""
        found = self._known.get(name)
        if found is None:
            part = self.segment.parts[name]
            items = np.frombuffer(self._checked(name, part), part.kind)
            found = items if len(items) == self.segment.logs else np.broadcast_to(items, self.segment.logs)
            self._known[name] = found
        return found

    def packed(self, name: str) -> list[Any]:
        """What was written as a list."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = _unpack(self._checked(name, self.segment.parts[name]))
        return found

    def _checked(self, name: str, part: Part) -> memoryview:
        content = memoryview(self._bytes)[part.offset : part.offset + part.size]
        if len(content) != part.size or zlib.crc32(content) != part.checksum:
            raise Damaged(self._path, f"the column {name} is not what was written", is_wrong=True)
        return content
