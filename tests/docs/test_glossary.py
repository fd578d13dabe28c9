"""docs/GLOSSARY.md names every public type of the records, and each word once."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from gaugeway.core import (
    aggregates,
    comparisons,
    evals,
    files,
    items,
    judging,
    metrics,
    model,
    monitors,
    notices,
    ports,
    query,
    replays,
    samples,
    sandbox,
    shadows,
    snapshots,
)
from gaugeway.core import annotations as annotation_words
from gaugeway.core.routes import records as routes

PAGE = (Path(__file__).parents[2] / "docs" / "GLOSSARY.md").read_text()
TERMS = [row[0] for line in PAGE.splitlines() if (row := re.findall(r"\| (.+?) \| .+ \|$", line))]
WORDS = [word.strip("`") for term in TERMS for word in term.split(", ")]
RECORDS = [name for name, kind in inspect.getmembers(model, inspect.isclass) if kind.__module__ == model.__name__]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_explained(name: str):
    assert name in WORDS


@pytest.mark.parametrize("name", re.findall(r"`([A-Z]\w+)`", PAGE))
def test_every_type_named_exists(name: str):
    assert any(
        hasattr(module, name)
        for module in (
            aggregates,
            annotation_words,
            comparisons,
            evals,
            files,
            items,
            judging,
            metrics,
            model,
            monitors,
            notices,
            ports,
            query,
            replays,
            routes,
            samples,
            sandbox,
            shadows,
            snapshots,
        )
    )


def test_each_word_is_explained_once():
    words = [word for word in WORDS if word != "word"]
    assert len(words) == len(set(words))
    assert len(words) > 60
