"""A judge held against people: chosen, refused while it has not completed, and said in words."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.browser import watched
from support.judging_upstream import JudgingUpstream, material
from support.server import Server, running_server
from support.upstream import running_upstream

PEOPLE_SAY_GOOD = 8  # of the answers, by number
JUDGE_SAYS_GOOD = range(2, 12)
ANSWERS = 14


@pytest.fixture(scope="module")
def judging() -> Iterator[JudgingUpstream]:
    with running_upstream(JudgingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, judging: JudgingUpstream) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("judged")
    with running_server(folder, judging.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


def _decide(asked: dict[str, Any]) -> str:
    number = int(material(asked)["ANSWER"].split()[-1])
    return json.dumps({"reason": "as told", "pass": number in JUDGE_SAYS_GOOD})


def _arrange(server: Server) -> tuple[str, str, str]:
    """Answers that are labelled, and an evaluation of them by a judge: gateway, queue, judge."""
    gateway = server.make_gateway("judged")
    server.make_gateway("judges")
    for number in range(ANSWERS):
        assert server.chat(gateway, f"says:answer {number}").status == 200
    server.wait_for_logs(gateway, ANSWERS)
    dataset = server.manage("POST", f"/gateways/{gateway}/datasets", {"name": "all", "enable": True, "filters": []})
    queues = f"/gateways/{gateway}/annotation-queues"
    body = {"name": "Is it good?", "dataset_ids": [dataset["id"]], "size": 100, "annotators_per_item": 1}
    queue = server.manage("POST", queues, body)["id"]
    for item in server.manage("GET", f"{queues}/{queue}/items?per_page=100"):
        log = server.manage("GET", f"/gateways/{gateway}/logs/{item['log_id']}")
        label = "good" if int(log["model"].split()[-1]) < PEOPLE_SAY_GOOD else "bad"
        server.manage("PUT", f"{queues}/{queue}/items/{item['log_id']}/annotations/ann", {"label": label})
    given = {"model": "openai/judge", "gateway_id": "judges", "max_cost": 1, "criteria": "It is good."}
    prices = {"cost_per_token_in": 0.000001, "cost_per_token_out": 0.000002}
    made = {"name": "Good by the judge", "evaluator_id": "judge_criteria", "parameters": {**given, **prices}}
    judge = server.manage("POST", "/evaluation-types", made)["id"]
    body = {"name": "by the judge", "dataset_ids": [dataset["id"]], "evaluation_type_ids": [judge, "cost"]}
    server.manage("POST", f"/gateways/{gateway}/evaluations", body)
    return gateway, queue, judge


def test_a_judge_is_held_against_people(
    judged: Server, judging: JudgingUpstream, dashboard: None, browser: Browser
) -> None:
    judging.decide = _decide
    judging.held = True
    gateway, queue, _ = _arrange(judged)
    with watched(browser, judged.url) as view:
        view.open(f"/gateways/{gateway}/annotate/{queue}")
        page = view.sign_in(judged.token)
        page.get_by_role("link", name="Hold a judge against it").click()
        expect(page.get_by_text("Which judge?")).to_be_visible()
        page.get_by_role("combobox", name="Evaluation").click()
        page.get_by_role("option", name="by the judge (still running)").click()
        page.get_by_role("combobox", name="Question").click()
        expect(page.get_by_role("option")).to_have_count(1)  # cost looks at no single log
        page.get_by_role("option", name="Good by the judge").click()
        # Half of its scores would look like all of them: in the server's words
        expect(page.get_by_role("alert")).to_contain_text("Only what has completed has all its scores")
        judging.held = False
        path = f"/gateways/{gateway}/evaluations"
        deadline = time.monotonic() + 60
        while not judged.manage("GET", path)[0]["processed"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        page.get_by_role("alert").get_by_role("button", name="Try again").click()

        table = page.get_by_role("table", name="Confusion table")
        good = table.get_by_role("row", name=re.compile("^The judge says good"))
        bad = table.get_by_role("row", name=re.compile("^The judge says not good"))
        expect(good.get_by_role("cell")).to_have_text(["6", "4"])
        expect(bad.get_by_role("cell")).to_have_text(["2", "2"])
        meaning = page.get_by_role("region", name="What this means")
        expect(meaning).to_contain_text("on 14 logs; on 8 of them they say the same")
        expect(meaning).to_contain_text("It lets 4 of 6 pass that people do not call good.")
        expect(meaning).to_contain_text("It turns 2 of 8 away that people call good.")
        expect(meaning).to_contain_text("It calls 71.4 % of the 14 logs that it scored good.")
        expect(meaning).to_contain_text(re.compile(r"With its errors taken off, it is 57\.1 % \(95 % interval"))
        rates = page.get_by_role("table", name="Rates")
        expect(rates.get_by_role("row", name=re.compile("^Sensitivity"))).to_contain_text("75.0 %")
        drawn = rates.get_by_role("row", name=re.compile("^Good, with its errors")).get_by_role("img")
        expect(drawn).to_have_accessible_name(re.compile("95 % interval: .* to "))
        agreement = page.get_by_role("table", name="Agreement")
        expect(agreement.get_by_role("row", name=re.compile("kappa"))).to_contain_text("0.087")
        expect(agreement.get_by_role("row", name=re.compile("alpha"))).to_be_visible()

        # Above every score there is nothing that the judge calls good; the address keeps the choice
        page.get_by_label("Good is a score from").fill("101")
        expect(good.get_by_role("cell")).to_have_text(["0", "0"])
        page.reload()
        expect(page.get_by_label("Good is a score from")).to_have_value("101")
        expect(good.get_by_role("cell")).to_have_text(["0", "0"])
        expect(meaning).to_contain_text("What that share really is cannot be said")
        view.check()
