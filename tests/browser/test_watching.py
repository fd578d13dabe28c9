"""Monitors and shadows on their pages: set up, followed while traffic comes, read, paused and stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Watched, watched
from support.replaying_upstream import ReplayingUpstream
from support.server import Server, running_server
from support.upstream import running_upstream
from support.webhook_receiver import SECRET, Receiver, receiving

ATTACK = "<img src=x onerror=window.hit=1>"
_numbers = count(1)


@pytest.fixture(scope="module")
def models() -> Iterator[ReplayingUpstream]:
    with running_upstream(ReplayingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, models: ReplayingUpstream) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("watching")
    with running_server(folder, models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


@pytest.fixture
def view(serving: Server, dashboard: None, browser: Browser) -> Iterator[Watched]:
    with watched(browser, serving.url) as opened:
        yield opened
        opened.check()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def _gateway(server: Server) -> str:
    return server.make_gateway(f"watched-{next(_numbers)}")


def _ask(server: Server, gateway: str, question: str, times: int = 1, **headers: str) -> None:
    """`plain` says what it is asked, so "{}" is answered with JSON."""
    cost = {"cf-aig-custom-cost": '{"per_token_in": 0.00001, "per_token_out": 0.00002}', **headers}
    for _ in range(times):
        messages = [{"role": "user", "content": question}]
        assert server.chat(gateway, "plain", headers=cost, messages=messages, max_tokens=50).status == 200


def _choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("combobox", name=field).click()
    page.get_by_role("option", name=option, exact=True).click()


def _fill_monitor(page: Page, name: str, webhook: str) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("checkbox", name="Human feedback").uncheck()
    page.get_by_role("checkbox", name="JSON validity").check()
    _choose(page, "It looks", "every week")
    page.get_by_label("Seconds to let a window settle").fill("0")
    page.get_by_label("Logs at least").fill("15")
    page.get_by_label("Webhook").fill(webhook)
    page.get_by_label("Secret that signs").fill(SECRET)


def test_a_monitor_is_set_up_and_tells_of_a_drop(view: Watched, serving: Server, receiver: Receiver) -> None:
    gateway = _gateway(serving)
    view.open(f"/gateways/{gateway}/monitors")
    page = view.sign_in(serving.token)
    expect(page.get_by_text("There is no monitor yet")).to_be_visible()
    page.get_by_role("link", name="New monitor").click()
    begin = page.get_by_role("button", name="Begin to watch")
    expect(begin).to_be_disabled()
    _fill_monitor(page, f"quality {ATTACK}", "ftp://nowhere.example")
    expect(page.get_by_text("there is an alert where p is at most 0.0083")).to_be_visible()
    begin.click()
    # What the server refuses stands at its field
    expect(page.get_by_label("Webhook")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Webhook").fill(receiver.url)
    begin.click()
    expect(page.get_by_role("region", name="the secret")).to_have_text(SECRET)
    page.get_by_role("link", name="To the monitor").click()
    expect(page.get_by_role("heading", name="quality")).to_be_visible()
    expect(page.get_by_text("No window has ended yet")).to_be_visible()

    _ask(serving, gateway, "{}", 20)
    page.get_by_role("button", name="Run now").click()
    windows = page.get_by_role("table", name="Windows")
    expect(windows.get_by_role("row", name=re.compile("nothing to compare with")).first).to_contain_text("20")
    _ask(serving, gateway, f"no JSON {ATTACK}", 16)
    _ask(serving, gateway, "{}", 4)
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status").filter(has_text="JSON validity: worse than before")).to_be_visible()
    expect(windows.get_by_role("row", name=re.compile("worse than before")).first).to_contain_text(
        "a notice was made"
    )
    drawing = page.get_by_role("img", name=re.compile("JSON validity over 2 windows, 1 of them worse than before"))
    expect(drawing.locator("[data-finding='worse'] circle")).to_have_count(1)
    said = page.get_by_role("table", name=re.compile("What the window until"))
    expect(said.get_by_role("row", name=re.compile("JSON validity"))).to_contain_text("20.0 %")
    expect(said.get_by_role("row", name=re.compile("JSON validity"))).to_contain_text("100.0 %")
    expect(said.get_by_role("img")).to_have_accessible_name(re.compile(r"95 % interval: -\d+\.\d % to -\d+\.\d %"))
    # The other window's details, by keys
    page.get_by_role("button", name=re.compile("What the window until")).nth(1).press("Enter")
    expect(said).to_contain_text("there is no earlier window with a figure to compare with")

    assert receiver.wait_for(1)[0]["signed"]
    notices = page.get_by_role("region", name="Notices")
    expect(notices.get_by_text("delivered", exact=True)).to_be_visible()
    expect(notices.get_by_role("list", name="Tries")).to_contain_text("status 204")
    notices.get_by_role("button", name="Show what is sent").click()
    expect(notices.get_by_role("region", name="the body of the webhook")).to_contain_text('"type": "monitor.alert"')
    page.get_by_role("link", name=re.compile("Evaluation of the window")).first.click()
    expect(page.get_by_role("table", name="Results")).to_contain_text("JSON validity")
    assert page.evaluate("window.hit") is None


def _made(server: Server, gateway: str, **more: Any) -> str:
    """A monitor of two datasets' logs, made by a program; its path."""
    filters = [{"key": "model", "operator": "eq", "value": ["plain"]}]
    body = {"name": "by a program", "evaluation_type_ids": ["cost", "json_validity"], "interval_minutes": 90}
    made = server.manage("POST", f"/gateways/{gateway}/monitors", {**body, "filters": filters, **more})
    return f"/gateways/{gateway}/monitors/{made['id']}"


