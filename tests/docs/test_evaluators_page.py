"""docs/evaluators.md: its tables are complete, its example is reproduced, its code runs."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from gaugeway.core.aggregates import Column, Op
from gaugeway.core.model import Evaluation, LogRecord, Outcome, ResultStatus
from gaugeway.core.ports import Evaluator
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.runner import STANDARD, Runner
from gaugeway.evaluation.statistics import DIGITS
from support import laboratory as lab

PAGE = (Path(__file__).parents[2] / "docs" / "evaluators.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first heading is that."""
    lines = iter(text.splitlines())
    next(line for line in lines if line.startswith(f"| {first_column} |"))
    rows: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows[1:]


def minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return lab.NOON + (int(hours) - 12) * 3_600_000 + int(minutes) * 60_000


def number(cell: str) -> int | None:
    return None if cell in ("unknown", "none") else int(cell)


def example_logs() -> list[LogRecord]:
    return [
        lab.log(
            None if cost == "unknown" else Decimal(cost),
            int(duration),
            number(feedback),
            created_at=minute(arrived),
            model=model,
            outcome=Outcome.SUCCESS if success == "true" else Outcome.TIMEOUT,
            tokens_out=number(tokens_out),
        )
        for _, arrived, model, success, cost, duration, feedback, tokens_out in table(section("Example"), "log")
    ]


async def evaluated(types: list[str], evaluators: list[Evaluator]) -> Evaluation:
    datasets = lab.dataset(("model", "eq", ["gpt-5-mini"])), lab.dataset(("duration", "gt", [1000]))
    item = lab.evaluation(*datasets, types=types, created_at=lab.NOON)
    evaluations = lab.MemoryEvaluations(item)
    runner = Runner(
        evaluations=evaluations,
        logs=lab.MemoryLogs(*example_logs()),
        sink=lab.ReadySink(),
        evaluators=evaluators,
        clock=lab.SystemClock(),
        owner="docs",
    )
    task = asyncio.create_task(runner.run_forever())
    async with asyncio.timeout(20):
        while not (kept := evaluations.get(item.scope, item.id)) or not kept.processed:
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait((task,))
    return kept


def test_the_page_lists_every_evaluator_as_it_is():
    rows = {row[0]: row[1:] for row in table(PAGE, "id")}
    assert list(rows) == sorted(rows, key=["cost", "speed", "human_feedback"].index)
    for evaluator in load():
        name, _, unit, good = rows.pop(evaluator.id)
        assert name == evaluator.name
        assert unit.split()[0] == evaluator.unit
        assert f"{good} is better" in evaluator.description.lower()
    assert rows == {}
    assert {row[0] for row in table(section("The formulas"), "id")} == {evaluator.id for evaluator in load()}


async def test_the_example_s_numbers():
    text = section("Example")
    expected = [(row[0], row[1], int(row[2]), row[3]) for row in table(text, "evaluation type")]
    done = await evaluated([row[0] for row in expected], load())
    assert [
        (row.evaluation_type_id, row.result, row.total_logs, row.status_description) for row in done.results
    ] == expected
    assert f"`total_logs` is {done.total_logs}" in text


def test_the_page_has_every_status():
    rows = table(section("States of a result"), "status")
    assert [int(row[0]) for row in rows] == [int(status) for status in ResultStatus]
    for number_, meaning, description, final in rows:
        status = ResultStatus(int(number_))
        assert meaning.replace("usable ", "").replace(" ", "_").upper() == status.name
        assert description.startswith(f"{meaning}") and "`" + description in PAGE
        assert final == ("yes" if status.is_terminal else "no")


def test_the_limits_that_the_page_names():
    text = section("States of a result")
    assert STANDARD.patience_s == 5 * 60
    assert "After 5 minutes of failing tries" in text
    assert [STANDARD.delay_s(tries) for tries in (1, 2, 3, 99)] == [1, 2, 4, 30]
    assert "after 1, 2, 4 … 30 s" in text
    assert STANDARD.lease_ms == 10_000
    assert "after 10 s: that is how long a claim lasts" in text
    assert STANDARD.flush_timeout_s == 10
    assert "within 10 s that all accepted logs" in text
    assert DIGITS == 34
    assert "within 34 significant digits" in section("The formulas")


def test_the_page_names_every_column_and_operation():
    text = section("Adding your own")
    assert all(f"`{column}`" in text for column in Column)
    assert all(f"`{op.name}`" in text for op in Op)


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """The page's package, installed as pip would: its code and its metadata on the path."""
    text = section("Adding your own")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    entry = re.search(r'```toml\n\[project\.entry-points\."(.*?)"\]\n(.*?)```', text, re.DOTALL)
    assert code
    assert entry
    (tmp_path / "acme_evaluators.py").write_text(code[1])
    metadata = tmp_path / "acme_evaluators-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-evaluators\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{entry[1]}]\n{entry[2].replace(chr(34), '')}")
    return tmp_path


def test_the_page_s_own_evaluator_comes_in_by_its_entry_point(acme: Path):
    code = "from gaugeway.evaluation.evaluators import load; print(*(item.id for item in load()))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(acme)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "acme_answer_length" in ran.stdout.split()


async def test_the_page_s_own_evaluator_gives_the_figure_it_names(acme: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(acme))
    try:
        done = await evaluated(["acme_answer_length"], load())
    finally:
        sys.modules.pop("acme_evaluators", None)
    [row] = done.results
    text = section("Adding your own")
    assert f"`acme_answer_length` is {row.result} over {row.total_logs} logs: `{row.status_description}`" in text
