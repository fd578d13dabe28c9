"""Monitors over the management API: what is kept, what is refused and where, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.ids import from_text, time_ms
from gaugeway.core.monitors import Monitor
from support.control_plane import NOW, ControlPlane, error
from support.control_plane import errors as errors_of

PATH = "/gateways/main/monitors"
HOUR = 3_600_000
BODY: dict[str, Any] = {"name": "quality", "evaluation_type_ids": ["cost"], "interval_minutes": 60}
HOOK = {"url": "https://hooks.example.com/services/T0/secret-path"}


def test_a_monitor_has_defaults_and_waits_for_its_time(plane: ControlPlane) -> None:
    plane.make_gateway()
    made = plane.make(PATH, BODY)
    end = NOW // HOUR * HOUR + HOUR
    assert made["next_at"] == plane_time(end + 60_000)
    assert made["counted_until"] == plane_time(NOW)
    assert made["alpha"] == pytest.approx(0.05 / 173)
    assert (made["webhook"], made["spent_today"], made["raised"]) == (None, None, [])
    assert made["datasets"][0]["filters"] == []
    assert time_ms(from_text(made["id"]) or b"") >= NOW
    assert plane.get(f"{PATH}/{made['id']}")["result"] == made
    assert plane.get(PATH)["result"] == [made]
    assert plane.get(PATH, name="other")["result"] == []
    by_user = plane.make(PATH, BODY | {"name": "by user", "cluster_by": "metadata.user"})
    assert (made["cluster_by"], by_user["cluster_by"]) == (None, "metadata.user")
    plane.call("DELETE", f"{PATH}/{by_user['id']}")
    assert plane.installation.woken == 2
    assert plane.call("DELETE", f"{PATH}/{made['id']}").json()["result"] == made
    assert error(plane.call("GET", f"{PATH}/{made['id']}"), 404)[0] == 7002


def test_a_monitor_keeps_groups_of_filters_and_says_where_one_is_wrong(plane: ControlPlane) -> None:
    plane.make_gateway()
    model = {"key": "model", "operator": "eq", "value": ["a"]}
    group = {"any_of": [model, {"none_of": [{"key": "response_body", "operator": "contains", "value": ["x"]}]}]}
    assert plane.make(PATH, {**BODY, "filters": [group]})["datasets"][0]["filters"] == [group]
    wrong = {"any_of": [{**model, "key": "nonsense"}]}
    answer = plane.call("POST", PATH, {**BODY, "name": "wrong", "filters": [wrong]})
    assert error(answer)[:2] == (7001, ["body", "filters", 0, "any_of", 0, "key"])


def plane_time(ms: int) -> str:
    from gaugeway.core.timestamps import to_rfc3339

    return to_rfc3339(ms)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"interval_minutes": 0}, ["interval_minutes"]),
        ({"interval_minutes": 10081}, ["interval_minutes"]),
        ({"interval_minutes": 1.5}, ["interval_minutes"]),
        ({"evaluation_type_ids": []}, ["evaluation_type_ids"]),
        ({"evaluation_type_ids": ["nonsense"]}, ["evaluation_type_ids", 0]),
        ({"evaluation_type_ids": ["cost", "cost"]}, ["evaluation_type_ids", 1]),
        ({"dataset_ids": ["nonsense"]}, ["dataset_ids", 0]),
        ({"filters": [{"key": "nonsense", "operator": "eq", "value": ["x"]}]}, ["filters", 0, "key"]),
        ({"share": 0}, ["share"]),
        ({"share": 1.1}, ["share"]),
        ({"max_items": 0}, ["max_items"]),
        ({"daily_max_cost": 0}, ["daily_max_cost"]),
        ({"daily_max_cost": 1e-13}, ["daily_max_cost"]),
        ({"cluster_by": "user"}, ["cluster_by"]),
        ({"cluster_by": "metadata."}, ["cluster_by"]),
        ({"cluster_by": 7}, ["cluster_by"]),
        ({"weekly_alpha": 0.9}, ["weekly_alpha"]),
        ({"reference_windows": 51}, ["reference_windows"]),
        ({"keep_windows": 50}, ["keep_windows"]),
        ({"margins": {"speed": {"amount": 1}}}, ["margins", "speed"]),
        ({"baseline_evaluation_id": "nonsense"}, ["baseline_evaluation_id"]),
        ({"webhook": {"url": "https://127.0.0.1/x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://169.254.169.254/latest"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://2130706433/"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://localhost/x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "http://hooks.example.com/x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "ftp://hooks.example.com/x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://user:word@hooks.example.com/x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://hooks.example.com/x#y"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://hooks.example.com/\r\nx: y"}}, ["webhook", "url"]),
        ({"webhook": {**HOOK, "secret": "short"}}, ["webhook", "secret"]),
        ({"webhook": {**HOOK, "headers": {}}}, ["webhook", "headers"]),
        ({"nonsense": 1}, ["nonsense"]),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_where_it_stands(
    plane: ControlPlane, change: dict[str, Any], path: list[Any]
) -> None:
    plane.make_gateway()
    [first, *_] = errors_of(plane.call("POST", PATH, BODY | change))
    assert (first["code"], first["path"]) == (7001, ["body", *path])
    assert plane.get(PATH)["result"] == []


def test_names_are_unlike_and_monitors_are_not_without_number(plane: ControlPlane) -> None:
    plane.make_gateway()
    plane.make(PATH, BODY)
    assert error(plane.call("POST", PATH, BODY))[1] == ["body", "name"]
    for number in range(99):
        plane.make(PATH, BODY | {"name": str(number)})
    assert "100 monitors" in error(plane.call("POST", PATH, BODY | {"name": "one more"}))[2]


def test_a_secret_is_shown_once_and_stays(plane: ControlPlane) -> None:
    plane.make_gateway()
    made = plane.make(PATH, BODY | {"webhook": HOOK})
    assert made["webhook"]["secret"].startswith("whsec_")
    path = f"{PATH}/{made['id']}"
    assert plane.get(path)["result"]["webhook"] == HOOK
    seen = plane.call("GET", path, token="reader").json()["result"]
    assert seen["webhook"] == {"url": "https://hooks.example.com/[hidden]"}
    again = plane.call("PUT", path, BODY | {"webhook": HOOK}).json()["result"]
    assert again["webhook"] == HOOK
    own = {**HOOK, "secret": "a secret of our own"}
    assert plane.call("PUT", path, BODY | {"webhook": own}).json()["result"]["webhook"] == own


def test_put_keeps_how_far_it_is_and_begins_anew_where_it_was_off(plane: ControlPlane) -> None:
    plane.make_gateway()
    made = plane.make(PATH, BODY)
    path = f"{PATH}/{made['id']}"
    plane.clock.now += 10_000
    renamed = plane.call("PUT", path, BODY | {"name": "other"}).json()["result"]
    assert renamed["name"] == "other"
    assert (renamed["counted_until"], renamed["created_at"]) == (made["counted_until"], made["created_at"])
    assert renamed["datasets"] == made["datasets"]
    off = plane.call("PUT", path, BODY | {"enabled": False}).json()["result"]
    assert (off["enabled"], off["next_at"]) == (False, None)
    assert error(plane.call("POST", f"{path}/run"))[1] == ["params", "monitor_id"]
    plane.clock.now += HOUR
    on = plane.call("PUT", path, BODY).json()["result"]
    assert on["counted_until"] == plane_time(plane.clock.now)
    asked = plane.call("POST", f"{path}/run").json()["result"]
    assert asked["next_at"] == plane_time(plane.clock.now + 1)


def test_readers_read_and_strangers_see_nothing(plane: ControlPlane) -> None:
    plane.make_gateway()
    made = plane.make(PATH, BODY)
    path = f"{PATH}/{made['id']}"
    assert plane.call("GET", f"{path}/windows", token="reader").json()["result"] == []
    assert plane.call("GET", f"{path}/notices", token="reader").json()["result"] == []
    for method, where in (("POST", PATH), ("PUT", path), ("POST", f"{path}/run"), ("DELETE", path)):
        assert plane.call(method, where, BODY, token="reader").status_code in (401, 403)
    plane.make_gateway("second")
    assert plane.call("GET", path.replace("/main/", "/second/")).status_code == 404


def test_a_first_webhook_is_told_of_what_is_raised_already(plane: ControlPlane) -> None:
    plane.make_gateway()
    made = plane.make(PATH, BODY)
    path = f"{PATH}/{made['id']}"

    def raised(kept: Monitor) -> Monitor:
        return structs.replace(kept, raised=("worse:cost",))

    plane.stores.monitors.change(plane.scope(), made["id"], raised)
    assert plane.call("PUT", path, BODY | {"min_logs": 9}).json()["result"]["raised"] == ["worse:cost"]
    assert plane.call("PUT", path, BODY | {"webhook": HOOK}).json()["result"]["raised"] == []
    plane.stores.monitors.change(plane.scope(), made["id"], raised)
    again = plane.call("PUT", path, BODY | {"webhook": HOOK, "min_logs": 9}).json()["result"]
    assert again["raised"] == ["worse:cost"]
