"""Questions in Python: wrong at a line, tried on logs, saved, changed, deleted; and where none is run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Watched, watched
from support.server import Server, running_server
from support.upstream import Upstream


@pytest.fixture(scope="module")
def trusting(
    tmp_path_factory: pytest.TempPathFactory, shared_upstream: Upstream, dashboard: None
) -> Iterator[Server]:
    """A server that runs users' Python."""
    folder = tmp_path_factory.mktemp("trusting")
    with running_server(folder, shared_upstream.url, GAUGEWAY_PYTHON_EVALUATORS="true") as running:
        yield running


def test_a_question_is_written_tried_saved_changed_and_deleted(trusting: Server, browser: Browser) -> None:
    trusting.make_gateway("main")
    assert trusting.chat("main", "ok-asked").status == 200
    trusting.wait_for_logs("main", 1)
    with watched(browser, trusting.url) as view:
        view.open("/gateways/main/evaluations")
        page = view.sign_in(trusting.token)
        page.get_by_role("link", name="Questions").click()
        expect(page.get_by_text("There is no question of your own yet")).to_be_visible()
        page.get_by_role("link", name="New question in Python").click()
        source = page.get_by_role("textbox", name="Python", exact=True)
        source.fill("")
        source.press_sequentially("def score(sample):\nreturn (")
        expect(source).to_have_value("def score(sample):\n    return (")
        page.get_by_role("button", name="Try it").click()
        expect(source).to_have_accessible_description(re.compile("line 2: '\\(' was never closed"))
        source.fill("def score(sample):\n    return len(sample['answer'].split())\n")
        page.get_by_role("button", name="Try it").click()
        tried = page.get_by_role("table", name="What it says of each log")
        expect(tried).to_contain_text("for a share it has to be True or False")
        page.get_by_text("An average").click()
        page.get_by_label("In", exact=True).fill("words")
        expect(page.get_by_text("It was changed since it was tried")).to_be_visible()
        page.get_by_role("button", name="Try it").click()
        expect(tried.get_by_role("cell", name="5", exact=True)).to_be_visible()
        page.get_by_label("Name of the question").fill("Long")
        page.get_by_role("button", name="Save the question").click()
        row = page.get_by_role("table", name="Questions").get_by_role("row", name=re.compile("^Long "))
        expect(row.get_by_text("words, higher is better")).to_be_visible()

        row.get_by_role("link", name="Change Long").click()
        expect(page.get_by_label("Name of the question")).to_have_value("Long 2")
        page.get_by_role("combobox", name="Which is better").click()
        page.get_by_role("option", name="neither is better").click()
        page.get_by_role("checkbox", name="Then delete “Long”").check()
        page.get_by_role("button", name="Save the question").click()
        expect(page.get_by_role("table", name="Questions").locator("tbody tr")).to_have_count(1)
        [kept] = [one for one in trusting.manage("GET", "/evaluation-types?per_page=50") if one["parameters"]]
        assert (kept["name"], kept["unit"], kept["direction"]) == ("Long 2", "words", "neither")
        page.get_by_role("button", name="Delete Long 2").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("There is no question of your own yet")).to_be_visible()
        view.check()


def test_where_no_python_is_run_it_says_what_to_do(site: Watched, server: Server, gateway: str) -> None:
    site.open(f"/gateways/{gateway}/evaluations/questions/new?evaluator=python")
    page = site.sign_in(server.token)
    expect(page.get_by_text("GAUGEWAY_PYTHON_EVALUATORS=true turns it on")).to_be_visible()
    page.get_by_label("Name of the question").fill("anything")
    expect(page.get_by_role("button", name="Try it")).to_be_disabled()
    expect(page.get_by_role("button", name="Save the question")).to_be_disabled()
