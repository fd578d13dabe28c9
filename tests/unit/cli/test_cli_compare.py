"""`gaugeway compare` on a real server: sides of every kind, exit codes, reports, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gaugeway.cli import comparison_report
from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.command_line import Ran, command
from support.server import ACCOUNT, TOKEN, Server, new_server
from support.some_logs import a_log, keep_all, logged

SCOPE = Scope(ACCOUNT, "main")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = new_server(tmp_path_factory.mktemp("compare"))
    store = SqliteLogStore(made.data)
    for model, cost, up in (("old", "0.01", 95), ("new", "0.004", 60), ("same", "0.01", 94)):
        records = [
            a_log(
                SCOPE,
                model=model,
                cost=Decimal(cost) + Decimal(number % 7) / 10000,
                feedback=1 if number < up else -1,
                metadata={"team": ("red", "blue")[number % 2]},
            )
            for number in range(100)
        ]
        store.append(logged(records), keep_all)
    store.close()
    made.start()
    made.make_gateway("main")
    for name, types in (("first", ["cost", "speed"]), ("second", ["speed", "cost"]), ("third", ["human_feedback"])):
        dataset = {"name": name, "enable": True, "filters": [{"key": "model", "operator": "eq", "value": ["old"]}]}
        made_dataset = made.manage("POST", "/gateways/main/datasets", dataset)
        body = {"name": name, "dataset_ids": [made_dataset["id"]], "evaluation_type_ids": types}
        evaluation = made.manage("POST", "/gateways/main/evaluations", body)
        end = time.monotonic() + 60
        while not made.manage("GET", f"/gateways/main/evaluations/{evaluation['id']}")["processed"]:
            assert time.monotonic() < end
            time.sleep(0.05)
    yield made
    made.stop()


def compare(server: Server, *arguments: str) -> Ran:
    variables = {"GAUGEWAY_BASE_URL": server.base_url, "GAUGEWAY_API_TOKEN": TOKEN, "GAUGEWAY_ACCOUNT_ID": ACCOUNT}
    return command("compare", *arguments, "--gateway", "main", COLUMNS="200", **variables)


def answer(ran: Ran) -> Any:
    assert ran.err == ""
    return json.loads(ran.out)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["model=old", "model=new", "--evaluator", "cost"], 0),
        (["model=old", "model=new", "--evaluator", "human_feedback"], 1),
        (["model=old", "model=same", "--evaluator", "human_feedback"], 3),
        (["model=old", "model=same", "--evaluator", "human_feedback", "--margin", "human_feedback=15"], 0),
        (["model=old", "model=new", "--evaluator", "human_feedback", "--margin", "human_feedback=80%"], 0),
        (["model=old", "model=new", "--evaluator", "human_feedback", "--margin", "human_feedback=5%"], 1),
        (["model=old", "model=new", "model=same", "--evaluator", "cost"], 3),
        (["model=old", "model=nothing", "--evaluator", "cost"], 3),
    ],
)
def test_the_gate(server: Server, arguments: list[str], code: int) -> None:
    ran = compare(server, *arguments, "--gate")
    assert (ran.code, ran.err) == (code, "")
    assert compare(server, *arguments).code == 0


def test_evaluations_are_compared_by_what_they_have_in_common(server: Server) -> None:
    found = answer(compare(server, "first", "second", "--json"))
    assert [one["evaluation_type_id"] for one in found["differences"]] == ["cost", "speed"]
    assert [side["also_in_baseline"] for side in found["sides"]] == [0, 100]
    assert "100 of its logs are the baseline's too" in compare(server, "first", "second").out


def test_expressions_and_filters(server: Server) -> None:
    found = answer(
        compare(
            server, "metadata.team=red and model=old", "metadata.team=blue and model eq new", "--json",
            "--filter", "duration>1", "--pair-by", "none", "--evaluator", "Cost",
        )
    )  # fmt: skip
    assert [side["total_logs"] for side in found["sides"]] == [50, 50]
    windows = answer(compare(server, "created_at>2020-01-01", "created_at<2020-01-01", "--json"))
    assert [side["total_logs"] for side in windows["sides"]] == [300, 0]


def test_metadata_that_cannot_be_both_are_refused(server: Server) -> None:
    """The side's own would else come in the place of the filter that is to hold for every side."""
    ran = compare(server, "metadata.team=red", "metadata.team=blue", "--filter", "metadata.team=red")
    assert ran.code == 2
    assert "'metadata.team=blue': metadata.team cannot be both 'red' and 'blue'" in ran.err


def test_reports(server: Server, tmp_path: Path) -> None:
    markdown, junit = tmp_path / "report.md", tmp_path / "report.xml"
    ran = compare(server, "model=old", "model=new", "--markdown", str(markdown), "--junit", str(junit))
    assert ran.code == 0
    assert "Gate: **worse**" in markdown.read_text()
    suite = ElementTree.parse(junit).getroot()[0]
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases["cost"] == ["system-out"]
    assert cases["human_feedback"] == ["failure"]
    assert cases["speed"] == ["skipped"]


def test_names_that_are_attacks_are_only_names() -> None:
    evil = "]]><failure/>\x1b[2J|<script>alert(1)</script>\n# x"
    result = {
        "evaluation_type_id": "cost",
        "result": "1",
        "unit": "USD",
        "low": None,
        "high": None,
        "total_logs": 1,
    }
    difference = {
        "evaluation_type_id": "cost", "side": evil, "words": evil, "gate": "worse", "verdict": "worse",
        "test": None, "difference": "1", "low": None, "high": None, "adjusted_p_value": None, "paired": None,
        "unit": "USD",
    }  # fmt: skip
    shown = {
        "baseline": evil,
        "sides": [{"label": evil, "total_logs": 1, "also_in_baseline": 0, "results": [result], "agreements": []}],
        "differences": [difference],
        "gate": "worse",
    }
    suite = ElementTree.fromstring(comparison_report.junit(shown))[0]
    assert [child.tag for child in suite[0]] == ["failure"]
    markdown = comparison_report.markdown(shown)
    assert "<script>" not in markdown
    assert "\x1b" not in markdown
    assert "\n# x" not in markdown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model=old"], "at least two sides"),
        (["first", "fourth"], "'fourth' is no evaluation of this gateway (there is: 'third', 'second', 'first')"),
        (["first", "third"], "no evaluation type in common"),
        (["model=old", "beauty=9"], "beauty"),
        (["model=old", "metadata.=9"], "expected metadata.KEY=VALUE"),
        (["model=old", "model=new", "--evaluator", "beauty"], "there is no evaluator 'beauty' here"),
        (["model=old", "model=new", "--margin", "cost"], "expected EVALUATOR=AMOUNT above 0"),
        (["model=old", "model=new", "--margin", "cost=-1"], "expected EVALUATOR=AMOUNT above 0"),
        (["model=old", "model=new", "--margin", "score=1"], "not compared"),
        (["model=old", "model=new", "--pair-by", "moon"], "event_id"),
        (["model=old", "model=old"], "Two sides have this label"),
        (["model=old", "model=new", "--token", ""], "--token is missing"),
        (["model=old", "model=new", "--base-url", "http://127.0.0.1:9/client/v4"], "is `gaugeway serve` running"),
        (["model=old", "model=new", "--junit", "/nowhere/at/all.xml"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_exit_code_2(server: Server, arguments: list[str], says: str) -> None:
    ran = compare(server, *arguments, "--gate")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
