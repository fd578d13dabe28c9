"""Groups of filters: put together, turned round, and kept as they came."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from support.browser import Watched
from support.server import Server


def _values(page: Page, *values: str) -> None:
    """Fill the open form of a filter on the model, and send it."""
    for value in values:
        page.get_by_role("combobox", name="of", exact=False).last.fill(value)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Add the filter").click()


def test_groups_are_made_turned_round_and_saved(site: Watched, server: Server, gateway: str) -> None:
    for model in ("ok-left", "ok-right", "ok-other"):
        assert server.chat(gateway, model).status == 200
    server.wait_for_logs(gateway, 3)
    site.open(f"/gateways/{gateway}/logs")
    page = site.sign_in(server.token)
    rows = page.get_by_role("table", name="Logs").locator("tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Group", exact=True).press("Enter")
    expect(page.get_by_text("Group 1 is empty")).to_be_visible()
    expect(rows).to_have_count(3)  # nothing is asked before it has a filter
    page.get_by_role("button", name="Add a filter to group 1").press("Enter")
    _values(page, "ok-left")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Add a filter to group 1").press("Enter")
    _values(page, "ok-right")
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Group 1 takes logs where").click()
    page.get_by_role("option", name="none of these matches").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("ok-other")
    # A filter is changed where it stands, and another one put into a group within the group
    page.get_by_role("group", name="Group 1").get_by_role(
        "button", name="Change the filter: Model is ok-left"
    ).click()
    page.get_by_role("button", name="Into a group").click()
    page.get_by_role("button", name="Add a filter to group 1.1").click()
    page.get_by_role("combobox", name="What").fill("Response body")
    page.get_by_role("option", name="Response body").click()
    _values(page, "there, HOW")
    inner = page.get_by_role("group", name="Group 1.1")
    expect(inner.get_by_text("Response body contains there, HOW")).to_be_visible()
    expect(page.get_by_text("No log matches")).to_be_visible()
    page.get_by_role("combobox", name="Group 1.1 takes logs where").click()
    page.get_by_role("option", name="all of these match").click()
    expect(rows).to_have_count(1)

    page.get_by_role("button", name="Create dataset from these filters").click()
    dialog = page.get_by_role("dialog", name="New dataset")
    expect(dialog.get_by_text("1 log matches")).to_be_visible()
    dialog.get_by_role("button", name="Group", exact=True).click()
    expect(dialog.get_by_role("button", name="Create the dataset")).to_be_disabled()
    dialog.get_by_role("button", name="Remove group 2").click()
    dialog.get_by_label("Name").fill("neither")
    dialog.get_by_role("button", name="Create the dataset").click()
    expect(dialog).to_be_hidden()
    left = {"key": "model", "operator": "eq", "value": ["ok-left"]}
    text = {"key": "response_body", "operator": "contains", "value": ["there, HOW"]}
    right = {"key": "model", "operator": "eq", "value": ["ok-right"]}
    (dataset,) = server.manage("GET", f"/gateways/{gateway}/datasets")
    assert dataset["filters"] == [{"none_of": [{"all_of": [left, text]}, right]}]


def test_what_is_not_changed_is_kept_as_it_came(site: Watched, server: Server, gateway: str) -> None:
    odd: list[dict[str, Any]] = [
        {"key": "tokens", "operator": "eq", "value": [1, 2]},
        {"key": "created_at", "operator": "lt", "value": ["2030-01-01T00:00:00.123456Z"]},
        {"key": "model", "operator": "neq", "value": [" a,b ", "A,B", "a,b"]},
    ]
    group = {"any_of": [{"none_of": [{"all_of": odd}]}, odd[1]]}
    plain = {"key": "success", "operator": "eq", "value": [True]}
    body = {"name": "odd", "enable": True, "filters": [plain, group]}
    server.manage("POST", f"/gateways/{gateway}/datasets", body)
    site.open(f"/gateways/{gateway}/datasets")
    page = site.sign_in(server.token)
    page.get_by_role("button", name="Change odd").click()
    dialog = page.get_by_role("dialog", name="Change the dataset")
    dialog.get_by_role("button", name="Change the filter: Success is yes").click()
    page.get_by_role("combobox", name="Value").click()
    page.get_by_role("option", name="no", exact=True).click()
    page.get_by_role("button", name="Change the filter", exact=True).click()
    expect(dialog).to_be_visible()  # the filter's form is not the dataset's
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    (dataset,) = server.manage("GET", f"/gateways/{gateway}/datasets")
    assert dataset["filters"] == [{**plain, "value": [False]}, group]
