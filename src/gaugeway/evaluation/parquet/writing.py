"""Writes lines into a Parquet file, row group by row group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from io import BytesIO
from typing import Any

from gaugeway.evaluation.parquet.columns import COLUMNS, MONEY_DIGITS, MONEY_SCALE, Kind, Line, Row, row_of

GROUP_ROWS = 1000
GROUP_BYTES = 8 * 1024 * 1024
"""Of texts and bytes in a row group; one row more than that may be in it."""


def schema_of(arrow: Any, names: Iterable[str] = COLUMNS) -> Any:
    """The columns of those names, as Arrow's schema."""
    types = {
        Kind.TEXT: arrow.string(),
        Kind.BYTES: arrow.binary(),
        Kind.COUNT: arrow.int64(),
        Kind.SMALL: arrow.int8(),
        Kind.NUMBER: arrow.float64(),
        Kind.MONEY: arrow.decimal128(MONEY_DIGITS, MONEY_SCALE),
        Kind.FLAG: arrow.bool_(),
        Kind.TIME: arrow.timestamp("ms", tz="UTC"),
    }
    return arrow.schema([(name, types[COLUMNS[name]]) for name in names])


def write(lines: Iterable[Line], notes: Mapping[str, str]) -> Iterator[bytes]:
    """The file in pieces. Its footer comes last: one that was cut cannot be read, and is not taken for whole."""
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    schema = schema_of(arrow)
    buffer = BytesIO()
    sink = _Draining(buffer)
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        rows: list[Row] = []
        size = 0
        for line in lines:
            rows.append(row_of(line))
            size += sum(len(value) for value in rows[-1].values() if isinstance(value, str | bytes))
            if len(rows) == GROUP_ROWS or size > GROUP_BYTES:
                writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
                rows, size = [], 0
                yield sink.drain()
        if rows:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
        writer.add_key_value_metadata(dict(notes))
    yield sink.drain()


class _Draining:
    """A file that is only ever written at its end, and given away meanwhile."""

    closed = False

    def __init__(self, buffer: BytesIO) -> None:
        self._buffer = buffer
        self._given = 0

    def write(self, data: Any) -> int:
        return self._buffer.write(data)

    def tell(self) -> int:
        return self._given + self._buffer.tell()

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def drain(self) -> bytes:
        """What was written since the last time."""
        found = self._buffer.getvalue()
        self._given += len(found)
        self._buffer.seek(0)
        self._buffer.truncate()
        return found
