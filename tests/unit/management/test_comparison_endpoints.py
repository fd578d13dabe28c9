"""Comparisons and breakdowns over HTTP: what is answered, and what is refused with its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from support.control_plane import ControlPlane

COMPARISONS = "/gateways/main/comparisons"
SIDES = [{"label": "a", "metadata": {"team": "a"}}, {"label": "b", "metadata": {"team": "b"}}]


@pytest.fixture
def plane(plane: ControlPlane) -> ControlPlane:
    """With a gateway of a few logs of two teams."""
    plane.make_gateway("main")
    for team, costs in (("a", ("0.01", "0.02", "0.03")), ("b", ("0.05", None, "0.07"))):
        for number, cost in enumerate(costs):
            plane.log(cost=None if cost is None else Decimal(cost), duration=100 + number, metadata={"team": team})
    return plane


def compare(plane: ControlPlane, **fields: Any) -> Any:
    body = {"sides": SIDES, "evaluation_type_ids": ["cost"], **fields}
    return plane.call("POST", COMPARISONS, body)


def test_a_comparison_has_figures_differences_and_a_gate(plane: ControlPlane) -> None:
    answer = compare(plane).json()
    assert answer["success"] is True
    result = answer["result"]
    assert (result["baseline"], result["gate"]) in (("a", "worse"), ("a", "cannot tell"))
    one, two = result["sides"]
    assert (one["label"], one["total_logs"], two["total_logs"], two["also_in_baseline"]) == ("a", 3, 3, 0)
    (cost,) = two["results"]
    assert (cost["result"], cost["total_logs"], cost["skipped"]) == ("0.06", 2, 1)
    (difference,) = result["differences"]
    assert (difference["side"], difference["baseline"], difference["difference"]) == ("b", "a", "0.04")
    assert Decimal(difference["low"]) < Decimal("0.04") < Decimal(difference["high"])
    assert (difference["test"], difference["interval_level"], difference["paired"]) == ("Welch's t", 0.95, None)


def test_what_cannot_be_known_is_null_with_the_reason(plane: ControlPlane) -> None:
    sides = [SIDES[0], {"label": "none", "metadata": {"team": "zzz"}}]
    (difference,) = compare(plane, sides=sides).json()["result"]["differences"]
    assert (difference["difference"], difference["low"], difference["p_value"]) == (None, None, None)
    assert difference["verdict"] == "cannot tell"
    assert difference["note"] == "one of the two has no log with a figure"


@pytest.mark.parametrize(
    ("fields", "path", "says"),
    [
        ({"sides": SIDES[:1]}, ["sides"], "at least 2"),
        ({"sides": SIDES * 6}, ["sides"], "at most 10"),
        ({"sides": [SIDES[0], SIDES[0]]}, ["sides", 1], "label"),
        ({"sides": [SIDES[0], {"evaluation_id": "unknown"}]}, ["sides", 1, "evaluation_id"], "no evaluation"),
        ({"sides": [SIDES[0], {"dataset_id": "unknown"}]}, ["sides", 1, "dataset_id"], "no dataset"),
        ({"sides": [SIDES[0], {"model": "x"}]}, ["sides", 1, "model"], "Unrecognized key"),
        (
            {"sides": [SIDES[0], {"filters": [{"key": "beauty", "operator": "eq", "value": [1]}]}]},
            ["sides", 1, "filters", 0, "key"],
            "Invalid enum value",
        ),
        ({"evaluation_type_ids": []}, ["evaluation_type_ids"], "at least 1"),
        ({"evaluation_type_ids": ["cost", "cost"]}, ["evaluation_type_ids", 1], "twice"),
        ({"evaluation_type_ids": ["beauty"]}, ["evaluation_type_ids", 0], "no evaluator 'beauty'"),
        ({"pair_by": "moon"}, ["pair_by"], "Expected 'event_id' or 'metadata.KEY'"),
        ({"margins": {"speed": {"amount": 1}}}, ["margins", "speed"], "not compared"),
        ({"margins": {"cost": {"amount": 0}}}, ["margins", "cost", "amount"], "greater than 0"),
        ({"margins": {"cost": {"amount": 1, "unit": "feet"}}}, ["margins", "cost", "unit"], "Invalid enum value"),
        ({"alpha": 0.2}, ["alpha"], "Unrecognized key"),
    ],
)
def test_bad_input_is_refused_with_its_place(plane: ControlPlane, fields: Any, path: Any, says: str) -> None:
    answer = compare(plane, **fields)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["path"]) == (7001, ["body", *path])
    assert says in error["message"]


def test_a_breakdown(plane: ControlPlane) -> None:
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})
    body = {"name": "one", "dataset_ids": [dataset["id"]], "evaluation_type_ids": ["cost", "speed"]}
    made = plane.make("/gateways/main/evaluations", body)
    path = f"/gateways/main/evaluations/{made['id']}/breakdown"
    result = plane.get(path, by="metadata.team")["result"]
    assert (result["by"], result["other_groups"], result["note"]) == ("metadata.team", 0, None)
    assert [(one["group"], one["total_logs"]) for one in result["groups"]] == [("a", 3), ("b", 3)]
    cost, speed = result["groups"][1]["results"]
    assert (cost["evaluation_type_id"], cost["result"], speed["result"]) == ("cost", "0.06", "101")
    for wrong, field in (({"by": "moon"}, "by"), ({"by": "model", "limit": "0"}, "limit"), ({}, "by")):
        answer = plane.call("GET", f"{path}?" + "&".join(f"{key}={value}" for key, value in wrong.items()))
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["path"] == ["query", field]
    assert plane.call("GET", "/gateways/main/evaluations/unknown/breakdown?by=model").status_code == 404


def test_reading_is_not_enough_for_a_comparison(plane: ControlPlane) -> None:
    assert plane.call("POST", COMPARISONS, {}, token="reader").status_code == 403
