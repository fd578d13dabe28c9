"""Replays on their pages: forecast before anything is sent, run, cancelled, resumed, retried, and read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import Watched, watched
from support.replaying_upstream import ReplayingUpstream
from support.server import Server, running_server
from support.upstream import running_upstream

ATTACK = "<img src=x onerror=window.hit=1>"
_numbers = count(1)


@pytest.fixture(scope="module")
def models() -> Iterator[ReplayingUpstream]:
    with running_upstream(ReplayingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory, models: ReplayingUpstream) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("replaying")
    with running_server(folder, models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


@pytest.fixture
def view(replaying: Server, models: ReplayingUpstream, dashboard: None, browser: Browser) -> Iterator[Watched]:
    models.held = False
    models.seen.clear()
    with watched(browser, replaying.url) as opened:
        yield opened
        opened.check()


def _logged(server: Server, questions: list[str]) -> str:
    """A gateway with answers to these questions, and a dataset of them; its id."""
    number = next(_numbers)
    gateway = server.make_gateway(f"live-{number}")
    server.make_gateway(f"live-{number}-replays")
    headers = {
        "authorization": "Bearer sk-the-providers-own-key",
        "cf-aig-custom-cost": '{"per_token_in": 0.00001, "per_token_out": 0.00002}',
    }
    for question in questions:
        body = {"model": "plain", "messages": [{"role": "user", "content": question}], "max_tokens": 50}
        address = f"{server.gateway_url(gateway)}/openai/v1/chat/completions"
        assert server.call("POST", address, body, headers).status == 200
    server.manage("POST", f"/gateways/{gateway}/datasets", {"name": "all", "enable": True, "filters": []})
    server.wait_for_logs(gateway, len(questions))
    return gateway


def _choose(place: Page | Locator, field: str, option: str) -> None:
    place.get_by_role("combobox", name=field).click()
    page = place if isinstance(place, Page) else place.page
    page.get_by_role("option", name=option, exact=True).click()


def _fill(page: Page, gateway: str, name: str, model: str) -> Locator:
    """The form with one candidate whose price is given; the candidate's place."""
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    _choose(page, "Through the gateway", f"{gateway}-replays")
    first = page.get_by_role("region", name="Candidate 1")
    first.get_by_role("combobox", name="Model").fill(model)
    first.get_by_label("Price of a million tokens in").fill("1")
    first.get_by_label("and of a million tokens out").fill("2")
    return first


def test_a_replay_is_forecast_run_and_read(view: Watched, replaying: Server, models: ReplayingUpstream) -> None:
    gateway = _logged(replaying, [f"Question {n} {ATTACK} has{' so' * n} many words" for n in range(8)])
    view.open(f"/gateways/{gateway}/replays")
    page = view.sign_in(replaying.token)
    expect(page.get_by_text("There is no replay yet")).to_be_visible()
    page.get_by_role("link", name="New replay").click()
    expect(page.get_by_role("button", name="Run the replay")).to_be_disabled()
    first = _fill(page, gateway, "shorter?", "openai/short")
    page.get_by_role("button", name="Another candidate").click()
    second = page.get_by_role("region", name="Candidate 2")
    second.get_by_label("Label").fill("with a prompt")
    second.get_by_role("combobox", name="Model").fill("openai/parrot")
    _choose(second, "The system prompt", "is another one")
    second.get_by_label("The other system prompt").fill("Be brief.")
    second.get_by_label("Parameters").fill('{"model": "x"}')
    models.seen.clear()
    page.get_by_role("button", name="Forecast the cost").click()
    # What the server refuses stands at its field
    expect(second.get_by_text("'model' cannot be changed here")).to_be_visible()
    second.get_by_label("Parameters").fill('{"temperature": 0}')
    second.get_by_label("Price of a million tokens in").fill("3")
    second.get_by_label("and of a million tokens out").fill("3")
    page.get_by_role("button", name="Forecast the cost").click()
    forecast = page.get_by_role("table", name="Forecast")
    row = forecast.get_by_role("row", name=re.compile("^openai.short"))
    expect(row.get_by_role("img")).to_have_accessible_name(re.compile(r"95 % interval: \$0\.\d+ to \$0\.\d+"))
    expect(row).to_contain_text("8 of 8")
    expect(page.get_by_text("is never reached: all calls together cannot cost more")).to_be_visible()
    assert models.seen == []  # nothing was sent, so nothing was spent
    # What was forecast is only said of what would be run
    first.get_by_label("Label").fill("short")
    expect(forecast).to_be_hidden()
    expect(page.get_by_role("button", name="Run the replay")).to_be_disabled()
    page.get_by_role("button", name="Forecast the cost").click()
    page.get_by_role("button", name="Run the replay").click()

    expect(page.get_by_role("heading", name="shorter?")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="16 of 16 calls ended")).to_contain_text("completed")
    cost = page.get_by_role("region", name="Cost")
    expect(cost.get_by_text(re.compile("^short: better: .* lower"))).to_be_visible()
    expect(cost.get_by_role("row", name=re.compile("^logged"))).to_contain_text("n = 8")
    expect(cost.get_by_role("row", name=re.compile("^logged")).get_by_role("img").first).to_be_visible()
    errors = page.get_by_role("region", name="Errors")
    expect(errors.get_by_text(re.compile("^short: cannot tell"))).to_be_visible()
    expect(page.get_by_role("region", name="Latency")).to_be_visible()
    sides = page.get_by_role("table", name="What became of the requests")
    expect(sides.get_by_role("row", name=re.compile("^with a prompt"))).to_contain_text("8")
    expect(page.get_by_text("Be brief.").first).to_be_visible()

    requests = page.get_by_role("region", name="Requests side by side")
    told = requests.get_by_role("region", name="with a prompt, request 1")
    expect(told.locator("ins").first).to_be_visible()
    expect(told).to_contain_text("% alike")
    requests.get_by_role("switch", name="Mark differences").uncheck(force=True)
    expect(told.locator("ins")).to_have_count(0)
    requests.get_by_role("link", name="both logs in full: request 1 of short").click()
    expect(page.get_by_role("heading", name="Compare two logs")).to_be_visible()
    facts = page.get_by_role("table", name="What the logs say")
    expect(facts.get_by_role("row", name=re.compile("^Model"))).to_contain_text("plain")
    expect(facts.get_by_role("row", name=re.compile("^Model"))).to_contain_text("short")
    assert page.evaluate("window.hit") is None

    view.open(f"/gateways/{gateway}/replays")
    listed = page.get_by_role("table", name="Replays").get_by_role("row", name=re.compile("^shorter?"))
    expect(listed).to_contain_text("16 of 16")
    listed.get_by_role("button", name="Delete shorter?").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is no replay yet")).to_be_visible()


