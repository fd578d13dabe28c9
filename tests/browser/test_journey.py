"""From an empty installation to a dataset, as somebody does it who would rather look than read."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from support.browser import Watched, watched
from support.server import Server


def test_first_run_to_dataset(fresh: Server, browser: Browser) -> None:
    with watched(browser, fresh.url) as view:
        view.open()
        page = view.sign_in(fresh.token)
        _first_run(page, fresh)
        _log_and_feedback(page, fresh)
        _dataset(page, fresh)
        view.check()


def _first_run(page: Page, server: Server) -> None:
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    page.get_by_label("Id").fill("my-gateway")
    page.get_by_role("button", name="Create the gateway").click()
    expect(page.get_by_text("Waiting for the first request")).to_be_visible()
    snippet = page.get_by_role("region", name="python example").inner_text()
    assert f'base_url="{server.gateway_url("my-gateway")}/openai"' in snippet
    assert len(snippet.strip().splitlines()) == 3
    assert server.chat("my-gateway", "ok-first", headers={"cf-aig-metadata": '{"team": "blue"}'}).status == 200
    # It shows up by itself, opened
    expect(page.get_by_role("dialog").get_by_text("ok-first").first).to_be_visible()


def _log_and_feedback(page: Page, server: Server) -> None:
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Say hello.")).to_be_visible()
    expect(drawer.get_by_text("Hello there, how are you?")).to_be_visible()
    expect(drawer.get_by_text("unknown:")).to_be_visible()  # no price for such a model, and it says so
    drawer.get_by_role("button", name="Thumbs up").click()
    expect(drawer.get_by_role("button", name="Thumbs up")).to_have_attribute("aria-pressed", "true")
    drawer.get_by_role("tab", name="Details").click()
    drawer.get_by_label("Score, 0 to 100").fill("80")
    drawer.get_by_role("button", name="Save the score").click()
    expect(drawer.get_by_text("saved")).to_be_visible()
    drawer.get_by_role("button", name="Add an entry").click()
    drawer.get_by_label("Key 2").fill("stage")
    drawer.get_by_label("Value 2").fill("test")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        drawer.get_by_role("button", name="Save the metadata").click()
    (log,) = server.logs("my-gateway")
    assert (log["feedback"], log["score"], log["metadata"]) == (1, 80, {"team": "blue", "stage": "test"})
    drawer.get_by_role("button", name="Filter by this model").click()
    page.keyboard.press("Escape")


def _dataset(page: Page, server: Server) -> None:
    assert server.chat("my-gateway", "ok-second").status == 200
    assert server.chat("my-gateway", "error-500").status == 500
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("table", name="Logs").get_by_role("row")).to_have_count(
        2
    )  # its head, and the one model
    page.get_by_role("button", name="Remove the filter: Model is ok-first").click()
    expect(page.get_by_role("table", name="Logs").get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("combobox", name="What").click()
    page.get_by_role("option", name="Success").click()
    page.get_by_role("combobox", name="Value").click()
    page.get_by_role("option", name="yes").click()
    page.get_by_role("button", name="Add the filter").click()
    expect(page.get_by_role("table", name="Logs").get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Create dataset from these filters").click()
    dialog = page.get_by_role("dialog", name="New dataset")
    expect(dialog.get_by_text("2 logs match")).to_be_visible()
    dialog.get_by_label("Name").fill("good ones")
    dialog.get_by_role("button", name="Create the dataset").click()
    expect(dialog).to_be_hidden()
    (dataset,) = server.manage("GET", "/gateways/my-gateway/datasets")
    assert dataset["name"] == "good ones"
    assert dataset["filters"] == [{"key": "success", "operator": "eq", "value": [True]}]


def test_the_log_list_pages_sorts_and_follows(site: Watched, server: Server, gateway: str) -> None:
    for number in range(53):
        assert server.chat(gateway, f"ok-{number:02}").status == 200
    site.open(f"/gateways/{gateway}/logs")
    page = site.sign_in(server.token)
    rows = page.get_by_role("table", name="Logs").locator("tbody tr")
    expect(page.get_by_text("1–50 of 53")).to_be_visible()
    expect(rows.first).to_contain_text("ok-52")
    page.get_by_role("button", name="Next page").click()
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    page.go_back()
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Model", exact=True).click()
    expect(rows.first).to_contain_text("ok-52")
    page.get_by_role("button", name="Model", exact=True).click()
    expect(rows.first).to_contain_text("ok-00")
    expect(page.get_by_role("columnheader", name="Model")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Time").click()
    page.get_by_role("switch", name="Live").check(force=True)
    assert server.chat(gateway, "ok-live").status == 200
    expect(rows.first).to_contain_text("ok-live")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Log id").click()
    expect(page.get_by_role("columnheader", name="Log id")).to_be_visible()


def test_a_log_opens_by_keyboard_and_its_address_can_be_kept(site: Watched, server: Server, gateway: str) -> None:
    server.chat(gateway, "ok-keys", stream=True)
    (log,) = server.wait_for_logs(gateway, 1)
    site.open(f"/gateways/{gateway}/logs")
    page = site.sign_in(server.token)
    page.get_by_role("table", name="Logs").locator("tbody tr").first.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Hello there, how are you?")).to_be_visible()  # the stream, put together
    expect(page).to_have_url(re.compile(f"log={log['id']}"))
    drawer.get_by_role("tab", name="Attempts").click()
    expect(drawer.get_by_role("table", name="Attempts")).to_contain_text("openai")
    drawer.get_by_role("tab", name="Response").click()
    expect(drawer.get_by_text("data: ").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog").get_by_text("Say hello.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("log="))


def test_evaluations_and_comparing_them(site: Watched, server: Server, gateway: str) -> None:
    for number in range(6):
        server.chat(gateway, "ok-left" if number % 2 else "ok-right")
    for log in server.wait_for_logs(gateway, 6):
        server.manage("PATCH", f"/gateways/{gateway}/logs/{log['id']}", {"feedback": 1})
    for model in ("ok-left", "ok-right"):
        filters = [{"key": "model", "operator": "eq", "value": [model]}]
        server.manage("POST", f"/gateways/{gateway}/datasets", {"name": model, "enable": True, "filters": filters})
    site.open(f"/gateways/{gateway}/datasets")
    page = site.sign_in(server.token)
    for model in ("ok-left", "ok-right"):
        page.get_by_role("link", name="Datasets").click()
        expect(page.get_by_role("row", name=model).get_by_role("cell", name="3", exact=True)).to_be_visible()
        page.get_by_role("link", name=f"Evaluate {model}").click()
        dialog = page.get_by_role("dialog", name="New evaluation")
        expect(dialog.get_by_text(f"{model}: 3 logs now")).to_be_visible()
        dialog.get_by_label("Name").fill(f"about {model}")
        dialog.get_by_role("button", name="Run").click()
        expect(page.get_by_role("heading", name=f"about {model}")).to_be_visible()
        feedback = page.get_by_role("table", name="Results").get_by_role("row", name=re.compile("^Human feedback "))
        expect(feedback.get_by_text("100.0 %", exact=True)).to_be_visible()
        expect(feedback.get_by_role("img", name="3 used, 0 left out, 0 failed")).to_be_visible()
        expect(feedback.get_by_role("img", name=re.compile(r"95 % interval: 43\.\d % to 100"))).to_be_visible()
        cost = page.get_by_role("table", name="Results").get_by_role("row", name=re.compile("^Cost "))
        expect(cost.get_by_text("no usable logs", exact=True)).to_be_visible()  # such a model has no price
        page.get_by_role("link", name="Evaluations").click()
    for model in ("ok-left", "ok-right"):
        page.get_by_role("checkbox", name=f"Choose about {model}").check()
    page.get_by_role("button", name="Compare 2").click()
    expect(page.get_by_role("table", name="Human feedback").get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("table", name="Speed").get_by_role("link", name="about ok-left")).to_be_visible()
    compared = page.get_by_text(re.compile("^about ok-(left|right): "))  # each question's verdict, in words
    expect(compared).to_have_count(3)


def test_the_overview_says_what_is_not_known(site: Watched, server: Server, gateway: str) -> None:
    server.chat(gateway, "ok-overview")
    server.chat(gateway, "error-500")
    server.wait_for_logs(gateway, 2)
    site.open(f"/gateways/{gateway}/overview")
    page = site.sign_in(server.token)
    expect(page.get_by_text("and 2 requests of unknown cost")).to_be_visible()
    expect(page.get_by_text("50.0 % of requests")).to_be_visible()
    row = page.get_by_role("table", name="By model").get_by_role("row", name="ok-overview")
    expect(row.get_by_role("cell", name="unknown", exact=True)).to_be_visible()
    page.get_by_role("link", name="ok-overview").click()
    expect(page.get_by_role("table", name="Logs").locator("tbody tr")).to_have_count(1)
    site.open("/")
    expect(page.get_by_role("row", name=gateway).get_by_role("cell").nth(1)).to_have_text("2")


def test_a_question_with_parameters_and_the_logs_behind_its_answer(
    site: Watched, server: Server, gateway: str
) -> None:
    server.chat(gateway, "ok-asked")
    server.chat(gateway, "ok-asked", stream=True)
    server.wait_for_logs(gateway, 2)
    server.manage("POST", f"/gateways/{gateway}/datasets", {"name": "both", "enable": True, "filters": []})
    site.open(f"/gateways/{gateway}/datasets")
    page = site.sign_in(server.token)
    page.get_by_role("link", name="Evaluate both").click()
    dialog = page.get_by_role("dialog", name="New evaluation")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("with a pattern")
    dialog.get_by_role("button", name="A question with parameters").click()
    dialog.get_by_role("combobox", name="Evaluator").click()
    page.get_by_role("option", name=re.compile("regular expression|regex", re.IGNORECASE)).click()
    dialog.get_by_label("Name of the question").fill(f"says hello in {gateway}")
    dialog.get_by_label("Parameters").fill('{"pattern": "Hello"}')
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_role("checkbox", name=f"says hello in {gateway}")).to_be_checked()
    dialog.get_by_role("button", name="Run").click()
    row = page.get_by_role("table", name="Results").get_by_role("row", name=re.compile("^says hello"))
    expect(row.get_by_role("img", name="2 used, 0 left out, 0 failed")).to_be_visible(timeout=60_000)
    row.get_by_role("button", name="Its logs").click()
    items = page.get_by_role("table", name=re.compile("logs$"))
    expect(items.get_by_text("scored")).to_have_count(2)
    items.get_by_role("link").first.click()
    expect(page.get_by_role("dialog").get_by_text("Hello there, how are you?")).to_be_visible()
