"""docs/annotation.md: its example's figures are what its data give, and it names everything there is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaugeway.core.annotations import HOLD_MS, Annotation, AnnotationQueue, Calibration, Estimate, Measure
from gaugeway.evaluation.annotating.agreement import agreement_of
from gaugeway.evaluation.annotating.calibration import calibrate
from gaugeway.evaluation.statistics.krippendorff import MIN_ITEMS, RESAMPLES
from gaugeway.management import annotating, annotation_queues
from gaugeway.management.annotation_queues import GOOD_OR_BAD, QueueBody

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "annotation.md").read_text()
QUEUE = AnnotationQueue(
    account_id="",
    gateway_id="",
    id="",
    name="",
    instructions="",
    labels=GOOD_OR_BAD,
    positive=GOOD_OR_BAD[-1:],
    measure=Measure.NOMINAL,
    annotators_per_item=2,
    dataset_names=(),
    seed=0,
    created_at=0,
)


def rows() -> Iterator[tuple[bytes, dict[str, str]]]:
    with (DOCS / "examples" / "annotations.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield int(row["item"]).to_bytes(16), row


def said() -> list[Annotation]:
    return [
        Annotation(log_id=log_id, annotator=annotator, label=row[annotator], note="", created_at=0)
        for log_id, row in rows()
        for annotator in ("ann", "bob")
        if row[annotator]
    ]


def figures() -> dict[str, Estimate]:
    agreement = agreement_of(QUEUE, said())
    found = calibrate(QUEUE, said(), {log_id: float(row["judge"]) for log_id, row in rows()}, 1)
    (pair,) = agreement.pairs
    return {
        "ann and bob give the same label": pair.agreement,
        "Cohen's kappa of ann and bob": pair.kappa,
        "Krippendorff's alpha": agreement.alpha,
        "sensitivity": found.sensitivity,
        "specificity": found.specificity,
        "judged": found.judged,
        "corrected": found.corrected,
    }


@pytest.mark.parametrize("name", figures())
def test_the_example_shows_what_its_data_give(name: str) -> None:
    estimate = figures()[name]
    (row,) = re.findall(rf"^\| {re.escape(name)} \| ([0-9.]+)( %)? \| (.+) \|$", PAGE, re.MULTILINE)
    shown = [row[0], *re.findall(r"[0-9.]+", row[2])]
    factor, digits = (100, 1) if row[1] else (1, 3)
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    expected = [f"{factor * one:.{digits}f}" for one in (estimate.value, estimate.low, estimate.high)]
    assert shown == [*expected, str(estimate.n)]


def test_every_path_field_and_figure_is_named() -> None:
    for router in (annotation_queues.router, annotating.router):
        for route in router.routes:
            path = str(getattr(route, "path", "")).partition("/annotation-queues")[2].removeprefix("/{queue_id}")
            assert path in PAGE, path
    for name in (*QueueBody.model_fields, *Calibration.__struct_fields__):
        assert re.search(rf"\b{name}\b", PAGE), name
    for measure in Measure:
        assert f"`{measure.value}`" in PAGE


def test_its_numbers_are_those_of_the_code() -> None:
    assert HOLD_MS == 10 * 60 * 1000
    assert MIN_ITEMS == 10
    assert f"{RESAMPLES:,} draws" in PAGE
