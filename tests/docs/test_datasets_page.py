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
