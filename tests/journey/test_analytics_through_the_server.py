"""Analytics and metrics of a real server: whichever of its processes answers, they count what all of them did."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from support.server import Server, running_server
from support.upstream import running_upstream

CHATS = 12


def requests_scraped(server: Server) -> dict[str, float]:
    """Requests by outcome, as Prometheus reads them."""
    answer = server.call("GET", "/metrics")
    assert answer.status == 200, answer.body
    return {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
        if sample.name == "gaugeway_requests_total"
    }


def test_every_process_tells_what_all_of_them_did(tmp_path: Path) -> None:
    with running_upstream() as upstream, running_server(tmp_path, upstream.url, workers=2) as server:
        gateway = server.make_gateway()
        for _ in range(CHATS):
            assert server.chat(gateway).status == 200
        server.wait_for_logs(gateway, CHATS)
        logs = server.logs(gateway)
        for _ in range(6):  # connections go to either process
            answer = server.manage("GET", "/analytics?group_by=model")
            assert answer["totals"]["requests"] == CHATS
            assert answer["totals"]["tokens_in"] == sum(log["tokens_in"] for log in logs)
            assert requests_scraped(server) == {"success": CHATS}
        assert server.call("GET", "/metrics", headers={}).status == 400
        server.kill()
        server.start()
        assert requests_scraped(server) == {"success": CHATS}
        assert server.manage("GET", f"/gateways/{gateway}/analytics")["totals"]["requests"] == CHATS
