"""docs/comparing.md: its worked example gives what it shows, on a real server."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gaugeway.cli.compare import EXIT_CODES, USUAL
from gaugeway.core.comparisons import Gate, Verdict
from gaugeway.core.model import Scope
from gaugeway.evaluation.comparing.pairing import MAX_ITEMS
from gaugeway.evaluation.statistics.power import ALPHA, POWER
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.command_line import Ran, command
from support.server import ACCOUNT, TOKEN, Server, new_server
from support.some_logs import at, keep_all, logged

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "comparing.md").read_text()
START = 1_795_000_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the example's logs in the gateway `support`."""
    made = new_server(tmp_path_factory.mktemp("comparing"))
    scope = Scope(ACCOUNT, "support")
    store = SqliteLogStore(made.data)
    with (DOCS / "examples" / "prompts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    records = [
        at(
            START + number,
            number,
            account_id=ACCOUNT,
            gateway_id=scope.gateway_id,
            metadata={"item": int(row["item"]), "prompt": row["prompt"]},
            duration=int(row["duration"]),
            cost=Decimal(row["cost"]),
            feedback=int(row["feedback"]),
        )
        for number, row in enumerate(rows)
    ]
    store.append(logged(records), keep_all)
    store.close()
    made.start()
    made.make_gateway("support")
    yield made
    made.stop()


def gaugeway(server: Server, words: str, folder: Path) -> Ran:
    arguments = [one.strip("'") for one in re.findall(r"'[^']*'|\S+", words.replace("\\\n", " "))]
    arguments = [str(folder / one) if one.endswith((".md", ".xml")) else one for one in arguments]
    variables = {"GAUGEWAY_BASE_URL": server.base_url, "GAUGEWAY_API_TOKEN": TOKEN, "GAUGEWAY_ACCOUNT_ID": ACCOUNT}
    return command(*arguments[1:], COLUMNS="200", **variables)


def examples() -> list[tuple[str, str]]:
    """The commands of the page that show what they print, and that."""
    return re.findall(r"```text\n\$ (gaugeway compare .*?[^\\])\n((?!\$).*?)```", PAGE, re.DOTALL)


def test_the_page_has_its_examples():
    assert len(examples()) == 2


@pytest.mark.parametrize("number", [0, 1])
def test_an_example_prints_what_the_page_shows(server: Server, tmp_path: Path, number: int):
    words, shown = examples()[number]
    ran = gaugeway(server, words, tmp_path)
    assert ran.err == ""
    assert ran.out.strip() == shown.strip()
    code = re.search(rf"exit code of the {('first', 'second')[number]} is (\d)", PAGE)
    assert code
    assert ran.code == int(code[1])


def test_the_reports_say_the_same(server: Server, tmp_path: Path):
    words, _ = examples()[0]
    assert gaugeway(server, f"{words} --markdown r.md --junit r.xml", tmp_path).code == 0
    markdown = (tmp_path / "r.md").read_text()
    assert "Gate: **pass**" in markdown
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "0", "0")


def test_the_page_s_words_and_numbers():
    for verdict in Verdict:
        assert f"**{verdict}**" in PAGE
    for gate in Gate:
        assert f"| {EXIT_CODES[gate]} | {gate}" in PAGE
    assert f"{100 * POWER:.0f} % of the time" in PAGE
    assert ALPHA == 0.05
    assert f"{MAX_ITEMS:,} logs" in PAGE
    assert all(f"`{name}`" in PAGE for name in USUAL)


def test_the_workflow_calls_the_gate_as_the_command_line_knows_it():
    workflow = (DOCS / "examples" / "gaugeway-gate.yml").read_text()
    assert workflow.strip() in PAGE
    flags = set(re.findall(r"(?<![\w-])--[a-z-]+", workflow.split("gaugeway compare")[1].split("- ")[0]))
    known = set(re.findall(r"--[a-z-]+", command("compare", "--help").out))
    assert flags
    assert flags <= known
