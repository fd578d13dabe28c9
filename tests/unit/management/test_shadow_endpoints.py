"""Shadows over the management API: what is refused and where, with nothing written; forecasts, stop and resume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.replays import ItemState, ReplayItem, ReplayStatus
from gaugeway.core.shadows import DAY_S, Looked, Span
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.shadowing.forecast import ShadowForecaster
from support.control_plane import NOW, ControlPlane, error
from support.control_plane import errors as errors_of
from support.fixed_prices import FixedPrices, a_chat

PATH = "/gateways/main/shadows"
DAY = DAY_S * 1000
RATES = {"cost_per_token_in": 0.000001, "cost_per_token_out": 0.000002}
PRICED = {"model": "openai/some", **RATES}
UNPRICED = {"model": "openai/some"}


def body(**change: Any) -> dict[str, Any]:
    return {
        "name": "what if",
        "through": "second",
        "candidates": [PRICED],
        "share": 5,
        "daily_cap": 2,
        **change,
    }


@pytest.fixture(autouse=True)
def gateways(plane: ControlPlane) -> Iterator[None]:
    plane.make_gateway()
    plane.make_gateway("second")
    yield
    for one in plane.get(PATH)["result"]:  # so many may run at a time
        plane.call("DELETE", f"{PATH}/{one['id']}")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, ["name"]),
        ({"name": 7}, ["name"]),
        ({"nonsense": 1}, ["nonsense"]),
        ({"through": "main"}, ["through"]),
        ({"through": "absent"}, ["through"]),
        ({"through": None}, ["through"]),
        ({"dataset_id": "absent"}, ["dataset_id"]),
        ({"candidates": []}, ["candidates"]),
        ({"candidates": [PRICED] * 6}, ["candidates"]),
        ({"candidates": [PRICED, PRICED]}, ["candidates", 1, "label"]),
        ({"candidates": [{**PRICED, "label": "logged"}]}, ["candidates", 0, "label"]),
        ({"candidates": [{**PRICED, "model": "no-provider"}]}, ["candidates", 0, "model"]),
        ({"candidates": [{**PRICED, "model": "dynamic/route"}]}, ["candidates", 0, "model"]),
        ({"candidates": [UNPRICED]}, ["candidates", 0, "model"]),
        ({"candidates": [PRICED, {**UNPRICED, "label": "b"}]}, ["candidates", 1, "model"]),
        ({"candidates": [{**UNPRICED, "cost_per_token_in": 1}]}, ["candidates", 0, "model"]),
        ({"candidates": [{**PRICED, "parameters": {"stream": True}}]}, ["candidates", 0, "parameters", "stream"]),
        ({"candidates": [{**PRICED, "nonsense": 1}]}, ["candidates", 0, "nonsense"]),
        ({"candidates": [{**PRICED, "cost_per_token_in": "0.1"}]}, ["candidates", 0, "cost_per_token_in"]),
        ({"candidates": "openai/some"}, ["candidates"]),
        ({"share": 0}, ["share"]),
        ({"share": 1e-300}, ["share"]),
        ({"share": 101}, ["share"]),
        ({"share": "5"}, ["share"]),
        ({"share": True}, ["share"]),
        ({"daily_cap": 0}, ["daily_cap"]),
        ({"daily_cap": -1}, ["daily_cap"]),
        ({"daily_cap": 1e-13}, ["daily_cap"]),
        ({"daily_cap": 1e9}, ["daily_cap"]),
        ({"daily_cap": None}, ["daily_cap"]),
        ({"max_items": 0}, ["max_items"]),
        ({"max_items": 50_001}, ["max_items"]),
        ({"max_items": 1.5}, ["max_items"]),
        ({"concurrency": 0}, ["concurrency"]),
        ({"concurrency": 33}, ["concurrency"]),
        ({"until": "tomorrow"}, ["until"]),
        ({"until": to_rfc3339(NOW)}, ["until"]),
        ({"until": to_rfc3339(NOW + 367 * DAY)}, ["until"]),
        ({"evaluation_type_ids": ["absent"]}, ["evaluation_type_ids", 0]),
        ({"evaluation_type_ids": ["cost"]}, ["evaluation_type_ids", 0]),
        ({"margins": {"human_feedback": {"amount": 1}}}, ["margins", "human_feedback"]),
        ({"margins": {"cost": {"amount": 0}}}, ["margins", "cost", "amount"]),
        ({"accept_unknown_cost": "yes"}, ["accept_unknown_cost"]),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_where_it_stands_and_nothing_is_written(
    plane: ControlPlane, change: dict[str, Any], path: list[Any]
) -> None:
    [first, *_] = errors_of(plane.call("POST", PATH, body(**change)))
    assert (first["code"], first["path"]) == (7001, ["body", *path])
    assert plane.get(PATH)["result"] == []
    assert plane.installation.woken == 0


def test_a_gateway_that_is_not_there_and_readers_have_no_shadows(plane: ControlPlane) -> None:
    assert error(plane.call("POST", PATH.replace("main", "absent"), body()), 404)[0] == 7002
    for path in (PATH, f"{PATH}/forecast"):
        assert plane.call("POST", path, body(), token="reader").status_code in (401, 403)
    made = plane.make(PATH, body())
    assert plane.call("POST", f"{PATH}/{made['id']}/resume", token="reader").status_code in (401, 403)
    assert error(plane.call("POST", f"{PATH}/absent/resume"), 404)[0] == 7002
    assert error(plane.call("POST", PATH, body()))[:2] == (7001, ["body", "name"])
    assert len(plane.get(PATH)["result"]) == 1


def test_what_nobody_knows_the_price_of_can_be_accepted(plane: ControlPlane) -> None:
    made = plane.make(PATH, body(candidates=[UNPRICED], accept_unknown_cost=True))
    assert made["accept_unknown_cost"] is True


def test_a_forecast_creates_nothing_and_a_creation_keeps_it(plane: ControlPlane) -> None:
    for hours in range(50):
        record, bodies = a_chat(100, 10)
        plane.log(at=NOW - hours * 3_600_000, usage=record.usage, bodies=bodies)
    forecaster = ShadowForecaster(plane.stores.logs, plane.sink, FixedPrices(), plane.clock)
    with plane.installation.with_parts(forecast_shadow=forecaster.forecast) as client:
        plane.client = client
        told = plane.make(f"{PATH}/forecast", body())
        assert plane.get(PATH)["result"] == []
        assert (told["days"], told["logs"], told["daily_items"]) == (2, 48, 1.2)
        [one] = told["candidates"]
        assert (one["expected_cost"], one["replayable"]) == ("0.000168", 48)
        assert float(one["low"]) < 0.000168 < float(one["high"])
        assert (told["expected_cost"], told["low"], told["high"]) == ("0.000168", one["low"], one["high"])
        assert (told["within_cap"], told["judges"], told["note"]) == ("probably", [], None)
        assert plane.make(f"{PATH}/forecast", body(daily_cap=0.0002))["within_cap"] == "perhaps"
        assert plane.make(f"{PATH}/forecast", body(daily_cap=0.0001))["within_cap"] == "no"
        unknown = plane.make(f"{PATH}/forecast", body(candidates=[{"model": "dear/unknown"}]))
        assert (unknown["within_cap"], unknown["expected_cost"]) == ("unknown", None)
        assert unknown["candidates"][0]["unknown"] == "no price"
        assert plane.make(PATH, body())["forecast"] == told
        # the logged requests tell it even where no model is named
        refused = plane.call("POST", PATH, body(name="b", candidates=[{"model": "dear/unknown"}]))
        assert error(refused)[:2] == (7001, ["body", "candidates", 0, "model"])
        errors_of(plane.call("POST", f"{PATH}/forecast", body(daily_cap=0)))


def _ended(plane: ControlPlane, shadow_id: str, **fields: Any) -> None:
    plane.stores.shadows.change(
        plane.scope(), shadow_id, lambda one: structs.replace(one, status=ReplayStatus.COMPLETED, **fields)
    )


def test_a_stopped_shadow_goes_on_from_when_it_is_resumed(plane: ControlPlane) -> None:
    made = plane.make(PATH, body())
    path = f"{PATH}/{made['id']}"
    assert error(plane.call("POST", f"{path}/resume"))[1] == ["params", "shadow_id"]  # it runs
    plane.make(f"{path}/stop", None)
    assert error(plane.call("POST", f"{path}/stop"))[1] == ["params", "shadow_id"]
    assert error(plane.call("POST", f"{path}/resume"))[1] == ["params", "shadow_id"]  # it is stopping
    _ended(plane, made["id"])
    plane.clock.now += 5 * 60_000
    on = plane.make(f"{path}/resume", {"daily_cap": 3, "max_items": 20})
    assert (on["processed"], on["stopped_at"], on["daily_cap"], on["max_items"]) == (False, None, "3", 20)
    assert on["until"] == made["until"]
    shadow = plane.stores.shadows.get(plane.scope(), made["id"])
    assert shadow is not None
    assert plane.stores.shadows.looked_until(shadow) == plane.clock.now


def test_a_shadow_that_is_over_needs_more_time_or_items(plane: ControlPlane) -> None:
    made = plane.make(PATH, body(max_items=1))
    path = f"{PATH}/{made['id']}/resume"
    while (held := plane.stores.shadows.claim("me", 1, 10**15)) is not None and held.id != made["id"]:
        pass
    assert held is not None
    span = Span(low=held.created_at, high=held.created_at + 1)
    assert plane.stores.shadows.look(held, "me", [Looked(span, [bytes(16)])])
    assert plane.stores.shadows.put(held, "me", [ReplayItem(place=0, side=0, state=ItemState.REPLAYED)])
    _ended(plane, made["id"], until=plane.clock.now - 1)
    assert error(plane.call("POST", path))[:2] == (7001, ["body", "until"])
    later = to_rfc3339(plane.clock.now + DAY)
    for wrong in ({"until": "x"}, {"until": to_rfc3339(plane.clock.now)}, {"daily_cap": 0}, {"x": 1}):
        errors_of(plane.call("POST", path, {"until": later} | wrong))
    assert plane.get(f"{PATH}/{made['id']}")["result"]["processed"] is True
    assert error(plane.call("POST", path, {"until": later}))[:2] == (7001, ["body", "max_items"])
    on = plane.make(path, {"until": later, "max_items": 2})
    assert (on["until"], on["called"], on["processed"]) == (later, 1, False)


def test_bodies_that_are_no_objects_are_refused(plane: ControlPlane) -> None:
    for wrong in ([], "x", 7, None):
        assert plane.call("POST", PATH, wrong).status_code == 400
    assert plane.get(PATH)["result"] == []
