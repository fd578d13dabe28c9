"""Sessions in a real browser: the cookie, what other pages can do with it, and how they end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Watched, watched
from support.server import Server


def test_a_wrong_token_and_signing_out(site: Watched, server: Server) -> None:
    page = site.open("/")
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This token is not valid here, or has expired.")).to_be_visible()
    site.sign_in(server.token)
    account = f"/client/v4/accounts/{server.account_id}/ai-gateway"
    cookies = site.context.cookies()
    assert {cookie["path"] for cookie in cookies} == {"/client/v4/user", account}
    assert all((cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict") for cookie in cookies)
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})").find(server.token) == -1
    page.reload()
    expect(page.get_by_role("button", name="Account")).to_be_visible()  # still signed in, by whichever worker
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("API token")).to_be_visible()
    assert site.context.cookies() == []
    page.reload()
    expect(page.get_by_label("API token")).to_be_visible()


@pytest.mark.parametrize("plane", ["data plane", "REST"])
def test_requests_to_models_never_carry_the_cookie(site: Watched, server: Server, gateway: str, plane: str) -> None:
    site.open("/")
    page = site.sign_in(server.token)
    address = f"{server.gateway_url(gateway)}/openai/v1/chat/completions"
    if plane == "REST":
        address = f"{server.base_url}/accounts/{server.account_id}/ai/v1/chat/completions"
    seen = page.evaluate(
        """async ([address, gateway, token, model]) => (await fetch(address, {
            method: 'POST',
            headers: {authorization: 'Bearer sk-somebody', 'content-type': 'application/json',
                'cf-aig-authorization': 'Bearer ' + token,
                ...(address.includes('/client/') ? {'cf-aig-gateway-id': gateway} : {})},
            body: JSON.stringify({model, messages: [{role: 'user', content: 'Hi'}]})})).text()""",
        [address, gateway, server.token, "openai/echo" if plane == "REST" else "echo"],
    )
    (log,) = server.wait_for_logs(gateway, 1)
    assert log["status_code"] == 200, log
    assert "gaugeway_session" not in seen
    assert "cookie" not in seen.lower()


@contextmanager
def _another_page(html: str) -> Iterator[str]:
    """A page of somebody else on another port of this host, which browsers take for the same site."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}/"
        finally:
            served.shutdown()
            thread.join()


_TRY = """async ([url, options]) => {
    try { const answer = await fetch(url, {credentials: 'include', ...options}); return answer.status; }
    catch (problem) { return 'refused'; }
}"""


def test_pages_of_the_same_site_can_neither_read_nor_change(
    server: Server, dashboard: None, browser: Browser
) -> None:
    with watched(browser, server.url) as view:
        view.open("/")
        view.sign_in(server.token)
        base = f"{server.url}/client/v4/accounts/{server.account_id}/ai-gateway/gateways"
        body = '{"id":"forged","cache_invalidate_on_update":false,"cache_ttl":0,"collect_logs":true,'
        body += '"rate_limiting_interval":0,"rate_limiting_limit":0}'
        field = f"<input name='{body[:-1]},\"a\":\"' value='\"}}'>"  # as text/plain it reads like JSON
        form = f'<form id=f method=post enctype=text/plain action="{base}">{field}</form>'
        with _another_page(form) as address:
            page = view.context.new_page()
            page.goto(address)
            assert page.evaluate(_TRY, [base, {}]) == "refused"  # answered, but not readable
            assert page.evaluate(_TRY, [server.url + "/client/v4/user/session", {}]) == "refused"
            plain = {"method": "POST", "body": body, "headers": {"content-type": "text/plain"}}
            assert page.evaluate(_TRY, [base, plain]) == "refused"
            guessed = {"method": "POST", "body": body, "headers": {"x-gaugeway-csrf": "guess"}}
            assert page.evaluate(_TRY, [base, guessed]) == "refused"
            with page.expect_response(base) as answered:
                page.evaluate("document.getElementById('f').submit()")
            assert answered.value.status == 403
            framed = view.context.new_page()
            framed.set_content(f'<iframe src="{server.url}/"></iframe>')
            framed.wait_for_timeout(500)
            assert framed.frames[-1].locator("#root").count() == 0
    assert "forged" not in [gateway["id"] for gateway in server.manage("GET", "/gateways?per_page=100")]


def test_revoking_the_token_signs_the_page_out(fresh: Server, browser: Browser) -> None:
    import subprocess
    import sys

    run = [sys.executable, "-m", "gaugeway", "token"]
    data = ["--data", str(fresh.data), "--json"]
    made = subprocess.run([*run, "create", "mine", *data], capture_output=True, check=True, env=fresh.environment)
    import json

    token = json.loads(made.stdout)
    with watched(browser, fresh.url) as view:
        view.open("/")
        page = view.sign_in(token["token"])
        subprocess.run([*run, "revoke", token["id"], *data], capture_output=True, check=True, env=fresh.environment)
        page.reload()
        expect(page.get_by_label("API token")).to_be_visible()
