"""Whatever strangers put into a log is text on the page: it runs nothing, loads nothing, and breaks nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser import Watched
from support.server import Server

ATTACKS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    "[click](javascript:window.hit=1) ![pixel](http://attacker.example/pixel.png)",
    "</pre></textarea></style><iframe srcdoc='<script>parent.hit=1</script>'>",
    "{{constructor.constructor('window.hit=1')()}} ${window.hit=1}",
    "\u202ereversed\u202c \u0000 \u001b[31mred \u202e",
]


def _open(site: Watched, server: Server, gateway: str) -> Page:
    site.open(f"/gateways/{gateway}/logs")
    page = site.sign_in(server.token)
    page.get_by_role("table", name="Logs").locator("tbody tr").first.click()
    expect(page.get_by_role("dialog").get_by_role("tab", name="Conversation")).to_be_visible()
    return page


def _unharmed(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    assert page.locator("iframe, script:not([src^='/assets/']), a[href^='javascript:']").count() == 0


def _send(server: Server, gateway: str, body: Any, **headers: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"authorization": "Bearer sk-somebody", "content-type": "application/json"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    server.call("POST", f"{server.gateway_url(gateway)}/openai/v1/chat/completions", raw, sent | named)
    server.wait_for_logs(gateway, 1)


def test_markup_and_scripts_are_text(site: Watched, server: Server, gateway: str) -> None:
    content = "\n".join(ATTACKS)
    picture = {"type": "image_url", "image_url": {"url": "http://attacker.example/pixel.png?<script>"}}
    scripted = {
        "type": "image_url",
        "image_url": {"url": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+"},
    }
    body = {
        "model": "ok-<img src=x onerror=window.hit=1>",
        "messages": [
            {
                "role": "<script>window.hit=1</script>",
                "content": [{"type": "text", "text": content}, picture, scripted],
            },
            {"role": "assistant", "tool_calls": [{"function": {"name": ATTACKS[1], "arguments": ATTACKS[0]}}]},
        ],
    }
    metadata = json.dumps({"<b>key</b>": ATTACKS[1]})
    _send(server, gateway, body, cf_aig_metadata=metadata, user_agent="<script>window.hit=1</script>")
    page = _open(site, server, gateway)
    drawer = page.get_by_role("dialog")
    for attack in ATTACKS[:5]:
        expect(drawer.get_by_text(attack).first).to_be_visible()
    expect(drawer.get_by_text("image (not loaded)")).to_have_count(2)
    assert drawer.locator("img").count() == 0
    for tab in ("Request", "Response", "Attempts", "Details"):
        drawer.get_by_role("tab", name=tab).click()
        _unharmed(page)
    expect(drawer.get_by_label("Value 1")).to_have_value(ATTACKS[1])
    expect(drawer.get_by_text("<script>window.hit=1</script>").first).to_be_visible()  # the user agent
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Metadata").click()
    expect(page.get_by_role("cell", name="<b>key</b>=").first).to_be_visible()
    _unharmed(page)


def test_a_huge_body_is_folded(site: Watched, server: Server, gateway: str) -> None:
    long = "wide" * 300_000
    _send(server, gateway, {"model": "ok", "messages": [{"role": "user", "content": long}]})
    page = _open(site, server, gateway)
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("button", name="Show 50,000 more")).to_be_visible()
    assert len(drawer.inner_text()) < 20_000
    drawer.get_by_role("button", name="Show 50,000 more").click()
    drawer.get_by_role("tab", name="Request").click()
    expect(drawer.get_by_role("button", name="Show 50,000 more")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (bytes(range(256)) * 8, "Binary data"),
        (b"{" * 5000, "As it was"),
        (b'{"messages": "<script>", "model": 5}', "<script>"),
    ],
    ids=["binary", "deep", "odd"],
)
def test_bodies_that_are_no_conversation(
    site: Watched, server: Server, gateway: str, body: bytes, seen: str
) -> None:
    _send(server, gateway, body)
    page = _open(site, server, gateway)
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("tab", name="Request").click()
    if seen == "As it was":
        expect(drawer.get_by_text("{{{{{{").first).to_be_visible()
    else:
        expect(drawer.get_by_text(seen).first).to_be_visible()
    _unharmed(page)


def test_a_logged_page_opened_by_its_address_is_inert(site: Watched, server: Server, gateway: str) -> None:
    _send(server, gateway, b"<html><script>document.title='hit'</script></html>", content_type="text/html")
    (log,) = server.logs(gateway)
    site.open("/")
    page = site.sign_in(server.token)
    path = f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/request"
    answer = page.request.get(server.url + path)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")
