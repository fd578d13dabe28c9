"""docs/metrics.md names every metric and label that there is."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gaugeway.core.analytics import Figures, Total
from gaugeway.core.model import Outcome
from gaugeway.management.exposition import BOUNDS_MS, MAX_LABELLED, OTHER, Reading, expose

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
ROWS = dict(re.findall(r"^\| `(gaugeway_\w+)` \| (.*?) \|", PAGE, re.MULTILINE))


def test_every_metric_stands_there_with_its_labels() -> None:
    figures = Figures()
    figures.outcomes[Outcome.SUCCESS] = 1
    reading = Reading(
        totals=[Total("main", "openai", figures)],
        logs_refused={"main": 0},
        evaluations={"main": 0},
        logs_lost=0,
        behind=False,
        flush_seconds=0.0,
    )
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(expose(reading).decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels}
    written = {name: set(re.findall(r"`(\w+)`", labels)) - {"in", "out"} for name, labels in ROWS.items()}
    assert written == found


def test_the_bounds_are_true() -> None:
    first = ", ".join(str(bound / 1000) for bound in BOUNDS_MS[:4])
    assert f"({first} … {BOUNDS_MS[-1] / 1000} seconds)" in PAGE
    assert f"At most {MAX_LABELLED} pairs" in PAGE
    assert f"`{OTHER}`" in PAGE
