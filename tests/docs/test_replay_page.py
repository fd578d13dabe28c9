"""docs/replay.md: its worked example gives what it shows, on a real server; and its words are the program's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gaugeway.cli.compare import EXIT_CODES
from gaugeway.core.comparisons import Gate
from gaugeway.core.replays import MAX_CANDIDATES, MAX_REPLAYED, RESERVED, Reason
from gaugeway.evaluation.replaying.endings import NOT_THE_MODEL
from gaugeway.evaluation.replaying.forecast import SAMPLED
from support.command_line import Ran, command
from support.replaying_upstream import Assistants
from support.server import ACCOUNT, TOKEN, Server, running_server
from support.upstream import running_upstream

PAGE = (Path(__file__).parents[2] / "docs" / "replay.md").read_text()
QUESTIONS = [f"Question {n}: {'what ' * (n % 5 + 1)}is it?" for n in range(16)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the example's logs in the gateway `support`."""
    folder = tmp_path_factory.mktemp("replay-page")
    with (
        running_upstream(Assistants) as upstream,
        running_server(folder, upstream.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running,
    ):
        running.make_gateway("support")
        running.make_gateway("replays")
        prices = {"cf-aig-custom-cost": '{"per_token_in": 0.000002, "per_token_out": 0.00001}'}
        for question in QUESTIONS:
            asked = [{"role": "user", "content": question}]
            answer = running.chat("support", "large", headers=prices, messages=asked, max_tokens=200)
            assert answer.status == 200
        running.wait_for_logs("support", len(QUESTIONS))
        yield running


def gaugeway(server: Server, words: str, folder: Path) -> Ran:
    arguments = words.replace("\\\n", " ").split()
    arguments = [str(folder / one) if one.endswith((".md", ".xml")) else one for one in arguments]
    variables = {"GAUGEWAY_BASE_URL": server.base_url, "GAUGEWAY_API_TOKEN": TOKEN, "GAUGEWAY_ACCOUNT_ID": ACCOUNT}
    return command(*arguments[1:], COLUMNS="200", **variables)


def examples() -> list[tuple[str, str]]:
    """The commands of the page that show what they print, and that."""
    return re.findall(r"```text\n\$ (gaugeway replay .*?[^\\])\n((?!\$).*?)```", PAGE, re.DOTALL)


def test_the_forecast_prints_what_the_page_shows(server: Server, tmp_path: Path) -> None:
    words, shown = examples()[0]
    ran = gaugeway(server, words, tmp_path)
    assert ran.err == ""
    assert ran.out.strip() == shown.strip()
    assert ran.code == 0
    assert server.manage("GET", "/gateways/support/replays") == []


def test_the_replay_prints_what_the_page_shows_but_for_durations(server: Server, tmp_path: Path) -> None:
    words, shown = examples()[1]
    ran = gaugeway(server, f"{words} --markdown r.md --junit r.xml", tmp_path)
    printed = {" ".join(line.split()) for line in ran.out.splitlines()}
    for line in shown.splitlines():
        assert line.strip() == "…" or " ".join(line.split()) in printed, ran.out
    code = re.search(r"exit code is (\d)", PAGE)
    assert code
    assert ran.code == int(code[1])
    assert "Gate: **cannot tell**" in (tmp_path / "r.md").read_text()
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert suite.get("name") == "gaugeway replay"
    assert suite.get("tests") == "4"


def test_what_cannot_be_begun_is_an_error(server: Server, tmp_path: Path) -> None:
    same = "gaugeway replay --gateway support --through support --max-cost 1 --model openai/small --price 0,0"
    ran = gaugeway(server, same, tmp_path)
    assert ran.code == 2
    assert "name another gateway" in ran.err
    unpriced = "gaugeway replay --gateway support --through replays --max-cost 1 --model openai/small"
    ran = gaugeway(server, unpriced, tmp_path)
    assert ran.code == 2
    assert "accept_unknown_cost" in ran.err
    assert gaugeway(server, f"{same} --parameter x", tmp_path).code == 2
    assert server.manage("GET", "/gateways/support/datasets") == []


def test_the_page_s_words_and_numbers() -> None:
    assert [reason for reason in Reason if f"`{reason}`" not in PAGE] == []
    assert [name for name in RESERVED if f"`{name}`" not in PAGE] == []
    assert [str(status) for status in NOT_THE_MODEL if str(status) not in PAGE] == []
    assert f"{MAX_REPLAYED:,}" in PAGE
    assert f"Up to {MAX_CANDIDATES} candidates" in PAGE
    assert f"up to {SAMPLED} of the requests" in PAGE
    assert (
        f"{EXIT_CODES[Gate.PASS]} pass, {EXIT_CODES[Gate.WORSE]} worse, 2 error, {EXIT_CODES[Gate.CANNOT_TELL]}"
        in PAGE
    )