def test_it_is_cancelled_and_goes_on(view: Watched, replaying: Server, models: ReplayingUpstream) -> None:
    gateway = _logged(replaying, [f"question {n}" for n in range(6)])
    view.open(f"/gateways/{gateway}/replays/new")
    page = view.sign_in(replaying.token)
    _fill(page, gateway, "held", "openai/loud")
    page.get_by_role("button", name="Forecast the cost").click()
    models.held = True
    page.get_by_role("button", name="Run the replay").click()
    sides = page.get_by_role("table", name="What became of the requests")
    row = sides.get_by_role("row", name=re.compile("^openai.loud"))
    expect(row).to_contain_text("4 under way")
    expect(page.get_by_text("held for calls under way")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status").filter(has_text="calls ended")).to_contain_text("cancelled")
    models.held = False
    page.get_by_role("button", name="Resume").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Cap for the whole replay").fill("2.5")
    dialog.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").filter(has_text="6 of 6 calls ended")).to_contain_text("completed")
    expect(page.get_by_text(re.compile(r"of \$2\.50 spent"))).to_be_visible()


def test_what_failed_is_said_and_retried(view: Watched, replaying: Server, models: ReplayingUpstream) -> None:
    gateway = _logged(replaying, ["easy one", "hard one", "easy two", "hard two"])
    images = {"model": "ok", "prompt": "a cat"}
    address = f"{replaying.gateway_url(gateway)}/openai/v1/images/generations"
    replaying.call("POST", address, images, {"authorization": "Bearer sk-somebody"})
    replaying.wait_for_logs(gateway, 5)
    view.open(f"/gateways/{gateway}/replays/new")
    page = view.sign_in(replaying.token)
    first = _fill(page, gateway, "fussy?", "openai/fussy")
    first.get_by_label("Price of a million tokens in").fill("")
    first.get_by_label("and of a million tokens out").fill("")
    page.get_by_role("button", name="Forecast the cost").click()
    # A price that nobody knows is said, and the replay refused until it is given or waived
    expect(page.get_by_role("table", name="Forecast")).to_contain_text("unknown")
    page.get_by_role("button", name="Run the replay").click()
    expect(first.get_by_text("What 'openai/fussy' costs is not known")).to_be_visible()
    first.get_by_label("Price of a million tokens in").fill("1")
    first.get_by_label("and of a million tokens out").fill("1")
    page.get_by_role("button", name="Forecast the cost").click()
    expect(page.get_by_role("table", name="Forecast")).to_contain_text("1: not a chat")
    page.get_by_role("button", name="Run the replay").click()
    expect(page.get_by_role("status").filter(has_text="calls ended")).to_contain_text("completed")
    sides = page.get_by_role("table", name="What became of the requests")
    row = sides.get_by_role("row", name=re.compile("^openai.fussy"))
    expect(row).to_contain_text("2: the provider’s failure")
    expect(row).to_contain_text("1: not a chat")
    requests = page.get_by_role("region", name="Requests side by side")
    _choose(requests, "Which are shown", "what failed")
    expect(requests.get_by_text("the provider’s failure", exact=False)).to_have_count(2)
    _choose(requests, "Which are shown", "what was skipped")
    expect(requests.get_by_text("not a chat", exact=False).first).to_be_visible()
    models.seen.clear()
    page.get_by_role("button", name="Retry what failed").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="calls ended")).to_contain_text("completed")
    assert {json.dumps(one["messages"]) for one in models.asked("fussy")} == {
        json.dumps([{"role": "user", "content": question}]) for question in ("hard one", "hard two")
    }


def test_a_reader_runs_nothing(view: Watched, replaying: Server) -> None:
    gateway = _logged(replaying, ["a question"])
    body = {"name": "reader of replays", "permissions": ["AI Gateway Read"]}
    reader = replaying.manage("POST", "/tokens", body)["value"]
    view.open(f"/gateways/{gateway}/replays/new")
    page = view.sign_in(reader)
    expect(page.get_by_text("This token may not replay")).to_be_visible()
    view.open(f"/gateways/{gateway}/replays")
    expect(page.get_by_text("There is no replay yet")).to_be_visible()
    expect(page.get_by_role("link", name="New replay")).to_be_hidden()
