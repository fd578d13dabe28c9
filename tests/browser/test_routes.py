"""Dynamic routes: made, refused, changed, deployed and taken back on their pages."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from support import scene
from support.browser import Watched
from support.server import Server


def _choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("combobox", name=field).click()
    page.get_by_role("option", name=option, exact=True).click()


def _element(page: Page, name: str) -> None:
    page.get_by_role("list", name="Elements of the route").get_by_role("button", name=name).click()


def test_a_route_is_drawn_refused_and_created(site: Watched, server: Server, gateway: str) -> None:
    site.open(f"/gateways/{gateway}/routes")
    page = site.sign_in(server.token)
    expect(page.get_by_text("There is no dynamic route yet")).to_be_visible()
    page.get_by_role("link", name="New route").click()
    page.get_by_label("Name").fill("by-page")
    _element(page, "Model model")
    page.get_by_role("combobox", name="Provider").fill("nobody")
    page.get_by_label("Model", exact=True).fill("ok-large")
    # Between the start and the model: a condition, whose other way goes to a second model
    _element(page, "Start start")
    _choose(page, "next leads to", "New: condition")
    page.get_by_text("JSON", exact=True).click()
    page.get_by_role("textbox", name="Conditions").fill("{")
    page.keyboard.press("Tab")  # what is said of it moves the fields below
    _choose(page, "no leads to", "New: model")
    page.get_by_role("combobox", name="Provider").fill("openai")
    page.get_by_label("Model", exact=True).fill("ok-small")
    page.get_by_role("button", name="Create and deploy").click()
    expect(page.get_by_role("region", name="Condition conditional").get_by_text("This is not JSON")).to_be_visible()
    page.get_by_role("textbox", name="Conditions").fill('{"metadata.plan": "pro"}')
    page.get_by_role("button", name="Create and deploy").click()
    # The server's own words, at the element that they are about
    words = page.get_by_role("region", name="Model model").get_by_text("is no provider that a route can ask")
    expect(words).to_be_visible()
    wrong = page.get_by_role("button", name=re.compile("Model model: .* Wrong: 'nobody' is no provider"))
    expect(wrong).to_be_visible()
    page.get_by_role("combobox", name="Provider").fill("openai")
    expect(wrong).to_be_hidden()
    page.get_by_role("button", name="Create and deploy").click()
    expect(page.get_by_text("version 1, deployed")).to_be_visible()
    asked = {"model": "dynamic/by-page", "messages": [{"role": "user", "content": "Hi"}]}
    for plan, model in (("pro", "ok-large"), ("free", "ok-small")):
        answer = server.call(
            "POST",
            f"{server.gateway_url(gateway)}/compat/chat/completions",
            asked,
            {"authorization": "Bearer sk-somebody", "cf-aig-metadata": f'{{"plan": "{plan}"}}'},
        )
        assert (answer.status, answer.headers["cf-aig-model"]) == (200, model)


def test_conditions_are_rows_and_groups(site: Watched, server: Server, gateway: str) -> None:
    conditions = {"metadata.plan": "pro", "body.n": {"$not": {"$gt": 5}}}
    elements = [dict(one) for one in scene.by_plan()]
    elements[1]["properties"] = {"conditions": conditions}
    small = {"provider": "openai", "model": "ok", "timeout": 30_000, "retries": 0}
    for one in elements:
        if one["type"] == "model":
            one["properties"] = small
    route = server.manage("POST", f"/gateways/{gateway}/routes", {"name": "rows", "elements": elements})
    site.open(f"/gateways/{gateway}/routes/{route['id']}")
    page = site.sign_in(server.token)
    _element(page, "Condition paying")
    # As it was; what the fields cannot show is JSON among the rows
    expect(page.get_by_role("combobox", name="Value 1", exact=True)).to_have_value("metadata.plan")
    expect(page.get_by_label("Operand 1", exact=True)).to_have_value("pro")
    odd = page.get_by_role("textbox", name="What is asked of body.n, as JSON")
    expect(odd).to_have_value(re.compile(r'"\$not"'))
    expect(page.get_by_text("changed, not saved")).to_be_hidden()

    odd.fill('{"$not": {"$gt": 7}}')
    _choose(page, "Operator 1", "is one of")
    page.get_by_role("combobox", name="Operand 1", exact=True).fill("team, eu")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add a group", exact=True).click()
    page.get_by_role("combobox", name="Value 3.1", exact=True).fill("body.max_tokens")
    _choose(page, "Operator 3.1", "is more than")
    _choose(page, "Kind of operand 3.1", "number")
    expect(page.get_by_text("A number is missing")).to_be_visible()
    page.get_by_role("button", name="Save as a version").click()
    group = page.get_by_role("group", name="Group 3", exact=True)
    # In the server's words, at the row
    expect(group.get_by_role("alert").get_by_text("expected a number or a text to compare with")).to_be_visible()
    page.get_by_label("Operand 3.1", exact=True).fill("100")
    page.get_by_role("button", name="Ask more of value 3.1").click()
    page.get_by_label("Operand 3.1, 2", exact=True).fill("z")
    page.get_by_role("button", name="Add a condition to 3").click()
    page.get_by_role("combobox", name="Value 3.2", exact=True).fill("headers.user-agent")
    _choose(page, "Operator 3.2", "matches")
    page.get_by_label("Operand 3.2", exact=True).fill("(")
    page.get_by_role("button", name="Save as a version").click()
    second = page.get_by_role("group", name="Condition 3.2")
    expect(second.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("group", name="Condition 3.1").get_by_role("alert")).to_be_hidden()
    page.get_by_label("Operand 3.2", exact=True).fill("(?i)bot")
    page.get_by_role("button", name="Remove the operator 3.1, 2").click()
    page.get_by_role("button", name="Save as a version").click()
    expect(page.get_by_text("version 2, not deployed")).to_be_visible()
    kept = server.manage("GET", f"/gateways/{gateway}/routes/{route['id']}/versions")["data"]["versions"][0]
    (told,) = [one for one in json.loads(kept["data"]) if one["id"] == "paying"]
    assert told["properties"]["conditions"] == {
        "metadata.plan": {"$in": ["pro", "team, eu"]},
        "body.n": {"$not": {"$gt": 7}},
        "$or": [{"body.max_tokens": {"$gt": 100}}, {"headers.user-agent": {"$regex": "(?i)bot"}}],
    }
    # Undoing brings the form back, too
    _element(page, "Condition paying")
    page.get_by_role("button", name="Remove group 3").click()
    expect(page.get_by_role("combobox", name="Value 3.1", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("combobox", name="Value 3.1", exact=True)).to_have_value("body.max_tokens")


def test_a_number_that_a_browser_would_change_is_left_alone(site: Watched, server: Server, gateway: str) -> None:
    elements = [dict(one) for one in scene.by_plan()]
    elements[1]["properties"] = {"conditions": {"metadata.customer": 9007199254740993}}
    for one in elements:
        if one["type"] == "model":
            one["properties"] = {"provider": "openai", "model": "ok", "timeout": 30_000, "retries": 0}
    route = server.manage("POST", f"/gateways/{gateway}/routes", {"name": "long", "elements": elements})
    site.open(f"/gateways/{gateway}/routes/{route['id']}")
    page = site.sign_in(server.token)
    expect(page.get_by_text("This version can only be changed through the API")).to_be_visible()
    expect(page.get_by_text("9007199254740993", exact=False).first).to_be_visible()
    expect(page.get_by_role("button", name="Save as a version")).to_be_hidden()


def test_versions_are_saved_deployed_and_taken_back(site: Watched, server: Server, gateway: str) -> None:
    route = server.manage("POST", f"/gateways/{gateway}/routes", {"name": "kept", "elements": _plain("ok-first")})
    site.open(f"/gateways/{gateway}/routes/{route['id']}")
    page = site.sign_in(server.token)
    _element(page, "Model small")
    page.get_by_label("Model", exact=True).fill("ok-second")
    page.get_by_role("button", name="Save as a version").click()
    expect(page.get_by_text("version 2, not deployed")).to_be_visible()
    assert _deployed(server, gateway, route["id"]) == "ok-first"
    _element(page, "Model small")
    page.get_by_label("Model", exact=True).fill("ok-third")
    expect(page.get_by_text("changed, not saved")).to_be_visible()
    page.get_by_role("button", name="Save and deploy").click()
    expect(page.get_by_text("version 3, deployed")).to_be_visible()
    assert _deployed(server, gateway, route["id"]) == "ok-third"
    page.get_by_role("button", name="Deploy version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("version 1, deployed")).to_be_visible()
    assert _deployed(server, gateway, route["id"]) == "ok-first"
    expect(page.get_by_role("table", name="Versions").get_by_role("row", name=re.compile("^1 "))).to_contain_text(
        "deployed"
    )
    page.get_by_role("tab", name="Deployments (3)").click()
    expect(page.get_by_role("table", name="Deployments").get_by_role("row").nth(1)).to_contain_text("1now")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("a name")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("dialog").get_by_text("it must match").first).to_be_visible()  # in the server's words
    page.get_by_role("dialog").get_by_label("Name").fill("renamed")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="renamed")).to_be_visible()


def test_elements_go_by_keyboard_and_are_said_in_words(site: Watched, server: Server, gateway: str) -> None:
    hostile = "<img src=x onerror=window.hit=1>"
    elements = _plain("ok", name=hostile)
    route = server.manage("POST", f"/gateways/{gateway}/routes", {"name": "keys", "elements": elements})
    site.open(f"/gateways/{gateway}/routes/{route['id']}")
    page = site.sign_in(server.token)
    graph = page.get_by_role("list", name="Elements of the route")
    graph.get_by_role("button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    chosen = graph.get_by_role("button", pressed=True)
    expect(chosen).to_have_accessible_name(
        f"Model {hostile}: openai/ok. answered leads to end; failed leads to end; reached from start."
    )
    expect(page.get_by_label("Id", exact=True)).to_have_value(hostile)
    page.get_by_role("button", name="Remove").click()
    expect(graph.get_by_role("button", name="Start start")).to_have_accessible_name(
        "Start start: every request. next leads to end."
    )
    page.get_by_role("button", name="Save as a version").click()
    expect(page.get_by_role("alert").get_by_text("No way from the start comes to a model")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(graph.get_by_role("button")).to_have_count(3)
    assert page.evaluate("window.hit") is None


def test_a_reader_looks_only(site: Watched, server: Server, gateway: str) -> None:
    route = server.manage("POST", f"/gateways/{gateway}/routes", {"name": "seen", "elements": _plain("ok")})
    body = {"name": "reader of routes", "permissions": ["AI Gateway Read"]}
    reader = server.manage("POST", "/tokens", body)["value"]
    site.open(f"/gateways/{gateway}/routes/{route['id']}")
    page = site.sign_in(reader)
    _element(page, "Model small")
    expect(page.get_by_label("Model", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Save as a version")).to_be_hidden()
    expect(page.get_by_role("button", name="Add an element")).to_be_hidden()


def _plain(model: str, name: str = "small") -> list[dict[str, object]]:
    elements = [dict(one) for one in scene.by_plan() if one["id"] in ("start", "small", "end")]
    elements[0]["outputs"] = {"next": {"elementId": name}}
    elements[1] |= {"id": name, "properties": {**elements[1]["properties"], "model": model}}  # type: ignore[dict-item]
    return elements


def _deployed(server: Server, gateway: str, route_id: str) -> str:
    route = server.manage("GET", f"/gateways/{gateway}/routes/{route_id}")
    (model,) = (one for one in route["elements"] if one["type"] == "model")
    return str(model["properties"]["model"])