def test_a_monitor_is_paused_resumed_changed_and_deleted(view: Watched, serving: Server) -> None:
    gateway = _gateway(serving)
    margins = {"cost": {"amount": 12.5, "unit": "percent"}}
    path = _made(serving, gateway, share=0.123456789, margins=margins, webhook={"url": "http://127.0.0.1:9/secret"})
    before = serving.manage("GET", path)
    view.open(path)
    page = view.sign_in(serving.token)
    expect(page.get_by_text("http://127.0.0.1:9/secret")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").filter(has_text="It is paused")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_be_hidden()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Run now")).to_be_visible()
    page.get_by_role("link", name="Change").click()
    expect(page.get_by_role("radio", name=re.compile("As so far"))).to_be_checked()
    expect(page.get_by_label("Minutes")).to_have_value("90")
    page.get_by_label("Minutes").fill("99999999999999")  # no date is so far away
    expect(page.get_by_role("heading", name="How often")).to_be_visible()
    page.get_by_label("Minutes").fill("90")
    page.get_by_label("Cap a day, in dollars").fill("0.5")
    page.get_by_role("button", name="Save the monitor").click()
    expect(page.get_by_text("spend at most $0.50 in a day")).to_be_visible()
    # Nothing else has changed, to the last digit, and what it watches is the very same
    changed = {"modified_at", "counted_until", "next_at", "daily_max_cost", "spent_today"}
    after = serving.manage("GET", path)
    assert {key: after[key] for key in before.keys() - changed} == {
        key: before[key] for key in before.keys() - changed
    }
    assert after["daily_max_cost"] == "0.5"

    page.get_by_role("link", name="Change").click()
    page.get_by_label("Requests that are alike").fill("colour")
    page.get_by_role("button", name="Save the monitor").click()
    expect(page.get_by_label("Requests that are alike")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Requests that are alike").fill("metadata.user")
    page.get_by_role("button", name="Save the monitor").click()
    expect(page.get_by_role("button", name="Run now")).to_be_visible()
    assert serving.manage("GET", path)["cluster_by"] == "metadata.user"

    body = {"name": "reader of monitors", "permissions": ["AI Gateway Read"]}
    reader = serving.manage("POST", "/tokens", body)["value"]
    with watched(view.page.context.browser, serving.url) as other:  # type: ignore[arg-type]
        other.open(path)
        read = other.sign_in(reader)
        expect(read.get_by_text(re.compile(r"^http://127\.0\.0\.1:9/(?!secret)"))).to_be_visible()
        expect(read.get_by_role("button", name="Pause")).to_be_hidden()
        other.open(f"/gateways/{gateway}/monitors/new")
        expect(read.get_by_text("This token may not set up monitors")).to_be_visible()
        other.open(f"/gateways/{gateway}/shadows/new")
        expect(read.get_by_text("This token may not shadow")).to_be_visible()
        other.check()

    view.open(f"/gateways/{gateway}/monitors")
    page.get_by_role("button", name="Delete by a program").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is no monitor yet")).to_be_visible()


def _fill_shadow(page: Page, gateway: str, name: str, cap: str) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Share of the requests").fill("100")
    _choose(page, "Through the gateway", f"{gateway}-lab")
    first = page.get_by_role("region", name="Candidate 1")
    first.get_by_role("combobox", name="Model").fill("openai/short")
    page.get_by_label("Cap a day, in dollars").fill(cap)


def test_a_shadow_is_begun_followed_and_stopped(view: Watched, serving: Server) -> None:
    gateway = _gateway(serving)
    serving.make_gateway(f"{gateway}-lab")
    view.open(f"/gateways/{gateway}/shadows")
    page = view.sign_in(serving.token)
    expect(page.get_by_text("There is no shadow yet")).to_be_visible()
    page.get_by_role("link", name="New shadow").click()
    _fill_shadow(page, gateway, "shorter?", "0.5")
    begin = page.get_by_role("button", name="Begin to shadow")
    look = page.get_by_role("button", name="Forecast a day’s cost")
    expect(begin).to_be_disabled()
    look.click()
    expect(page.get_by_role("region", name="What a day would cost")).to_contain_text("Nothing to tell from")
    begin.click()
    first = page.get_by_role("region", name="Candidate 1")
    expect(first.get_by_text("What 'openai/short' costs is not known")).to_be_visible()
    first.get_by_label("Price of a million tokens in").fill("1")
    first.get_by_label("and of a million tokens out").fill("2")
    expect(begin).to_be_disabled()
    look.click()
    begin.click()
    expect(page.get_by_role("heading", name="shorter?")).to_be_visible()
    expect(page.get_by_text("The comparison shows here")).to_be_visible()

    for number in range(8):
        _ask(serving, gateway, f"Question {number} {ATTACK} has{' so' * number} many words")
    _ask(serving, gateway, "a test of ours", **{"user-agent": "gaugeway-eval"})
    expect(page.get_by_role("status").filter(has_text="9 requests seen, 9 of them drawn")).to_contain_text(
        "8 of at most"
    )
    drawn = page.get_by_role("table", name="What became of the drawn requests")
    expect(drawn.get_by_role("row", name=re.compile("^Skipped"))).to_contain_text("1: the program’s own call")
    expect(drawn.get_by_role("row", name=re.compile("^Called"))).to_contain_text("88.9 %")
    expect(page.get_by_text(re.compile(r"of \$0\.50 spent today"))).to_be_visible()
    expect(page.get_by_text("provisional", exact=True)).to_be_visible()
    told = page.get_by_role("region", name="openai/short, request 1")
    expect(told.locator("ins, del").or_(told.get_by_text("% alike")).first).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("status").filter(has_text="requests seen")).to_contain_text("stopped")
    expect(page.get_by_text("They are over 8 requests.")).to_be_visible()
    cost = page.get_by_role("region", name="Cost")
    expect(cost.get_by_text(re.compile("^openai/short: better: .* lower"))).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_label("Requests at most").fill("8")
    page.get_by_role("dialog").get_by_role("button", name="Resume it").click()
    expect(page.get_by_role("dialog")).to_contain_text("name a higher max_items")
    page.get_by_role("dialog").get_by_label("Requests at most").fill("20")
    page.get_by_role("dialog").get_by_role("button", name="Resume it").click()
    expect(page.get_by_role("status").filter(has_text="requests seen")).to_contain_text("8 of at most 20 called")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("link", name="both logs in full: request 1 of openai/short").click()
    expect(page.get_by_role("heading", name="Compare two logs")).to_be_visible()
    assert page.evaluate("window.hit") is None
    view.open(f"/gateways/{gateway}/shadows")
    page.get_by_role("button", name="Delete shorter?").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is no shadow yet")).to_be_visible()


def test_a_days_cap_without_room_is_said(view: Watched, serving: Server) -> None:
    gateway = _gateway(serving)
    through = serving.make_gateway(f"{gateway}-lab")
    price = {"cost_per_token_in": 0.001, "cost_per_token_out": 0.001}
    body = {"name": "dear", "through": through, "candidates": [{"model": "openai/short", **price}], "share": 100}
    made = serving.manage("POST", f"/gateways/{gateway}/shadows", {**body, "daily_cap": 0.000001})
    view.open(f"/gateways/{gateway}/shadows/{made['id']}")
    page = view.sign_in(serving.token)
    _ask(serving, gateway, "a question", 2)
    drawn = page.get_by_role("table", name="What became of the drawn requests")
    expect(drawn.get_by_role("row", name=re.compile("^Missed"))).to_contain_text("2: the cap had no room left")
    expect(page.get_by_role("status").filter(has_text="requests seen")).to_contain_text("paused: cap reached")
    expect(page.get_by_text("The day’s cap has no room left")).to_be_visible()
