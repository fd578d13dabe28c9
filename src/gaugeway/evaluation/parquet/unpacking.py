"""Rows of a Parquet file as lines. For the process beside (child.py): a hostile file takes what memory it likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, BinaryIO

from gaugeway.core.errors import BadInput
from gaugeway.core.snapshots import MAX_ITEMS
from gaugeway.evaluation.parquet.columns import COLUMNS, REQUIRED, Kind, Line, Row, line_of
from gaugeway.evaluation.parquet.writing import schema_of

BATCH_ROWS = 64
BATCH_BYTES = 16 * 1024 * 1024
"""Of rows that are unpacked at once, as far as the footer can be believed; one row may be more."""
MAX_GROUPS = 10_000
MAX_FOOTER_PARTS = 500_000
"""Elements of one list in a footer."""
MAX_TEXT = 16 * 1024 * 1024
"""Bytes of one text."""


def lines_of(source: BinaryIO) -> Iterator[list[Line]]:
    """The file's lines, some at a time; BadInput that says what is wrong with it."""
    arrow: Any = import_module("pyarrow")
    try:
        yield from _lines(arrow, source)
    except MemoryError as problem:
        raise BadInput("It needs more memory than a file may when it is unpacked") from problem
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as problem:
        told = " ".join(str(problem).split())[:300]
        raise BadInput(f"It cannot be read as a Parquet file: {told}") from problem


def _lines(arrow: Any, source: BinaryIO) -> Iterator[list[Line]]:
    parquet: Any = import_module("pyarrow.parquet")
    file = parquet.ParquetFile(
        source,
        buffer_size=1024 * 1024,
        pre_buffer=False,
        thrift_string_size_limit=MAX_TEXT,
        thrift_container_size_limit=MAX_FOOTER_PARTS,
    )
    _check_size(file.metadata)
    schema = file.schema_arrow
    _check_columns(arrow, schema)
    wanted, number = schema_of(arrow, schema.names), 0
    for batch in _batches(file):
        columns = {
            field.name: _cast(arrow, batch.column(at), field, number).to_pylist()
            for at, field in enumerate(wanted)
            if COLUMNS[field.name] is not Kind.TIME
        }
        yield [_line(columns, at, number + at) for at in range(batch.num_rows)]
        number += batch.num_rows


def _batches(file: Any) -> Iterator[Any]:
    """The rows of each group, fewer at once where they are large."""
    for at in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(at)
        rows = BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1)
        yield from file.iter_batches(batch_size=max(1, min(rows, BATCH_ROWS)), row_groups=[at], use_threads=False)


def _check_size(metadata: Any) -> None:
    if metadata.num_rows > MAX_ITEMS:
        raise BadInput(f"It has {metadata.num_rows} rows, and a snapshot has at most {MAX_ITEMS} items")
    if metadata.num_row_groups > MAX_GROUPS:
        raise BadInput(f"It has {metadata.num_row_groups} row groups; at most {MAX_GROUPS} are read")


def _check_columns(arrow: Any, schema: Any) -> None:
    names: Sequence[str] = schema.names
    for at, name in enumerate(names):
        if name not in COLUMNS:
            raise BadInput(f"There is no such column as {name[:80]!r}; an export shows those that there are")
        if name in names[:at]:
            raise BadInput("It is there twice", (name,))
        if not _is_of(arrow.types, schema.field(at).type, COLUMNS[name]):
            raise BadInput(f"Expected {COLUMNS[name]}, and it is {str(schema.field(at).type)[:80]}", (name,))
    for name in REQUIRED:
        if name not in names:
            raise BadInput("This column is missing", (name,))


def _is_of(types: Any, found: Any, kind: Kind) -> bool:
    """Whether such a column can be taken as one of the kind without a change of its values."""
    if types.is_null(found):
        return True
    whole, floating = types.is_integer(found), types.is_floating(found)
    match kind:
        case Kind.TEXT:
            inner = found.value_type if types.is_dictionary(found) else found
            return types.is_string(inner) or types.is_large_string(inner)
        case Kind.BYTES:
            return types.is_binary(found) or types.is_large_binary(found)
        case Kind.COUNT | Kind.SMALL | Kind.NUMBER:
            return whole or floating
        case Kind.MONEY:
            return whole or types.is_decimal(found)
        case Kind.FLAG:
            return types.is_boolean(found)
        case Kind.TIME:
            return types.is_timestamp(found)


def _cast(arrow: Any, column: Any, field: Any, number: int) -> Any:
    if arrow.types.is_decimal(column.type):  # any number of digits: what it holds is checked as an amount
        return column
    try:
        return column.cast(field.type, safe=True)
    except arrow.ArrowInvalid as problem:
        told = f"A value of the rows from {number} on is not {COLUMNS[field.name]}: {str(problem)[:200]}"
        raise BadInput(told, (field.name,)) from problem


def _line(columns: dict[str, list[Any]], at: int, number: int) -> Line:
    try:
        row = {name: values[at] for name, values in columns.items()}
        _check_lengths(row)
        return line_of(row)
    except BadInput as problem:
        raise BadInput(problem.message, ("rows", number, *problem.path)) from problem


def _check_lengths(row: Row) -> None:
    for name, value in row.items():
        if isinstance(value, str | bytes) and len(value) > MAX_TEXT:
            raise BadInput(f"It is longer than {MAX_TEXT} bytes", (name,))
