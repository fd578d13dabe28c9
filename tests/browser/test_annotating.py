"""Annotation: a queue made, labelled by keys, taken back, and what people agree on."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from support.browser import Watched
from support.server import Server


def test_logs_are_labelled_one_at_a_time_by_keys(site: Watched, server: Server, gateway: str) -> None:
    for number in range(3):
        assert server.chat(gateway, headers={"cf-aig-metadata": json.dumps({"n": number})}).status == 200
    server.wait_for_logs(gateway, 3)
    server.manage("POST", f"/gateways/{gateway}/datasets", {"name": "everything", "enable": True, "filters": []})
    site.open(f"/gateways/{gateway}/annotate")
    page = site.sign_in(server.token)
    expect(page.get_by_text("There is no queue yet")).to_be_visible()
    page.get_by_role("button", name="New queue").click()
    page.get_by_label("Name").fill("By keys")
    page.get_by_role("combobox", name="Datasets").click()
    page.get_by_role("option", name="everything").click()
    page.get_by_label("What annotators are asked").fill("Is it <b>right</b>?")
    page.get_by_role("button", name="Draw the logs").click()

    expect(page.get_by_text("0 of 3 logs are complete")).to_be_visible()
    expect(page.get_by_text("Is it <b>right</b>?")).to_be_visible()
    expect(page.get_by_text("Nobody has labelled a log yet")).to_be_visible()
    page.get_by_role("link", name="Label logs").click()
    page.get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Begin").click()
    seen = page.get_by_role("status").filter(has_text="You have seen")
    expect(page.get_by_text("Say hello.")).to_be_visible()
    expect(seen).to_contain_text("You have seen 0")
    page.keyboard.press("2")
    expect(seen).to_contain_text("You have seen 1")
    page.keyboard.press("u")
    expect(seen).to_contain_text("You have seen 0")
    page.keyboard.press("1")
    expect(seen).to_contain_text("You have seen 1")
    # What cannot be judged needs a reason; digits in it label nothing
    page.keyboard.press("0")
    expect(page.get_by_text("Say why it cannot be judged")).to_be_visible()
    page.keyboard.type("2 languages at once")
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    expect(seen).to_contain_text("You have seen 2")
    page.get_by_role("group", name="Labels").get_by_role("button", name="good").click()
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()

    page.get_by_role("button", name="ann: somebody else").click()
    page.get_by_label("Your name").fill("bob")
    page.get_by_role("button", name="Begin").click()
    expect(seen).to_contain_text("You have seen 0")
    for number in (1, 2, 3):
        page.keyboard.press("1")
        if number < 3:
            expect(seen).to_contain_text(f"You have seen {number}")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    page.get_by_role("link", name="To the queue").click()
    expect(page.get_by_text("3 of 3 logs are complete")).to_be_visible()
    table = page.get_by_role("table", name="Agreement")
    expect(table.get_by_text("ann and bob").first).to_be_visible()
    expect(table.get_by_text("50.0 %")).to_be_visible()
    [queue] = server.manage("GET", f"/gateways/{gateway}/annotation-queues")
    said = [
        (one["annotator"], one["label"], one["note"])
        for item in server.manage("GET", f"/gateways/{gateway}/annotation-queues/{queue['id']}/items")
        for one in item["annotations"]
    ]
    assert sorted(said, key=str) == sorted(
        [
            ("ann", "bad", ""),
            ("ann", None, "2 languages at once"),
            ("ann", "good", ""),
            *[("bob", "bad", "")] * 3,
        ],
        key=str,
    )


def test_items_of_a_snapshot_are_labelled_as_they_were_frozen(site: Watched, server: Server, gateway: str) -> None:
    base = f"/gateways/{gateway}"
    dataset = server.manage("POST", f"{base}/datasets", {"name": "all", "enable": True, "filters": []})
    path = f"{base}/datasets/{dataset['id']}/snapshots"
    made = server.manage("POST", path, {"name": "frozen", "import_format": "plain"})
    asked = json.dumps({"messages": [{"role": "user", "content": "Only in the snapshot?"}]})
    line = {"content": {"request": asked, "provider": "openai", "path": "v1/chat/completions"}}
    server.manage("POST", f"{path}/{made['id']}/items", {"items": [line]})
    server.manage("POST", f"{path}/{made['id']}/seal", {})
    queue = server.manage("POST", f"{base}/annotation-queues", {"name": "q", "dataset_ids": [made["id"]]})
    site.open(f"{base}/annotate/{queue['id']}/label")
    page = site.sign_in(server.token)
    page.get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Only in the snapshot?")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    page.get_by_role("link", name="To the queue").click()
    expect(page.get_by_text("frozen as frozen")).to_be_visible()
