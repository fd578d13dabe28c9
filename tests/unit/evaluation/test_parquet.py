"""Parquet files: every line comes back as it was, other tools read them, and hostile ones are refused."""

from __future__ import annotations

import io
import json
import struct
import sys
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core import ids
from gaugeway.core.errors import BadInput
from gaugeway.core.model import Outcome, Scope
from gaugeway.core.snapshot_hashes import content, item_hash
from gaugeway.core.snapshots import SnapshotItem
from gaugeway.evaluation.interchange import Lines
from gaugeway.evaluation.parquet import writing
from gaugeway.evaluation.parquet.columns import COLUMNS, CONTENT, Kind
from gaugeway.evaluation.parquet.files import MEMORY_BYTES, ArrowFiles
from gaugeway.evaluation.parquet.unpacking import lines_of

SCOPE = Scope("a" * 32, "snapshot/x")
LITTLE = 200 << 20
LOG_ID = "019ab000-0000-7000-8000-000000000001"


def line(said: dict[str, Any], expected: str | None = None) -> dict[str, Any]:
    """The line of an export of an item with this content."""
    log_id = ids.from_text(LOG_ID)
    assert log_id is not None
    read = Lines().read("plain", {"content": said, "expected": expected}, SCOPE, log_id)
    assert read is not None
    item = SnapshotItem(log_id=log_id, hash=item_hash(content(read.record, read.bodies)), expected=read.expected)
    shown = Lines().line("plain", item, read.record, read.bodies)
    assert isinstance(shown, dict)
    return shown


