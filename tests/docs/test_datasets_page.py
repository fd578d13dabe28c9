"""docs/datasets.md names every key and operator, and its example is accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gaugeway.core.model import RawFilter
from gaugeway.core.query import (
    DATASET_KEYS,
    DATASET_OPERATORS,
    MAX_DEPTH,
    MAX_FILTERS,
    MAX_TEXTS,
    MAX_VALUES,
    parse_all,
)
from gaugeway.core.snapshots import MAX_ITEMS
from gaugeway.evaluation.parquet import unpacking, writing
from gaugeway.evaluation.parquet.columns import COLUMNS, REQUIRED
from gaugeway.management import intake, snapshot_exchange
from gaugeway.management.filters import read_query
from gaugeway.stores.sqlite.logs import SEARCH_LIMITS

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()


@pytest.mark.parametrize("name", [*DATASET_KEYS, *DATASET_OPERATORS, "metadata.NAME"])
def test_every_key_and_operator_is_explained(name: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert any(f"`{name}`" in row.split("|")[1] for row in rows)


def test_the_example_is_accepted() -> None:
    found = re.search(r"-d '(\{.*?\})'", PAGE, re.DOTALL)
    assert found is not None
    raw = [RawFilter(**item) for item in json.loads(found[1])["filters"]]
    assert len(parse_all(raw, (), for_dataset=True)) == 3


def test_the_bounds_are_true() -> None:
    assert f"At most {MAX_FILTERS} filters of {MAX_VALUES} values" in PAGE
    assert f"up to {MAX_DEPTH} deep" in PAGE
    assert f"up to {MAX_TEXTS} texts" in PAGE
    assert f"at most {SEARCH_LIMITS.bodies} bodies or {SEARCH_LIMITS.bytes >> 20} MiB" in PAGE


def test_the_examples_of_groups_and_texts_are_accepted() -> None:
    before_snapshots = PAGE.split("# Snapshots")[0]
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", before_snapshots, re.DOTALL)]
    examples += [
        [json.loads(text)]
        for text in re.findall(r"^\| `(\{\"(?:key|none_of)\": .*?\})` \|", before_snapshots, re.MULTILINE)
        if "[...]" not in text
    ]
    assert len(examples) == 5
    for example in examples:
        assert read_query([("filters", json.dumps(example))])
        assert parse_all(read_query([("filters", json.dumps(example))]), (), for_dataset=True)


def test_every_column_of_a_parquet_file_is_told_with_the_bounds() -> None:
    part = PAGE.split("### Parquet")[1]
    told = [
        name for row in re.findall(r"^\| (`.*?) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(told) == sorted(COLUMNS)
    assert f"left out but for `{REQUIRED[0]}`\nand `{REQUIRED[1]}`" in part
    assert f"at most {writing.GROUP_ROWS} rows and some {writing.GROUP_BYTES >> 20} MiB" in part
    unpacked = snapshot_exchange.MAX_UNPACKED >> 20
    assert f"up to {intake.MAX_FILE_BODY >> 20} MiB, {unpacked} MiB unpacked and {MAX_ITEMS} rows" in part
    assert unpacking.MAX_TEXT < intake.MAX_FILE_BODY


def test_the_example_of_a_parquet_file_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.split("### Parquet")[1], re.DOTALL)
    assert found is not None
    assert len(found[1].replace("\n\n", "\n").splitlines()) == 3
    known = {"log_id": "019ab000-0000-7000-8000-000000000001", "hash": ""}
    lines = [{**known, "content": {"model": "m", "cost": "0.1", "duration": number}} for number in range(3)]
    lines.append({**known, "erased": True})
    (tmp_path / "items.parquet").write_bytes(b"".join(writing.write(lines, {})))
    monkeypatch.chdir(tmp_path)
    exec(compile(found[1], "docs/datasets.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "'cost_sum': Decimal('0.300000000000000000'), 'duration_mean': 1.0" in printed
