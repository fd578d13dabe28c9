"""Spend limits as they are set, and how they are told to stand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gaugeway.core.model import Gateway
from gaugeway.core.spending import rules_of
from support.control_plane import NOW, REQUIRED, ControlPlane, error
from support.spending import DOLLAR, a_rule

PATH = "/gateways/main/spend_limits"


def make(plane: ControlPlane, *rules: dict[str, Any]) -> Gateway:
    plane.make_gateway(spend_limits={"enabled": True, "rules": list(rules)})
    gateway = plane.stores.gateways.get(plane.scope())
    assert gateway is not None
    return gateway


def test_rules_are_kept_as_sent_and_given_an_id_where_they_have_none(plane: ControlPlane) -> None:
    rule = a_rule(0.5, metadata={"user": {"mode": "partition"}}, model={"mode": "filter", "values": ["gpt-4o"]})
    nameless = {"limitType": "cost", "limit": 1, "window": 60}
    kept = make(plane, rule, nameless).spend_limits
    assert kept is not None
    shown = plane.get("/gateways/main")["result"]["spend_limits"]
    assert shown == kept
    assert shown["rules"][0] == rule | {"enabled": True}
    assert re.fullmatch("[0-9a-f]{8}", shown["rules"][1]["id"])
    assert (shown["rules"][1]["technique"], shown["rules"][1]["enabled"]) == ("sliding", True)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": "no spaces"}, ["id"]),
        ({"id": ""}, ["id"]),
        ({"id": "x" * 65}, ["id"]),
        ({"limit": 0}, ["limit"]),
        ({"limit": -1}, ["limit"]),
        ({"limit": 4_000_001}, ["limit"]),
        ({"limit": "1"}, ["limit"]),
        ({"limit": None}, ["limit"]),
        ({"window": 0}, ["window"]),
        ({"window": 1.5}, ["window"]),
        ({"window": 10**10}, ["window"]),
        ({"limitType": "tokens"}, ["limitType"]),
        ({"technique": "other"}, ["technique"]),
        ({"unknown": 1}, ["unknown"]),
        ({"model": {"mode": "filter"}}, ["model", "values"]),
        ({"model": {"mode": "filter", "values": []}}, ["model", "values"]),
        ({"model": {"mode": "partition", "values": ["a"]}}, ["model", "mode"]),
        ({"metadata": {"user": {"mode": "filter"}}}, ["metadata", "user"]),
        ({"metadata": {"user": {"mode": "partition", "values": ["a"]}}}, ["metadata", "user"]),
    ],
)
def test_bad_rules(plane: ControlPlane, change: dict[str, Any], path: list[Any]) -> None:
    limits = {"enabled": True, "rules": [a_rule() | change]}
    code, where, _ = error(plane.call("POST", "/gateways", {"id": "main", **REQUIRED, "spend_limits": limits}))
    assert (code, where) == (7001, ["body", "spend_limits", "rules", 0, *path])


def test_an_id_belongs_to_one_rule(plane: ControlPlane) -> None:
    limits = {"enabled": True, "rules": [a_rule(), a_rule(2)]}
    code, where, message = error(
        plane.call("POST", "/gateways", {"id": "main", **REQUIRED, "spend_limits": limits})
    )
    assert (code, where) == (7001, ["body", "spend_limits"])
    assert "'rule'" in message


def test_how_they_stand(plane: ControlPlane) -> None:
    by_user = a_rule(1, 3600, id="users", technique="sliding", metadata={"user": {"mode": "partition"}})
    gateway = make(plane, by_user, a_rule(2, 86_400, id="all"), a_rule(9, id="unused", enabled=False))
    users, everything = rules_of(gateway.scope, gateway.spend_limits)
    ledger = plane.parts.ledger
    for user, cost in (("ann", DOLLAR // 4), ("bob", DOLLAR // 2)):
        bucket = users.bucket("openai", "m", {"user": user})
        assert bucket is not None
        budgets = (bucket, everything.budget)
        assert ledger.reserve(user.encode(), budgets, DOLLAR // 2, NOW) is None
        if user == "ann":
            ledger.settle(user.encode(), budgets, cost, NOW)
    answer = plane.get(PATH)
    assert answer["result_info"]["total_count"] == 3
    everyone, ann, bob = answer["result"]
    assert everyone == {
        "rule_id": "all",
        "partition": {},
        "window": 86_400,
        "technique": "fixed",
        "limit": "2",
        "spent": "0.25",
        "reserved": "0.5",
        "unsettled": "0",
        "remaining": "1.25",
        "resets_at": "2026-11-19T00:00:00.000Z",
    }
    assert (ann["partition"], ann["spent"], ann["reserved"]) == ({"user": "ann"}, "0.25", "0")
    assert (bob["partition"], bob["spent"], bob["reserved"], bob["remaining"]) == (
        {"user": "bob"},
        "0",
        "0.5",
        "0.5",
    )
    assert "2026-11-18T12:06:40" <= bob["resets_at"] <= "2026-11-18T12:07:11"
    assert [one["rule_id"] for one in plane.get(PATH, page=2, per_page=2)["result"]] == ["users"]
    assert plane.get(PATH, page=3, per_page=2)["result"] == []


def test_a_rule_that_nothing_was_spent_under_is_shown_too(plane: ControlPlane) -> None:
    make(plane, a_rule(3))
    (shown,) = plane.get(PATH)["result"]
    assert (shown["spent"], shown["remaining"], shown["resets_at"]) == ("0", "3", None)


def test_giving_back_what_dead_processes_hold(plane: ControlPlane) -> None:
    gateway = make(plane, a_rule(1))
    (rule,) = rules_of(gateway.scope, gateway.spend_limits)
    assert plane.parts.ledger.reserve(b"x", (rule.budget,), DOLLAR // 2, NOW) is None
    alive = plane.call("DELETE", f"{PATH}/rule/unsettled")
    assert alive.json()["result"] == {"rule_id": "rule", "given_back": "0"}
    plane.clock.now = NOW + 3_600_000  # nobody has said that it lives for an hour
    (shown,) = plane.get(PATH)["result"]
    assert (shown["reserved"], shown["unsettled"], shown["remaining"]) == ("0", "0.5", "0.5")
    dead = plane.call("DELETE", f"{PATH}/rule/unsettled")
    assert dead.json()["result"] == {"rule_id": "rule", "given_back": "0.5"}
    assert plane.get(PATH)["result"][0]["remaining"] == "1"


def test_who_may_do_what(plane: ControlPlane) -> None:
    make(plane, a_rule(1))
    assert plane.call("GET", PATH, token="reader").status_code == 200
    assert plane.call("GET", PATH, token="runner").status_code == 403
    assert plane.call("DELETE", f"{PATH}/rule/unsettled", token="reader").status_code == 403
    assert plane.call("DELETE", f"{PATH}/another/unsettled").status_code == 404
    assert plane.call("GET", "/gateways/nobody/spend_limits").status_code == 404
