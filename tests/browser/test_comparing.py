"""Two logs side by side, and the page of a dataset with its logs and snapshots."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from support.browser import Watched
from support.server import Server

ATTACK = "<img src=x onerror=window.hit=1>"


def _ask(server: Server, gateway: str, model: str, words: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": words}]}
    address = f"{server.gateway_url(gateway)}/openai/v1/chat/completions"
    assert server.call("POST", address, body, {"authorization": "Bearer sk-somebody"}).status == 200


def test_two_answers_side_by_side(site: Watched, server: Server, gateway: str) -> None:
    _ask(server, gateway, "ok-first", "Say hello.")
    _ask(server, gateway, "echo", f"Say {ATTACK}.")
    server.wait_for_logs(gateway, 2)
    site.open(f"/gateways/{gateway}/logs")
    page = site.sign_in(server.token)
    rows = page.get_by_role("table", name="Logs").locator("tbody tr")
    rows.filter(has_text="ok-first").click()
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Choose the log to compare with")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
    rows.filter(has_text="echo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Compare two logs")).to_be_visible()
    facts = page.get_by_role("table", name="What the logs say")
    expect(facts.get_by_role("row", name=re.compile("^Model"))).to_contain_text("ok-first")
    expect(facts.get_by_role("row", name=re.compile("^Model"))).to_contain_text("echo")
    first, second = (page.get_by_role("region", name=f"Asked: {which}") for which in ("first", "second"))
    expect(first.locator("del")).to_have_text(["hello"])
    expect(second.locator("ins")).to_have_text([ATTACK])
    expect(second).to_contain_text(f"user: Say {ATTACK}.")
    expect(page.get_by_role("region", name="Answered: first")).to_contain_text("Hello there, how are you?")
    page.get_by_role("switch", name="Mark differences").uncheck(force=True)
    expect(page.get_by_role("region", name="Answered: second").locator("ins")).to_have_count(0)
    assert page.evaluate("window.hit") is None


def test_what_is_the_same_is_said(site: Watched, server: Server, gateway: str) -> None:
    for model in ("ok-one", "ok-two"):
        _ask(server, gateway, model, "Say hello.")
    logs = server.wait_for_logs(gateway, 2)
    site.open(f"/gateways/{gateway}/logs/compare?ids={logs[0]['id']},{logs[1]['id']}")
    page = site.sign_in(server.token)
    expect(page.get_by_text("the same, word for word")).to_be_visible()
    expect(page.get_by_text("the same of both")).to_be_visible()
    site.open(f"/gateways/{gateway}/logs/compare?ids={logs[0]['id']},nothing")
    expect(page.get_by_role("alert")).to_contain_text("nothing")  # in the server's words
    page.get_by_role("link", name="All logs").click()
    expect(page.get_by_role("table", name="Logs")).to_be_visible()


def test_a_dataset_shows_its_logs(site: Watched, server: Server, gateway: str) -> None:
    for model in ("ok-in", "ok-in", "error-500"):
        server.chat(gateway, model)
    server.wait_for_logs(gateway, 3)
    filters = [{"key": "model", "operator": "eq", "value": ["ok-in"]}]
    body = {"name": f"named {ATTACK}", "enable": True, "filters": filters}
    server.manage("POST", f"/gateways/{gateway}/datasets", body)
    site.open(f"/gateways/{gateway}/datasets")
    page = site.sign_in(server.token)
    page.get_by_role("link", name=f"named {ATTACK}", exact=True).click()
    expect(page.get_by_role("heading", name=f"named {ATTACK}")).to_be_visible()
    expect(page.get_by_text("2 logs match")).to_be_visible()
    rows = page.get_by_role("table", name="Its logs").locator("tbody tr")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("link", name="Open the log").click()
    expect(page.get_by_role("dialog").get_by_text("Hello there, how are you?")).to_be_visible()
    assert page.evaluate("window.hit") is None


def test_a_dataset_is_frozen_expected_and_exported(site: Watched, server: Server, gateway: str) -> None:
    _ask(server, gateway, "ok-frozen", f"Say {ATTACK}.")
    server.wait_for_logs(gateway, 1)
    body = {"name": "to freeze", "enable": True, "filters": []}
    dataset = server.manage("POST", f"/gateways/{gateway}/datasets", body)
    site.open(f"/gateways/{gateway}/datasets/{dataset['id']}")
    page = site.sign_in(server.token)
    expect(page.get_by_text("Nothing is frozen yet")).to_be_visible()
    page.get_by_role("button", name="Freeze the dataset").click()
    page.get_by_role("dialog").get_by_label("Name").fill("first")
    page.get_by_role("dialog").get_by_role("button", name="Freeze it").click()
    row = page.get_by_role("table", name="Snapshots").get_by_role("row", name="first")
    expect(row).to_contain_text("ready")
    row.get_by_role("button", name="Items of first").click()
    items = page.get_by_role("table", name="Items of first")
    expect(items).to_contain_text("ok-frozen")
    items.get_by_role("button", name="Expected answer").click()
    page.get_by_role("dialog").get_by_label("Answer").fill(ATTACK)
    page.get_by_role("dialog").get_by_role("button", name="Save it").click()
    expect(items).to_contain_text(ATTACK)
    row.get_by_role("button", name="Export first").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Everything").click()
    assert download.value.suggested_filename == "to_freeze-first-plain.jsonl"
    (line,) = download.value.path().read_text().splitlines()
    assert json.loads(line)["expected"] == ATTACK
    row.get_by_role("button", name="Delete first").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing is frozen yet")).to_be_visible()
    assert page.evaluate("window.hit") is None
