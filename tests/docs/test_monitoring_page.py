"""docs/monitoring.md: its worked example gives what it shows, on a real server; and its words are the program's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.monitors import ASKED_LOOKS, MAX_MONITORS, Finding
from gaugeway.core.notices import KEPT_NOTICES, Delivery, Event
from gaugeway.management.monitors import MonitorBody
from support.command_line import Ran, command
from support.judging_upstream import JudgingUpstream
from support.server import ACCOUNT, TOKEN, Server, running_server
from support.upstream import running_upstream
from support.webhook_receiver import Receiver, receiving

PAGE = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
URL = "https://hooks.example.com/gaugeway"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}")
TRAFFIC = [(22, 2), (20, 4), (7, 17)]
"""Good and bad answers before each `run-now` of the page."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("monitoring-page")
    with (
        running_upstream(JudgingUpstream) as upstream,
        running_server(folder, upstream.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running,
    ):
        running.make_gateway("support")
        yield running


def gaugeway(server: Server, words: str, receiver: Receiver) -> Ran:
    arguments = words.replace("\\\n", " ").replace(URL, receiver.url).split()
    variables = {"GAUGEWAY_BASE_URL": server.base_url, "GAUGEWAY_API_TOKEN": TOKEN, "GAUGEWAY_ACCOUNT_ID": ACCOUNT}
    return command(*arguments[1:], COLUMNS="200", **variables)


def traffic(server: Server, good: int, bad: int) -> None:
    for number in range(good + bad):
        answer = server.chat("support", 'says:{"ok":1}' if number < good else "says:Sorry, what?")
        log = f"/gateways/support/logs/{answer.headers['cf-aig-log-id']}"
        server.manage("PATCH", log, {"feedback": 1 if number < good else -1})


def plain(text: str) -> list[str]:
    """The lines as they compare: times, ids and how wide columns are differ."""
    lines = [ID.sub("ID", TIME.sub("TIME", line)) for line in text.strip().splitlines()]
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_the_worked_example_gives_what_the_page_shows(server: Server, receiver: Receiver) -> None:
    examples = re.findall(r"```text\n\$ (gaugeway monitor .*?[^\\])\n((?!\$).*?)```", PAGE, re.DOTALL)
    [(create, created), *runs, (shown, of_show)] = examples
    made = gaugeway(server, create, receiver)
    assert made.code == 0, made.err
    assert plain(made.out) == plain(created)
    assert re.search(r"shown only now: whsec_\S{44}", made.err)
    codes = [int(code) for code in re.findall(r"exit code (\d)", PAGE)]
    for (words, expected), (good, bad), code in zip(runs, TRAFFIC, codes, strict=True):
        traffic(server, good, bad)
        ran = gaugeway(server, words, receiver)
        assert plain(ran.out) == plain(expected), ran.out
        assert ran.code == code
    [told] = receiver.wait_for(1)
    body: dict[str, Any] = told["body"]
    [shape] = re.findall(r"```json\n(\{\n  \"id\".*?)```", PAGE, re.DOTALL)
    example = json.loads(shape)
    assert body.keys() == example.keys()
    assert body["data"].keys() == example["data"].keys()
    assert body["data"]["checks"][0].keys() == example["data"]["checks"][0].keys()
    assert (body["type"], body["data"]["finding"]) == (example["type"], example["data"]["finding"])
    end = gaugeway(server, shown, receiver)
    assert [line for line in plain(of_show) if line not in plain(end.out)] == []


def test_every_field_finding_and_state_is_explained() -> None:
    assert [name for name in MonitorBody.model_fields if f"`{name}`" not in PAGE] == []
    assert [one for one in Finding if f"`{one}`" not in PAGE] == []
    assert [one for one in (*Event, *Delivery) if f"`{one}`" not in PAGE] == []
    assert f"{ASKED_LOOKS} windows a week" in PAGE
    assert f"{MAX_MONITORS} monitors" in PAGE
    assert f"{KEPT_NOTICES} notices" in PAGE
