"""Pictures of every page in both colour schemes, for the documentation: `make screenshots`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page

from support import scene
from support.browser import build_dashboard, running_browser, watched
from support.server import TOKEN

TARGET = Path(__file__).resolve().parents[2] / "docs" / "images"
HERE = f"/gateways/{scene.GATEWAY}"
GROUPS = [
    {"key": "metadata.team", "operator": "eq", "value": ["blue"]},
    {
        "any_of": [
            {"key": "success", "operator": "eq", "value": [False]},
            {
                "all_of": [
                    {"key": "model", "operator": "contains", "value": ["mini"]},
                    {"key": "duration", "operator": "gt", "value": [1500]},
                ]
            },
        ]
    },
    {"none_of": [{"key": "response_body", "operator": "contains", "value": ["Norway"]}]},
]
LIVE = f"/gateways/{scene.ADVICE}"
SAME_QUESTION = [{"key": "metadata.question", "operator": "eq", "value": ["parcel"]}]


def _logs(page: Page) -> None:
    page.get_by_role("table", name="Logs").wait_for()


def _groups(page: Page) -> None:
    _logs(page)
    page.get_by_role("button", name="Change the group").first.click()
    page.get_by_role("group", name="Group 2.2").wait_for()


def _log(page: Page) -> None:
    page.get_by_role("table", name="Logs").get_by_text("success").first.click()
    page.get_by_text("You help customers").wait_for()


def _table(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("table", name=name).wait_for()


def _overview(page: Page) -> None:
    page.get_by_role("table", name="By model").wait_for()
    page.locator(".plot svg").nth(3).wait_for()


def _datasets(page: Page) -> None:
    _table("Datasets")(page)
    page.get_by_text("…", exact=True).first.wait_for(state="detached")


def _dataset(page: Page) -> None:
    page.get_by_role("link", name="slow and good", exact=True).click()
    _table("Its logs")(page)
    page.get_by_text("counting", exact=False).wait_for(state="detached")


def _compare_logs(page: Page) -> None:
    rows = page.get_by_role("table", name="Logs").locator("tbody tr")
    rows.filter(has_text="gpt-5-mini").filter(has_text="success").first.click()
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Choose the log").wait_for()
    rows.filter(has_text="claude").filter(has_text="success").first.click()
    page.get_by_role("heading", name="What was asked").wait_for()


def _python(page: Page) -> None:
    page.get_by_role("link", name="Change Says when").click()
    page.get_by_role("button", name="Try it").click()
    _table("What it says of each log")(page)


def _evaluation(page: Page) -> None:
    page.get_by_role("table", name="Evaluations").get_by_role("link").first.click()
    _table("Results")(page)
    _table("By group")(page)


def _queue(page: Page) -> None:
    page.get_by_role("table", name="Annotation queues").get_by_role("link").first.click()
    _table("Agreement")(page)


def _calibration(page: Page) -> None:
    _queue(page)
    page.get_by_role("link", name="Hold a judge against it").click()
    page.get_by_role("combobox", name="Evaluation").click()
    page.get_by_role("option", name="right answers, by a judge").click()
    page.get_by_role("combobox", name="Question").click()
    page.get_by_role("option", name="Right, as a judge says").click()
    _table("Confusion table")(page)
    _table("Agreement")(page)


def _replay(page: Page) -> None:
    page.get_by_role("table", name="Replays").get_by_role("link").first.click()
    _table("Cost")(page)
    page.get_by_role("region", name="Request 1", exact=True).wait_for()


def _replayed(page: Page) -> None:
    _replay(page)
    page.get_by_role("region", name="Requests side by side").scroll_into_view_if_needed()


def _new_replay(page: Page) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill("would gpt-5-nano do?")
    page.get_by_role("combobox", name="Through the gateway").click()
    page.get_by_role("option", name=scene.LABORATORY).click()
    page.get_by_role("combobox", name="Model").fill("openai/gpt-5-nano")
    page.get_by_role("button", name="Forecast the cost").click()
    _table("Forecast")(page)
    page.get_by_role("region", name="What it would cost").scroll_into_view_if_needed()


def _monitor(page: Page) -> None:
    page.get_by_role("table", name="Monitors").get_by_role("link", name="quality").click()
    _table("Windows")(page)
    page.get_by_role("table", name="What the window until").wait_for()
    page.locator(".plot svg").nth(3).wait_for()
    page.get_by_role("region", name="Notices").get_by_text("status 204").wait_for()


def _new_monitor(page: Page) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill("quality of the small model")
    page.get_by_role("radio", name="filters of its own").check()
    page.get_by_text("all of them:", exact=False).wait_for()


def _shadow(page: Page) -> None:
    page.get_by_role("table", name="Shadows").get_by_role("link", name="a smaller one").click()
    _table("Cost")(page)
    page.get_by_role("region", name="Request ").first.wait_for()


def _new_shadow(page: Page) -> None:
    page.get_by_role("textbox", name="Name", exact=True).fill("would gpt-5-nano do?")
    page.get_by_role("combobox", name="Through the gateway").click()
    page.get_by_role("option", name=scene.LABORATORY).click()
    page.get_by_role("combobox", name="Model").fill("openai/gpt-5-nano")
    page.get_by_role("button", name="Forecast a day’s cost").click()
    _table("Forecast")(page)
    page.get_by_role("region", name="What a day would cost").scroll_into_view_if_needed()


def _conditions(page: Page) -> None:
    page.get_by_role("table", name="Dynamic routes").get_by_role("link", name="support").click()
    page.get_by_role("button", name="Condition paying").click()
    page.get_by_role("button", name="Add a group", exact=True).click()
    page.get_by_role("combobox", name="Value 2.1").fill("body.max_tokens")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Operator 2.1").click()
    page.get_by_role("option", name="is at most").click()
    page.get_by_role("combobox", name="Kind of operand 2.1").click()
    page.get_by_role("option", name="number").click()
    page.get_by_label("Operand 2.1", exact=True).fill("1000")
    page.get_by_role("combobox", name="Operand 1", exact=True).scroll_into_view_if_needed()


def _label(page: Page) -> None:
    _queue(page)
    page.get_by_role("link", name="Label logs").click()
    page.get_by_label("Your name").fill("cid")
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("You help customers").wait_for()
    page.get_by_role("group", name="Labels").wait_for()


def _route(page: Page) -> None:
    page.get_by_role("table", name="Dynamic routes").get_by_role("link", name="support").click()
    page.get_by_role("button", name="Rate limit daily").click()
    page.get_by_label("Counted by").wait_for()


def _settings(page: Page) -> None:
    page.get_by_text("Spend limits", exact=True).wait_for()
    _table("Provider keys")(page)


def _keys(page: Page) -> None:
    _settings(page)
    page.get_by_role("table", name="Provider keys").scroll_into_view_if_needed()


def _new_evaluation(page: Page) -> None:
    page.get_by_role("dialog").get_by_text("What to find out").wait_for()


def _compare(page: Page) -> None:
    boxes = page.get_by_role("checkbox", name="this week")
    boxes.first.wait_for()
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Compare 2").click()
    _table("Cost")(page)
    page.get_by_text("interval").last.wait_for()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "gateways": ("/", lambda page: page.get_by_text(scene.GATEWAY).first.wait_for()),
    "overview": (f"{HERE}/overview?hours=168", _overview),
    "logs": (f"{HERE}/logs", _logs),
    "groups": (f"{HERE}/logs?filters={quote(json.dumps(GROUPS))}", _groups),
    "log": (f"{HERE}/logs", _log),
    "datasets": (f"{HERE}/datasets", _datasets),
    "dataset": (f"{HERE}/datasets", _dataset),
    "compare-logs": (f"{HERE}/logs?filters={quote(json.dumps(SAME_QUESTION))}", _compare_logs),
    "evaluations": (f"{HERE}/evaluations", _table("Evaluations")),
    "new-evaluation": (f"{HERE}/evaluations?new=", _new_evaluation),
    "questions": (f"{HERE}/evaluations/questions", _table("Questions")),
    "python": (f"{HERE}/evaluations/questions", _python),
    "evaluation": (f"{HERE}/evaluations", _evaluation),
    "compare": (f"{HERE}/evaluations", _compare),
    "replays": (f"{HERE}/replays", _table("Replays")),
    "new-replay": (f"{HERE}/replays/new", _new_replay),
    "replay": (f"{HERE}/replays", _replay),
    "replayed": (f"{HERE}/replays", _replayed),
    "shadows": (f"{LIVE}/shadows", _table("Shadows")),
    "new-shadow": (f"{LIVE}/shadows/new", _new_shadow),
    "shadow": (f"{LIVE}/shadows", _shadow),
    "monitors": (f"{HERE}/monitors", _table("Monitors")),
    "new-monitor": (f"{HERE}/monitors/new", _new_monitor),
    "monitor": (f"{HERE}/monitors", _monitor),
    "calibration": (f"{HERE}/annotate", _calibration),
    "conditions": (f"{HERE}/routes", _conditions),
    "playground": (f"{HERE}/playground", lambda page: page.get_by_label("Message").wait_for()),
    "queues": (f"{HERE}/annotate", _table("Annotation queues")),
    "queue": (f"{HERE}/annotate", _queue),
    "label": (f"{HERE}/annotate", _label),
    "routes": (f"{HERE}/routes", _table("Dynamic routes")),
    "route": (f"{HERE}/routes", _route),
    "settings": (f"{HERE}/settings", _settings),
    "provider-keys": (f"{HERE}/settings", _keys),
    "tokens": ("/account/tokens", _table("Tokens")),
    "providers": ("/account/providers", _table("Custom providers")),
    "costs": ("/account/costs", _table("Cost rules")),
}
"""File name → address, and what must have happened on it before the picture is taken."""


def take(target: Path, wanted: list[str]) -> None:
    """Take the pictures of some pages, or of all."""
    build_dashboard()
    with (
        tempfile.TemporaryDirectory() as scratch,
        scene.running_scene(Path(scratch)) as server,
        running_browser() as browser,
    ):
        for scheme in ("light", "dark"):
            with watched(browser, server.url, color_scheme=scheme, reduced_motion="reduce") as view:
                view.open()
                view.sign_in(TOKEN)
                for name in wanted or list(PAGES):
                    address, prepare = PAGES[name]
                    prepare(view.open(address))
                    view.page.wait_for_timeout(400)  # for transitions to end; only a picture depends on it
                    view.page.screenshot(path=target / f"{name}-{scheme}.png")
                view.check()


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    take(TARGET, sys.argv[1:])
