"""Files of snapshots' items, as `gaugeway dataset` writes and reads them: JSON Lines and Parquet."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gaugeway.core.errors import BadInput, GaugewayError
from gaugeway.core.snapshot_hashes import item_hash, snapshot_hash
from gaugeway.core.snapshots import PARQUET
from gaugeway.evaluation.parquet.files import ArrowFiles

PIECE_ITEMS = 500
PIECE_BYTES = 4 * 1024 * 1024
MAX_LINE = 15 * 1024 * 1024

Item = dict[str, Any]
Piece = tuple[int, list[Item]]
"""Objects that one request takes, and the number of the first one's line or row."""


class DamagedExport(GaugewayError):
    """What the server sent is not what its hashes were computed of."""


@contextmanager
def new_file(name: str) -> Generator[BinaryIO]:
    """A file that is there only if all went well."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        opened = path.open("xb")
    except OSError as problem:
        raise BadInput(f"{name}: cannot be made: {problem.strerror}") from problem
    try:
        with opened:
            yield opened
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def old_file(name: str) -> Generator[BinaryIO]:
    """A file to read."""
    if name == "-":
        yield sys.stdin.buffer
        return
    path = Path(name)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise BadInput(f"{name}: is no file that can be read")
    with path.open("rb") as opened:
        yield opened


def check_form(form: str, file: str) -> None:
    """BadInput where the format cannot be had: without its library, or of a stream."""
    if form == PARQUET:
        ArrowFiles().require()
        if file == "-":
            raise BadInput("a Parquet file is read from its end on, so it needs a name instead of -")


def pieces(form: str, name: str, source: BinaryIO) -> Iterator[Piece]:
    """The objects of a file in pieces that one request takes; BadInput where it has none."""
    numbered = _short_rows(name, source) if form == PARQUET else _lines(name, source)
    start, size, items = 1, 0, list[Item]()
    for number, length, item in numbered:
        if items and (len(items) >= PIECE_ITEMS or size + length > PIECE_BYTES):
            yield start, items
            size, items = 0, []
        if not items:
            start = number
        items.append(item)
        size += length
    if not items:
        raise BadInput(f"{name}: there is no {'row' if form == PARQUET else 'line'} in it")
    yield start, items


def _lines(name: str, source: BinaryIO) -> Iterator[tuple[int, int, Item]]:
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE:
            raise BadInput(f"{name}: line {number} is longer than {MAX_LINE} bytes")
        try:
            yield number, len(line), msgspec.json.decode(line, type=Item)
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise BadInput(f"{name}: line {number} is no JSON object: {problem}") from problem


def _short_rows(name: str, source: BinaryIO) -> Iterator[tuple[int, int, Item]]:
    for number, item in enumerate(_rows(name, source), 1):
        length = len(msgspec.json.encode(item))
        if length > MAX_LINE:
            raise BadInput(f"{name}: the content of row {number} is longer than {MAX_LINE} bytes")
        yield number, length, item


def _rows(name: str, source: BinaryIO) -> Iterator[Item]:
    try:
        for batch in ArrowFiles().read(source):
            yield from batch
    except BadInput as problem:
        where = ".".join(map(str, problem.path))
        raise BadInput(f"{name}: {problem.message}" + (f" (at {where})" if where else "")) from problem


def checked_line(line: bytes) -> str:
    """The hash of a plain line, which must be that of its content."""
    return _checked(msgspec.json.decode(line, type=Item))


def checked_rows(file: str) -> list[str]:
    """The hashes of a Parquet file's rows, each of which must be that of its content."""
    with Path(file).open("rb") as source:
        return [_checked(item) for item in _rows(file, source)]


def check_hashes(hashes: Iterable[str], wanted: str) -> None:
    """DamagedExport where the items' hashes do not make the snapshot's."""
    if snapshot_hash(hashes) != wanted:
        raise DamagedExport(f"the items' hashes do not make the snapshot's hash {wanted}")


def _checked(item: Item) -> str:
    if not item.get("erased") and item_hash(item["content"]) != item["hash"]:
        raise DamagedExport(f"the item {item['log_id']} is not what its hash {item['hash']} was computed of")
    return item["hash"]
