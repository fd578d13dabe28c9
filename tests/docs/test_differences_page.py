"""docs/differences-from-cloudflare.md knows what this version refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from gaugeway.core.model import ResultStatus
from gaugeway.evaluation.evaluators import load
from gaugeway.management.unenforced import UNENFORCED

PAGE = (Path(__file__).parents[2] / "docs" / "differences-from-cloudflare.md").read_text()
MISSING = PAGE.split("## Not available in this version")[1].split("\n## ")[0]


@pytest.mark.parametrize("setting", UNENFORCED)
def test_every_refused_setting_is_listed(setting: str):
    assert f"`{setting}`" in MISSING


def test_no_setting_is_listed_that_works():
    rows = [line.split("|")[1] for line in MISSING.splitlines() if line.startswith("| `")]
    listed = [name.strip().strip("`") for row in rows for name in row.split(",")]
    assert sorted(listed) == sorted(UNENFORCED)


def test_every_evaluation_type_and_status_is_listed():
    for evaluator in load():
        assert f"`{evaluator.id}`" in PAGE
    for status in ResultStatus:
        words = status.name.lower().replace("_", " ").replace("without logs", "without usable logs")
        assert f"{int(status)} {words}" in PAGE
