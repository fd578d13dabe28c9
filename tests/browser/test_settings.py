"""Settings, tokens, custom providers and the playground."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from support.browser import Watched, watched
from support.server import Server


def test_a_setting_changes_and_the_others_stay(site: Watched, server: Server) -> None:
    gateway = server.make_gateway("set-by-page", retry_max_attempts=2, log_management=20_000)
    site.open(f"/gateways/{gateway}/settings")
    page = site.sign_in(server.token)
    page.get_by_label("Requests", exact=True).fill("5")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_text("needs an interval").first).to_be_visible()  # in the server's words
    page.get_by_label("in how many seconds").fill("60")
    page.get_by_role("switch", name="Requests need a gateway token").check(force=True)
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_text("It holds in every process at once")).to_be_visible()
    expect(page.get_by_role("button", name="Save the settings")).to_be_disabled()
    expect(page.get_by_label("Requests", exact=True)).to_have_value("5")
    kept = server.manage("GET", f"/gateways/{gateway}")
    assert (kept["rate_limiting_limit"], kept["rate_limiting_interval"], kept["authentication"]) == (5, 60, True)
    assert (kept["retry_max_attempts"], kept["log_management"]) == (2, 20_000)
    row = page.get_by_role("table", name="Not available in this version").get_by_role("row", name="logpush")
    expect(row).to_contain_text("Logpush is not available in this version")


def test_spend_limits(site: Watched, server: Server, gateway: str) -> None:
    site.open(f"/gateways/{gateway}/settings")
    page = site.sign_in(server.token)
    page.get_by_role("switch", name="In force").check(force=True)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Rule", exact=True).fill("all")
    page.get_by_label("Dollars").fill("25")
    page.get_by_role("button", name="Save the spend limits").click()
    expect(page.get_by_role("table", name="How the budgets stand").get_by_role("row", name="all")).to_contain_text(
        "$25.00"
    )
    (rule,) = server.manage("GET", f"/gateways/{gateway}")["spend_limits"]["rules"]
    assert (rule["id"], rule["limit"], rule["window"]) == ("all", 25, 86_400)


def test_tokens_are_made_and_revoked(site: Watched, server: Server) -> None:
    site.open("/account/tokens")
    page = site.sign_in(server.token)
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill("made here")
    page.get_by_role("checkbox", name="Read").check()
    page.get_by_role("button", name="Create the token").click()
    text = page.get_by_role("region", name="the token").inner_text().strip()
    listed = server.call(
        "GET",
        f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways",
        headers={"authorization": f"Bearer {text}"},
    )
    assert listed.status == 200
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Revoke made here").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name="made here")).to_be_hidden()


def test_a_custom_provider(site: Watched, server: Server, shared_upstream: object) -> None:
    site.open("/account/providers")
    page = site.sign_in(server.token)
    page.get_by_role("button", name="New provider").click()
    page.get_by_label("Name").fill("House")
    page.get_by_label("Slug").fill("house")
    page.get_by_label("Base URL").fill("http://10.1.2.3/")
    page.get_by_role("button", name="Add the provider").click()
    expect(page.get_by_text("base_url must begin with https://").first).to_be_visible()
    page.get_by_label("Base URL").fill("https://models.example/v1")
    page.get_by_role("button", name="Add the provider").click()
    expect(page.get_by_role("row", name="House")).to_contain_text("custom-house")
    page.get_by_role("button", name="Delete House").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="House")).to_be_hidden()


def test_a_providers_key_is_stored_replaced_and_deleted(site: Watched, server: Server, gateway: str) -> None:
    secret = "sk-only-typed-here-1234"
    site.open(f"/gateways/{gateway}/settings")
    page = site.sign_in(server.token)
    expect(page.get_by_text("No key is stored")).to_be_visible()
    page.get_by_role("button", name="Store a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Provider").fill("nobody")
    dialog.get_by_label("Key").fill(secret)
    dialog.get_by_role("button", name="Store it").click()
    expect(dialog.get_by_text("No key can be stored for it").first).to_be_visible()  # in the server's words
    dialog.get_by_role("combobox", name="Provider").fill("openai")
    dialog.get_by_label("Requests").fill("5")
    dialog.get_by_role("button", name="Store it").click()
    row = page.get_by_role("table", name="Provider keys").get_by_role("row", name="openai")
    expect(row).to_contain_text("****1234")
    expect(row).to_contain_text("5 in 60 s")
    assert secret not in page.content()
    row.get_by_role("button", name="Replace the key of openai, default").click()
    dialog.get_by_label("The new key").fill("sk-another-one-5678")
    dialog.get_by_label("Requests").fill("")
    dialog.get_by_role("button", name="Replace it").click()
    expect(row).to_contain_text("****5678")
    expect(row).to_contain_text("none")
    row.get_by_role("button", name="Delete the key of openai, default").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No key is stored")).to_be_visible()
    assert server.manage("GET", f"/gateways/{gateway}/provider_configs") == []


def test_a_cost_rule_is_exact(site: Watched, server: Server) -> None:
    site.open("/account/costs")
    page = site.sign_in(server.token)
    page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("A built-in provider").click()
    dialog.get_by_role("textbox", name="Provider").fill("openai")
    dialog.get_by_role("textbox", name="Model", exact=True).fill("made-by-page")
    dialog.get_by_label("Input tokens").fill("0.15")
    dialog.get_by_role("button", name="Add the rule").click()
    expect(dialog.get_by_text("Expected prices for both input_tokens and output_tokens")).to_be_visible()
    dialog.get_by_label("Output tokens").fill("2.000000000000000001")
    dialog.get_by_role("button", name="Add the rule").click()
    row = page.get_by_role("table", name="Cost rules").get_by_role("row", name="made-by-page")
    expect(row).to_contain_text("input $0.15/M, output $2.000000000000000001/M")
    row.get_by_role("button", name="Change the rule").click()
    dialog.get_by_label("Weight").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("7")
    (rule,) = (one for one in server.manage("GET", "/custom-providers/costs") if one["model"] == "made-by-page")
    assert rule["token_pricing"] == '{"input_tokens": 0.00000015, "output_tokens": 0.000002000000000000000001}'
    row.get_by_role("button", name="Delete the rule").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_be_hidden()


def test_the_playground_asks_as_a_client_would(fresh: Server, browser: Browser) -> None:
    gateway = fresh.make_gateway("played", authentication=True)
    with watched(browser, fresh.url) as view:
        view.open(f"/gateways/{gateway}/playground")
        page = view.sign_in(fresh.token)
        page.get_by_role("combobox", name="Model").fill("openai/ok-play")
        page.get_by_label("The provider's key").fill("sk-of-the-provider")
        page.get_by_label("Message").fill("Say hello.")
        page.get_by_role("button", name="Make one for an hour").click()
        expect(page.get_by_label("A gateway token")).not_to_have_value("")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Hello there, how are you?")).to_be_visible()
        page.get_by_role("link", name="Its log, with tokens and cost").click()
        expect(page.get_by_role("dialog").get_by_text("Say hello.")).to_be_visible()
        view.check()
    (log,) = fresh.logs(gateway)
    assert (log["provider"], log["model"], log["authentication"]) == ("openai", "ok-play", True)
    assert "sk-of-the-provider" not in str(log)


def test_a_reader_sees_no_way_to_change(fresh: Server, browser: Browser) -> None:
    fresh.make_gateway("looked-at")
    reader = fresh.manage("POST", "/tokens", {"name": "reader", "permissions": ["AI Gateway Read"]})["value"]
    fresh.chat("looked-at", "ok")
    with watched(browser, fresh.url) as view:
        view.open("/")
        page = view.sign_in(reader)
        expect(page.get_by_role("link", name="looked-at")).to_be_visible()
        expect(page.get_by_role("button", name="New gateway")).to_be_hidden()
        view.open("/gateways/looked-at/settings")
        expect(page.get_by_text("Your token may not change settings")).to_be_visible()
        expect(page.get_by_role("button", name="Save the settings")).to_be_hidden()
        view.check()
