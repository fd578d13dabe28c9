"""`/metrics`: who may read it, what it counts, and how many labels there can be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gaugeway.core.analytics import Figures, Total
from gaugeway.core.model import Outcome, Usage
from gaugeway.management.exposition import MAX_LABELLED, OTHER, Reading, expose
from support.control_plane import ControlPlane, error

LABELS = ("gateway", "provider", "outcome", "direction", "le")
Samples = dict[tuple[str, tuple[str, ...]], float]


def parsed(text: str) -> Samples:
    """Each sample by its name and the values of its labels, in the order of LABELS."""
    return {
        (sample.name, tuple(sample.labels[name] for name in LABELS if name in sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(plane: ControlPlane, token: str = "reader") -> Samples:
    answer = plane.client.get("/metrics", headers={"authorization": f"Bearer {plane.text_of(token)}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return parsed(answer.text)


def test_what_was_logged_a_moment_ago_is_counted(plane: ControlPlane) -> None:
    plane.make_gateway()
    plane.log(
        duration=100, first_byte_ms=40, cost=Decimal("0.25"),
        usage=Usage(tokens_in=10, tokens_out=4, cached_tokens_in=3),
    )  # fmt: skip
    plane.log(duration=101, cost=Decimal("0.5"), usage=Usage(tokens_in=1))
    plane.log(outcome=Outcome.CACHED, cost=Decimal(0), cost_saved=Decimal("0.125"), duration=3)
    plane.log(outcome=Outcome.TIMEOUT, duration=300_000, provider="anthropic")
    found = scrape(plane)
    here, there = ("main", "openai"), ("main", "anthropic")
    assert found["gaugeway_requests_total", (*here, "success")] == 2
    assert found["gaugeway_requests_total", (*here, "cached")] == 1
    assert found["gaugeway_requests_total", (*there, "timeout")] == 1
    assert found["gaugeway_tokens_total", (*here, "in")] == 11
    assert found["gaugeway_tokens_total", (*here, "out")] == 4
    assert found["gaugeway_cached_tokens_in_total", here] == 3
    assert found["gaugeway_cost_dollars_total", here] == 0.75
    assert found["gaugeway_cost_saved_dollars_total", here] == 0.125
    assert found["gaugeway_requests_without_cost_total", here] == 0
    assert found["gaugeway_requests_without_cost_total", there] == 1
    buckets = [(bound, found["gaugeway_request_duration_seconds_bucket", (*here, bound)]) for bound in
               ("0.05", "0.1", "0.255", "131.071", "+Inf")]  # fmt: skip
    assert buckets == [("0.05", 1), ("0.1", 2), ("0.255", 3), ("131.071", 3), ("+Inf", 3)]
    assert found["gaugeway_request_duration_seconds_bucket", (*there, "131.071")] == 0
    assert found["gaugeway_request_duration_seconds_bucket", (*there, "+Inf")] == 1
    assert found["gaugeway_request_duration_seconds_sum", here] == 0.204
    assert found["gaugeway_first_byte_seconds_count", here] == 1
    assert found["gaugeway_logs_refused_total", ("main",)] == 0
    assert found["gaugeway_evaluations_unfinished", ("main",)] == 0
    assert found["gaugeway_logs_behind", ()] == 0
    assert 0 <= found["gaugeway_log_flush_seconds", ()] < 2


def test_deletions_take_nothing_from_a_counter(plane: ControlPlane) -> None:
    plane.make_gateway()
    for _ in range(3):
        plane.log(cost=Decimal(1))
    plane.get("/gateways/main/logs")
    assert plane.call("DELETE", "/gateways/main/logs").status_code == 200
    plane.log(cost=Decimal(1))
    found = scrape(plane)
    assert found["gaugeway_requests_total", ("main", "openai", "success")] == 4
    assert found["gaugeway_cost_dollars_total", ("main", "openai")] == 4
    assert plane.call("DELETE", "/gateways/main").status_code == 200
    assert not [name for name, labels in scrape(plane) if "main" in labels]


def test_an_account_sees_its_own(plane: ControlPlane) -> None:
    plane.make_gateway()
    plane.log()
    assert ("gaugeway_requests_total", ("main", "openai", "success")) in scrape(plane)
    assert not [name for name, labels in scrape(plane, "stranger") if "main" in labels]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 400), ({"authorization": "Bearer wrong"}, 401), ("runner", 403)],
)
def test_nobody_else_sees_anything(plane: ControlPlane, headers: Any, status: int) -> None:
    if isinstance(headers, str):
        headers = {"authorization": f"Bearer {plane.text_of(headers)}"}
    error(plane.client.get("/metrics", headers=headers), status)


def test_parameters_and_other_methods_are_refused(plane: ControlPlane) -> None:
    token = {"authorization": f"Bearer {plane.text_of('everything')}"}
    assert error(plane.client.get("/metrics?name=x", headers=token))[1] == ["query", "name"]
    error(plane.client.post("/metrics", headers=token), 405)


def test_a_log_writer_that_is_behind_and_losses_are_told(plane: ControlPlane) -> None:
    plane.sink.stuck = True
    plane.installation.losses.number = 7
    try:
        found = scrape(plane)
    finally:
        plane.installation.losses.number = 0
    assert found["gaugeway_logs_behind", ()] == 1
    assert found["gaugeway_logs_lost_total", ()] == 7


def a_total(gateway: str, provider: str | None, requests: int = 1) -> Total:
    figures = Figures()
    figures.outcomes[Outcome.SUCCESS] = requests
    return Total(gateway, provider, figures)


def reading(**fields: Any) -> Reading:
    plain: dict[str, Any] = {
        "totals": [], "logs_refused": {}, "evaluations": {}, "logs_lost": 0, "behind": False, "flush_seconds": 0.0,
    }  # fmt: skip
    return Reading(**plain | fields)


def test_labels_do_not_become_many_and_the_first_ones_stay() -> None:
    totals = [a_total("main", f"custom-{number}") for number in range(MAX_LABELLED + 3)]
    gateways = {f"g{number:04}": 1 for number in range(MAX_LABELLED + 3)}
    found = parsed(expose(reading(totals=totals, logs_refused=gateways, evaluations=gateways)).decode())
    requests = {labels: value for (name, labels), value in found.items() if name == "gaugeway_requests_total"}
    assert len(requests) == MAX_LABELLED + 1
    assert requests["main", "custom-0", "success"] == 1
    assert requests[OTHER, OTHER, "success"] == 3
    assert found["gaugeway_logs_refused_total", (OTHER,)] == 3
    assert found["gaugeway_evaluations_unfinished", (OTHER,)] == 3


def test_a_provider_without_a_name_and_odd_names_are_written_so_that_they_are_read() -> None:
    odd = 'a"b\\c\nd'
    found = parsed(expose(reading(totals=[a_total("main", None), a_total("main", odd, 2)])).decode())
    assert found["gaugeway_requests_total", ("main", OTHER, "success")] == 1
    assert found["gaugeway_requests_total", ("main", odd, "success")] == 2