def file_of(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(writing.write(lines, {"gaugeway": "1"}))


def back(data: bytes) -> list[dict[str, Any]]:
    return [one for batch in lines_of(io.BytesIO(data)) for one in batch]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
COUNT = st.integers(0, (1 << 53) - 1)
MONEY = st.decimals(0, 999_999, places=9).map(str) | st.sampled_from(
    (
        "0.0000000000000000001",
        "1e-25",
        "7",
        "0",
        "1.0000000000000000000000000000001234",
        "999999.123456789012345678",
    )
)
BODY = TEXT | st.binary(max_size=6).map(lambda raw: {"base64": b64encode(raw).decode()})
VALUE = TEXT | st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.floats(allow_nan=False, allow_infinity=False)
OF_KIND = {
    Kind.TEXT: TEXT,
    Kind.COUNT: COUNT,
    Kind.SMALL: st.sampled_from((-1, 1)),
    Kind.NUMBER: st.floats(0, 100),
    Kind.MONEY: MONEY,
    Kind.FLAG: st.booleans(),
}
FIELDS: dict[str, Any] = {name: OF_KIND[kind] for name, kind in CONTENT.items()} | {
    "outcome": st.sampled_from([one.value for one in Outcome]),
    "metadata": st.dictionaries(TEXT, VALUE, max_size=3),
    "request": BODY,
    "response": BODY,
}
SAID = st.fixed_dictionaries({}, optional=FIELDS)


@given(st.lists(st.tuples(SAID, st.none() | TEXT), max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_line_comes_back_as_json_lines_have_it(items: list[tuple[dict[str, Any], str | None]]) -> None:
    lines = [line(said, expected) for said, expected in items]
    lines += [{"log_id": LOG_ID, "hash": "0" * 64, "erased": True}]
    assert json.dumps(back(file_of(lines)), sort_keys=True) == json.dumps(lines, sort_keys=True)


def test_row_groups_are_bounded_and_all_of_them_are_read_by_the_process_beside(tmp_path: Path) -> None:
    lines = [line({"request": str(number), "cost": f"0.{number:06}"}) for number in range(writing.GROUP_ROWS)]
    large = "x" * (writing.GROUP_BYTES // 2 + 1)
    lines += [line({"request": large + str(number)}) for number in range(3)]
    path = tmp_path / "items.parquet"
    path.write_bytes(file_of(lines))
    metadata = pq.ParquetFile(path).metadata
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [writing.GROUP_ROWS, 2, 1]
    with path.open("rb") as source:
        assert [one for batch in ArrowFiles().read(source) for one in batch] == lines


def test_it_is_written_while_the_lines_come() -> None:
    given: list[int] = []

    def lines() -> Iterator[dict[str, Any]]:
        for number in range(2 * writing.GROUP_ROWS):
            given.append(number)
            yield line({"request": str(number)})

    pieces = writing.write(lines(), {})
    assert next(pieces)
    assert len(given) == writing.GROUP_ROWS


def test_other_tools_find_typed_columns() -> None:
    said = {"cost": "0.000000000015", "tokens_in": 7, "metadata": {"team": "blue"}, "request": "hi"}
    table = pq.read_table(io.BytesIO(file_of([line(said), line({"cost": "1e-25", "request": {"base64": "/w=="}})])))
    assert table.schema.names == list(COLUMNS)
    assert table.schema.field("cost").type == pa.decimal128(38, 18)
    assert table.schema.field("created_at").type == pa.timestamp("ms", tz="UTC")
    first, second = table.to_pylist()
    assert first["cost"] == Decimal("0.000000000015")
    assert first["created_at"].timestamp() * 1000 == ids.time_ms(ids.from_text(LOG_ID) or b"")
    assert json.loads(first["metadata"]) == {"team": "blue"}
    assert (second["cost"], json.loads(second["exact"])) == (None, {"cost": "0." + "0" * 24 + "1"})
    assert (second["request"], second["request_bytes"]) == (None, b"\xff")


def made(**columns: Any) -> bytes:
    """A file of these columns, beside the required ones."""
    rows = max((len(column) for column in columns.values()), default=1)
    usual = {name: pa.array(["x"] * rows) for name in ("provider", "request") if name not in columns}
    buffer = io.BytesIO()
    pq.write_table(pa.table(usual | columns), buffer)
    return buffer.getvalue()


def test_what_other_tools_write_is_taken_where_no_value_changes() -> None:
    data = made(
        request=pa.array(["a", "b"]).dictionary_encode(),
        model=pa.array(["m", None], pa.large_string()),
        duration=pa.array([100.0, None]),
        tokens_in=pa.array([1, 2], pa.uint8()),
        cost=pa.array([Decimal("0.25"), Decimal(3)], pa.decimal256(50, 2)),
        cost_saved=pa.array([1, None], pa.int32()),
        error=pa.nulls(2),
    )
    first, second = back(data)
    assert first["content"] == {
        "provider": "x",
        "request": "a",
        "model": "m",
        "duration": 100,
        "tokens_in": 1,
        "cost": "0.25",
        "cost_saved": "1",
    }
    assert second["content"] == {"provider": "x", "request": "b", "tokens_in": 2, "cost": "3"}


NESTED = pa.array([[[["deep"]]]])
WRONG: list[tuple[bytes, str, list[Any]]] = [
    (b"", "cannot be read as a Parquet file", []),
    (b"PAR1 is not all of it PAR1", "cannot be read as a Parquet file", []),
    (file_of([line({"request": "x"})])[:-20], "cannot be read as a Parquet file", []),
    (made(other=pa.array([1])), "no such column as 'other'", []),
    (made(metadata=NESTED), "Expected text, and it is list", ["metadata"]),
    (made(metadata=pa.array([{"a": 1}])), "Expected text, and it is struct", ["metadata"]),
    (made(cost=pa.array([0.1])), "Expected an exact decimal, and it is double", ["cost"]),
    (made(duration=pa.array([0.5])), "is not a whole number", ["duration"]),
    (made(feedback=pa.array([1000])), "is not -1 or 1", ["feedback"]),
    (made(metadata=pa.array(["[1]"])), "Expected a JSON object", ["rows", 0, "metadata"]),
    (made(metadata=pa.array(["[" * 100_000])), "Expected a JSON object", ["rows", 0, "metadata"]),
    (made(request_bytes=pa.array([b"x"])), "has a value too", ["rows", 0, "request_bytes"]),
    (made(exact=pa.array(['{"model": "x"}'])), "more than amounts", ["rows", 0, "exact"]),
    (made(request=pa.array(["x" * (16 << 20) + "x"])), "longer than", ["rows", 0, "request"]),
    (made(request=pa.array(["x"] * 100_001)), "a snapshot has at most 100000 items", []),
]


@pytest.mark.parametrize(("data", "says", "path"), WRONG)
def test_files_that_are_something_else(data: bytes, says: str, path: list[Any]) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        back(data)
    assert list(caught.value.path) == path


def test_required_columns_are_missed() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"request": ["x"]}), buffer)
    with pytest.raises(BadInput, match="missing") as caught:
        back(buffer.getvalue())
    assert caught.value.path == ("provider",)


def test_more_row_groups_than_anybody_needs() -> None:
    buffer = io.BytesIO()
    table = pa.table({"provider": ["x"] * 10_001, "request": ["y"] * 10_001})
    pq.write_table(table, buffer, row_group_size=1, store_schema=False)
    with pytest.raises(BadInput, match="10001 row groups"):
        back(buffer.getvalue())


def read_beside(
    folder: Path, data: bytes, max_bytes: int | None = None, memory_bytes: int = MEMORY_BYTES
) -> list[dict[str, Any]]:
    path = folder / "some.parquet"
    path.write_bytes(data)
    with path.open("rb") as source:
        return [one for batch in ArrowFiles(memory_bytes=memory_bytes).read(source, max_bytes) for one in batch]


def test_a_text_repeated_by_a_dictionary_is_bounded_by_what_it_unpacks_to(tmp_path: Path) -> None:
    data = made(request=pa.DictionaryArray.from_arrays(pa.array([0] * 5000), pa.array(["y" * (1 << 20)])))
    assert len(data) < 1 << 21
    with pytest.raises(BadInput, match="more than 33554432 bytes when it is unpacked"):
        read_beside(tmp_path, data, 32 << 20)


def test_a_page_that_unpacks_to_more_than_there_may_be_ends_the_process_beside_and_nothing_else(
    tmp_path: Path,
) -> None:
    buffer = io.BytesIO()
    schema = pa.schema([("provider", pa.string()), ("request", pa.string())])
    with pq.ParquetWriter(
        buffer, schema, compression="zstd", use_dictionary=False, data_page_size=1 << 30
    ) as writer:
        texts = pa.array(["z" * (15 << 20)] * 12)  # 180 MiB in one page
        writer.write_table(pa.table({"provider": ["x"] * 12, "request": texts}, schema=schema))
    assert len(buffer.getvalue()) < 1 << 20
    with pytest.raises(BadInput, match=r"needs more memory|process that unpacked it ended"):
        read_beside(tmp_path, buffer.getvalue(), memory_bytes=LITTLE)
    assert read_beside(tmp_path, made(), memory_bytes=LITTLE)[0]["content"] == {"provider": "x", "request": "x"}


def test_a_file_whose_bytes_were_changed_is_refused_or_says_what_it_said(tmp_path: Path) -> None:
    data = file_of([line({"request": f"hello {number}", "cost": "1.5"}) for number in range(3)])
    length = struct.unpack("<I", data[-8:-4])[0]
    for place in range(len(data) - 8 - length, len(data) - 8, length // 3):
        spoilt = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        try:
            found = read_beside(tmp_path, spoilt)
        except BadInput:
            continue
        assert len(found) <= 3


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": 123456789012345678901234567890}'])
def test_a_row_that_no_item_can_be_is_told_by_the_process_beside(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="what no item can"):
        read_beside(tmp_path, made(metadata=pa.array([text])))


def test_without_its_library_it_says_what_to_install() -> None:
    files = ArrowFiles(installed=lambda: False)
    for attempt in (files.require, lambda: files.write([], {}), lambda: files.read(io.BytesIO())):
        with pytest.raises(BadInput, match=r"pip install 'gaugeway\[parquet\]'"):
            attempt()


def test_a_process_that_dies_is_no_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes(b"")
    dying = ArrowFiles(command=(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    with path.open("rb") as source, pytest.raises(BadInput, match="ended by SIGKILL"):
        list(dying.read(source))
