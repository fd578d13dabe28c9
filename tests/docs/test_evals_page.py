"""docs/evals.md: its example runs, and it names every grader, metric, call and source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from openai import OpenAI

from gaugeway.core.evals import MAX_ITEMS, USUAL_CAP
from gaugeway.core.files import MAX_FILE, MAX_FILES, MAX_TOTAL
from gaugeway.core.graders import Grader, TextSimilarity
from gaugeway.management import eval_sources
from gaugeway.management.evals_api import MAX_BODY
from support.server import Server

PAGE = (Path(__file__).parents[2] / "docs" / "evals.md").read_text()


def test_its_example_runs(server: Server, gateway: str) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("http://127.0.0.1:8787", server.url).replace("gw_…", server.token)
    told: dict[str, Any] = {}
    exec(code.replace("my-gateway", gateway), told)
    client: OpenAI = told["client"]
    assert client.evals.retrieve(told["sums"].id).name == "Sums"
    assert told["run"].max_cost == "0.5"
    client.evals.runs.delete(told["run"].id, eval_id=told["sums"].id)


@pytest.mark.parametrize("kind", [str(one.__struct_config__.tag) for one in get_args(Grader)])
def test_every_grader_is_named(kind: str) -> None:
    assert f"`{kind}`" in PAGE


def test_every_metric_is_named() -> None:
    for metric in get_args(get_type_hints(TextSimilarity)["evaluation_metric"]):
        assert f"`{metric}`" in PAGE or metric in {"rouge_2", "rouge_3", "rouge_4"}


def test_every_condition_on_logs_is_named() -> None:
    for name, field in eval_sources.Logs.model_fields.items():
        if field.annotation is not type(None) and name != "type":
            assert f"`{name}`" in PAGE


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"up to {MAX_ITEMS:,} and {MAX_BODY // 2**20} MiB" in PAGE
    assert f"up to {MAX_FILES} of them, {MAX_FILE >> 20} MiB each and {MAX_TOTAL >> 20} MiB together" in PAGE
    assert f"{USUAL_CAP} dollars if not said" in PAGE
