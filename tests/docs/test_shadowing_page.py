"""docs/shadowing.md: its worked example gives what it shows, on a real server; its numbers are the program's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.shadows import (
    FORECAST_DAYS,
    LOOKS_S,
    MAX_ACTIVE,
    MAX_CALLED,
    MAX_DAYS,
    MAX_LAG_S,
    MIN_SHARE,
    OF_CANDIDATE,
    OF_LOG,
    OF_SHADOW,
    OWN_AGENTS,
    USUAL_CALLED,
    USUAL_DAYS,
    Unshadowed,
)
from gaugeway.evaluation.replaying.pricing import SAMPLED
from support.command_line import Ran, command
from support.replaying_upstream import Assistants
from support.server import ACCOUNT, TOKEN, Server, running_server
from support.upstream import running_upstream

PAGE = (Path(__file__).parents[2] / "docs" / "shadowing.md").read_text()
QUESTIONS = [f"Question {n}: {'what ' * (n % 5 + 1)}is it?" for n in range(16)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("shadowing-page")
    with (
        running_upstream(Assistants) as upstream,
        running_server(folder, upstream.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running,
    ):
        running.make_gateway("support")
        running.make_gateway("shadows")
        yield running


def gaugeway(server: Server, words: str) -> Ran:
    arguments = words.replace("\\\n", " ").split()
    variables = {"GAUGEWAY_BASE_URL": server.base_url, "GAUGEWAY_API_TOKEN": TOKEN, "GAUGEWAY_ACCOUNT_ID": ACCOUNT}
    return command(*arguments[1:], COLUMNS="200", **variables)


def assert_shown(ran: Ran, shown: str) -> None:
    printed = {" ".join(line.split()) for line in ran.out.splitlines()}
    for line in shown.splitlines():
        assert line.strip() == "…" or " ".join(line.split()) in printed, ran.out


def wait(server: Server, until: Callable[[dict[str, Any]], bool]) -> None:
    end = time.monotonic() + 90
    while not until(now := server.manage("GET", "/gateways/support/shadows")[0]):
        assert time.monotonic() < end, now
        time.sleep(0.05)


def test_the_example_prints_what_the_page_shows(server: Server, tmp_path: Path) -> None:
    [create, forecast, meanwhile, ended] = re.findall(
        r"```text\n\$ (gaugeway shadow .*?[^\\])\n((?!\$).*?)```", PAGE, re.DOTALL
    )
    ran = gaugeway(server, create[0])
    assert ran.code == 0
    assert_shown(ran, create[1])
    prices = {"cf-aig-custom-cost": '{"per_token_in": 0.000002, "per_token_out": 0.00001}'}
    for question in QUESTIONS:
        asked = [{"role": "user", "content": question}]
        assert server.chat("support", "large", headers=prices, messages=asked, max_tokens=200).status == 200
    wait(server, lambda now: [one["replayed"] for one in now["progress"]] == [16, 16])
    assert_shown(gaugeway(server, forecast[0]), forecast[1])
    assert len(server.manage("GET", "/gateways/support/shadows")) == 1
    assert_shown(gaugeway(server, meanwhile[0]), meanwhile[1])
    [_, row] = gaugeway(server, "gaugeway shadow list --gateway support").out.splitlines()
    assert row.split() == ["small", "100", "%", "openai/small", "16", "16", "16", "0", "0", "running"]
    assert gaugeway(server, "gaugeway shadow stop small --gateway support").code == 0
    wait(server, lambda now: now["processed"])
    report = tmp_path / "shadow.md"
    ran = gaugeway(server, f"{ended[0]} --markdown {report}")
    assert_shown(ran, ended[1])
    code = re.search(r"exit code is (\d)", PAGE)
    assert code
    assert ran.code == int(code[1])
    assert gaugeway(server, "gaugeway shadow resume small --gateway support --max-items 20").code == 0
    assert gaugeway(server, "gaugeway shadow stop small --gateway support").code == 0
    assert "Gate: **cannot tell**" in report.read_text()
    assert gaugeway(server, "gaugeway shadow show absent --gateway support").code == 2


def test_the_body_is_one(server: Server) -> None:
    [text] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    dataset = {"name": "all", "enable": True, "filters": []}
    made = server.manage("POST", "/gateways/support/datasets", dataset)["id"]
    body = {**json.loads(text), "dataset_id": made}
    tomorrow = datetime.now(UTC) + timedelta(days=1)  # the page's own comes to be past
    body["until"] = tomorrow.isoformat()
    shadow = server.manage("POST", "/gateways/support/shadows", body)
    assert {name: shadow[name] for name in ("share", "max_items", "concurrency")} == {
        "share": 5,
        "max_items": 5000,
        "concurrency": 4,
    }
    server.manage("DELETE", f"/gateways/support/shadows/{shadow['id']}")


def test_the_page_s_words_and_numbers() -> None:
    words = [*Unshadowed, OF_SHADOW, OF_LOG, OF_CANDIDATE, OWN_AGENTS]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    *first, last = LOOKS_S
    assert f"when it is {', '.join(map(str, first))} and {last} seconds old" in PAGE
    assert f"takes more than {last} seconds" in PAGE
    assert f"more than {MAX_LAG_S} seconds" in PAGE
    assert f"({USUAL_CALLED:,}; at most {MAX_CALLED:,})" in PAGE
    assert f"({USUAL_DAYS} days from its creation; at most {MAX_DAYS})" in PAGE
    assert f"At most {MAX_ACTIVE} shadows" in PAGE
    assert f"the last {FORECAST_DAYS} days" in PAGE
    assert f"Of up to {SAMPLED} the bodies" in PAGE
    assert f"at least {MIN_SHARE:g};" in PAGE
