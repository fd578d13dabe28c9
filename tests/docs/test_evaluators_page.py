"""docs/evaluators.md: its tables are complete, its example is reproduced, its code runs."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.aggregates import Column, Op
from gaugeway.core.estimating import ASCII_PER_TOKEN
from gaugeway.core.model import Evaluation, LogRecord, Outcome, ResultStatus
from gaugeway.core.ports import Evaluator
from gaugeway.core.samples import ItemEvaluator, Mark
from gaugeway.core.sandbox import MAX_SOURCE, SCORE, PythonScorer
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.item_run import JUDGED_AT_ONCE, MAX_LOGS
from gaugeway.evaluation.judging.agreement import MOST_ITEMS
from gaugeway.evaluation.judging.expecting import LOOKED_AT, VERDICT_TOKENS
from gaugeway.evaluation.judging.forecast import SAMPLED
from gaugeway.evaluation.leased import STANDARD
from gaugeway.evaluation.panels import MAX_MEMBERS, JudgePanel, Member
from gaugeway.evaluation.prompts import MAX_MATERIAL
from gaugeway.evaluation.runner import Runner
from gaugeway.evaluation.sandbox import program
from gaugeway.evaluation.sandbox.inside.cell import MAX_NUMBER
from gaugeway.evaluation.sandbox.inside.keeper import MAX_ANSWER
from gaugeway.evaluation.sandbox.inside.library import MODULES
from gaugeway.evaluation.sandbox.inside.syscalls import NOT_EXECUTABLE, PLAIN
from gaugeway.evaluation.sandbox.program import CPU_S, WALL_S
from gaugeway.evaluation.sandbox.sandbox import PythonSandbox
from gaugeway.evaluation.sandbox.scoring import mark as mark_of
from gaugeway.evaluation.scoring.beside import MAX_STRIKES, PATIENCE_S
from gaugeway.evaluation.scoring.child import MEMORY_BYTES
from gaugeway.evaluation.scoring.marks import mark
from gaugeway.evaluation.statistics import DIGITS
from gaugeway.evaluation.statistics.order_statistics import fewest
from gaugeway.evaluation.statistics.wilson import wilson
from gaugeway.stores.sqlite.verdicts import KEEP_MS
from support import laboratory as lab
from support.samples import sample

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
    single = PAGE.split("These look at each log by itself")[1]
    rows |= {row[0]: row[1:] for row in table(single, "id")}
    rows |= {row[0]: row[1:] for row in table(PAGE.split("These ask a model about each log")[1], "id")}
    for evaluator in load():
        name, _, unit, good = rows.pop(evaluator.id)
        assert name == evaluator.name
        assert unit.partition(" (")[0] == evaluator.unit
        assert f"{good} is better" in evaluator.description.lower()
        assert good == evaluator.direction
    assert rows == {}
    columns = {evaluator.id for evaluator in load() if not isinstance(evaluator, ItemEvaluator)}
    formulas = [name for row in table(section("The formulas"), "id") for name in row[0].split("`, `")]
    assert sorted(formulas) == sorted(columns)


def test_the_page_says_how_many_logs_a_percentile_needs():
    text = section("How sure a figure is")
    for percent in (50, 90, 95, 99):
        assert f"{fewest(percent)} for p{percent}" in text
    low, high = wilson(3, 3)
    assert f"between {100 * low:.0f} and {100 * high:.0f} %" in text


def test_the_page_names_every_parameter():
    rows = dict(table(section("Single logs"), "evaluator"))
    of_judges = section("Single logs").split("All judges also take")[1].split("\n")[0]
    of_panels = section("Single logs").split("All panels also take")[1].split("\n")[0]
    assert all(f"`{name}`" in of_panels for name in Member.__struct_fields__)
    for evaluator in load():
        if isinstance(evaluator, ItemEvaluator):
            schema = evaluator.parameters_schema()
            common = of_panels if issubclass(evaluator.scorer, JudgePanel) else of_judges
            cell = rows.pop(evaluator.id) + (common if evaluator.type == "judge" else "")
            assert all(re.search(rf"\b{name}\b", cell) for name in schema["properties"] or ["none"])
            assert sorted(re.findall(r"\*\*`(\w+)`\*\*", cell)) == sorted(schema["required"])
            for described in schema["properties"].values():
                assert all(word in cell for word in described.get("enum", ()))
    assert rows == {}


def test_the_limits_of_single_logs_that_the_page_names():
    text = section("Single logs")
    assert f"at most {MAX_LOGS} of them" in text
    assert f"at most {MEMORY_BYTES >> 20} MiB" in text
    assert f"longer than {PATIENCE_S:g} s over a log" in text
    assert f"after {MAX_STRIKES} such logs" in text
    judges = " ".join(section("Judges").split())
    assert f"more than {MAX_MATERIAL} characters" in judges
    assert f"kept for {KEEP_MS // 86_400_000} days" in judges
    assert JUDGED_AT_ONCE == 4
    assert "the four logs in flight" in judges


def test_the_limits_of_panels_embeddings_and_forecasts_that_the_page_names():
    judges = " ".join(section("Judges").split())
    assert f"A panel is 2 to {MAX_MEMBERS} judges" in judges
    assert f"Of more than {MOST_ITEMS} logs" in judges
    assert f"up to {SAMPLED} of the logs" in judges
    assert f"the newest {LOOKED_AT} logs" in judges
    assert f"of {VERDICT_TOKENS} tokens" in judges
    assert f"({ASCII_PER_TOKEN} letters each)" in judges
    assert 1536 * 4 * 4 // 3 == 8192, "bytes of a vector in base64"


def test_the_page_s_own_evaluator_of_single_logs_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = re.search(r"```python\n(.*?)```", section("Adding your own").split("### For single logs")[1], re.DOTALL)
    assert code
    (tmp_path / "acme_single_logs.py").write_text(code[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    evaluator: ItemEvaluator = importlib.import_module("acme_single_logs").EVALUATOR
    assert evaluator.needs_parameters
    assert evaluator.id == "acme_at_most"
    scorer = evaluator.configured({"words": 2})
    assert mark(scorer, sample("one two")) == Mark(100.0, note="2 words")
    assert mark(scorer, sample("one two three")).score == 0


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


def test_the_page_s_own_python_runs_and_gives_what_its_comments_say():
    [code] = re.findall(r"```python\n(.*?)```", section("Python"), re.DOTALL)
    sandbox = PythonSandbox(wanted=True)
    assert sandbox.check(code, SCORE) == ""
    [shown] = re.findall(r"parameters: (\{.*?\})\}' \|", section("Python"))
    parameters = {name: value.strip('"') for name, value in re.findall(r'(\w+): ("?[$\w]+"?)', shown)}
    [evaluator] = [one for one in load() if one.id == "python"]
    assert isinstance(evaluator, ItemEvaluator)
    scorer = evaluator.configured({**parameters, "source": code})
    assert isinstance(scorer, PythonScorer)
    with closing(sandbox.open(code, SCORE)) as program:

        def marked(answer: str, **more: Any) -> Mark:
            return mark_of(program.call([scorer.argument(sample(answer, **more))]), scorer)

        assert marked("On 2026-11-30.") == Mark(100.0, note="1 dates")
        assert marked("From 2026-11-30 to 2026-12-01.") == Mark(0.0, note="2 dates")
        assert marked("", calls=(("today", "{}"),)) == Mark(note="not applicable")


def test_the_page_says_what_a_program_is_given_and_what_it_may_take():
    text = " ".join(section("Python").split())
    [evaluator] = [one for one in load() if one.id == "python"]
    assert isinstance(evaluator, ItemEvaluator)
    scorer = evaluator.configured({"source": "x", "figure": "share", "direction": "higher"})
    assert isinstance(scorer, PythonScorer)
    keys = [key for row in table(section("Python"), "key") for key in row[0].split("`, `")]
    assert sorted(keys) == sorted(scorer.argument(sample("a")))
    assert f"other package: {', '.join(MODULES)}." in text
    assert f"at most {MAX_SOURCE} characters" in text
    assert f"may take {WALL_S:g} s, {CPU_S} s of the processor, and {program.MEMORY_BYTES >> 20} MiB" in text
    assert f"may answer {MAX_ANSWER >> 10} KiB" in text
    assert f"ended on {program.MAX_STRIKES} logs of a run, or that has taken {program.PROGRAM_S:g} s" in text
    assert f"numbers from -{MAX_NUMBER:g} to {MAX_NUMBER:g}".replace("e+", "e") in text
    assert len(PLAIN) + len(NOT_EXECUTABLE) in range(28, 36)
    assert "some thirty system calls" in text
