"""Datasets through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.query import DATASET_KEYS, KEYS, Kind
from support.control_plane import NOW, ControlPlane, error, errors

DATASETS = "/gateways/main/datasets"
FILTERS: list[dict[str, Any]] = [
    {"key": "provider", "operator": "eq", "value": ["openai", "anthropic"]},
    {"key": "cost", "operator": "gt", "value": [0.5]},
    {"key": "success", "operator": "eq", "value": [True]},
]
BODY: dict[str, Any] = {"name": "all", "enable": True, "filters": FILTERS}


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> str:
    return plane.make_gateway()


def test_create_and_get(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, BODY)
    assert made == {
        "id": made["id"],
        "gateway_id": "main",
        **BODY,
        "created_at": "2026-11-18T11:06:40.000Z",
        "modified_at": "2026-11-18T11:06:40.000Z",
    }
    assert plane.get(f"{DATASETS}/{made['id']}")["result"] == made
    assert plane.get(DATASETS)["result"] == [made]


def test_put_replaces_all_three(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, BODY)
    plane.clock.now = NOW + 1
    wanted = {"name": "none", "enable": False, "filters": []}
    answer = plane.call("PUT", f"{DATASETS}/{made['id']}", wanted)
    assert answer.json()["result"] == made | wanted | {"modified_at": "2026-11-18T11:06:40.001Z"}
    assert plane.get(f"{DATASETS}/{made['id']}")["result"] == answer.json()["result"]


@pytest.mark.parametrize("missing", BODY)
def test_all_three_are_required(plane: ControlPlane, missing: str) -> None:
    made = plane.make(DATASETS, BODY)
    body = {name: value for name, value in BODY.items() if name != missing}
    for answer in (plane.call("POST", DATASETS, body), plane.call("PUT", f"{DATASETS}/{made['id']}", body)):
        assert error(answer) == (7001, ["body", missing], "Required")


def test_delete_answers_with_what_was(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, BODY)
    assert plane.call("DELETE", f"{DATASETS}/{made['id']}").json()["result"] == made
    assert error(plane.call("DELETE", f"{DATASETS}/{made['id']}"), 404)[0] == 7002
    assert plane.get(DATASETS)["result"] == []


def test_names_are_unique_within_their_gateway(plane: ControlPlane) -> None:
    plane.make(DATASETS, BODY)
    assert error(plane.call("POST", DATASETS, BODY))[:2] == (7001, ["body", "name"])
    other = plane.make(DATASETS, {**BODY, "name": "other"})
    taken = plane.call("PUT", f"{DATASETS}/{other['id']}", BODY)
    assert error(taken)[:2] == (7001, ["body", "name"])
    assert plane.call("PUT", f"{DATASETS}/{other['id']}", {**BODY, "name": "other"}).status_code == 200
    plane.make_gateway("second")
    plane.make("/gateways/second/datasets", BODY)


@pytest.mark.parametrize("name", ["", "x" * 257, 7, None, ["a"]])
def test_bad_names(plane: ControlPlane, name: Any) -> None:
    assert error(plane.call("POST", DATASETS, {**BODY, "name": name}))[:2] == (7001, ["body", "name"])


@pytest.mark.parametrize(
    "name", ["x" * 256, " ", "\U0001f984", "a\nb", "<script>", "'; DROP TABLE datasets; --", "\0"]
)
def test_any_text_is_a_name(plane: ControlPlane, name: str) -> None:
    made = plane.make(DATASETS, {**BODY, "name": name})
    assert made["name"] == name
    assert plane.get(DATASETS, name=name)["result"] == [made]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"key": "model", "operator": "is", "value": ["x"]}, ["operator"]),
        ({"key": "wholesale", "operator": "eq", "value": [True]}, ["key"]),
        ({"key": "metadata.", "operator": "eq", "value": ["x"]}, ["key"]),
        ({"key": "metadata." + "x" * 201, "operator": "eq", "value": ["x"]}, ["key"]),
        ({"key": "metadata.team", "operator": "gt", "value": ["x"]}, ["operator"]),
        ({"key": "metadata.team", "operator": "eq", "value": [None]}, ["value", 0]),
        ({"key": "id", "operator": "eq", "value": ["no id"]}, ["value", 0]),
        ({"key": "model", "operator": "eq", "value": [None]}, ["value", 0]),
        ({"key": "model", "operator": "eq", "value": []}, ["value"]),
        ({"key": "model", "operator": "eq", "value": "x"}, ["value"]),
        ({"key": "model", "operator": "eq"}, ["value"]),
        ({"key": "model", "operator": "eq", "value": ["x"], "not": True}, ["not"]),
        ({"key": "cost", "operator": "lt", "value": [1, 2]}, ["value"]),
        ({"key": "tokens", "operator": "contains", "value": [1]}, ["operator"]),
        ({"key": "duration", "operator": "gt", "value": ["long"]}, ["value", 0]),
        ({"key": "created_at", "operator": "gt", "value": [5]}, ["value", 0]),
        ("model", []),
    ],
)
def test_bad_filters(plane: ControlPlane, item: Any, path: list[Any]) -> None:
    body = {**BODY, "filters": [FILTERS[0], item]}
    assert error(plane.call("POST", DATASETS, body))[:2] == (7001, ["body", "filters", 1, *path])
    assert plane.get(DATASETS)["result"] == []


@pytest.mark.parametrize("key", KEYS)
def test_only_some_keys_are_possible(plane: ControlPlane, key: str) -> None:
    examples = {"created_at": "2026-01-01", "feedback": 1, "id": "01890000-0000-7000-8000-000000000000"}
    value = examples.get(key, {Kind.FLAG: True, Kind.TEXT: "x"}.get(KEYS[key], 1))
    operator = "contains" if KEYS[key] is Kind.BODY else "eq"
    body = {**BODY, "filters": [{"key": key, "operator": operator, "value": ["x" if operator != "eq" else value]}]}
    status = plane.call("POST", DATASETS, body).status_code
    assert status == (200 if key in DATASET_KEYS else 400)


def test_too_many_filters(plane: ControlPlane) -> None:
    found = errors(plane.call("POST", DATASETS, {**BODY, "filters": FILTERS[:1] * 101}))
    assert found[0]["path"] == ["body", "filters"]


def test_list_filters_and_pages(plane: ControlPlane) -> None:
    for index in range(5):
        plane.clock.now += 1
        plane.make(DATASETS, {**BODY, "name": f"set {index}", "enable": index % 2 == 0, "filters": FILTERS[:index]})
    names = [item["name"] for item in plane.get(DATASETS)["result"]]
    assert names == ["set 4", "set 3", "set 2", "set 1", "set 0"]

    def listed(**query: Any) -> list[str]:
        return [item["name"] for item in plane.get(DATASETS, **query)["result"]]

    assert listed(enable="false") == ["set 3", "set 1"]
    assert listed(name="set 2") == ["set 2"]
    assert listed(name="set") == []
    assert listed(search="SET 1") == ["set 1"]
    assert listed(search="anthropic", enable="true") == ["set 4", "set 2"]
    assert listed(page=2, per_page=2) == ["set 2", "set 1"]
    assert plane.get(DATASETS, per_page=2, page=9)["result_info"]["total_count"] == 5
    assert error(plane.call("GET", f"{DATASETS}?enable=perhaps"))[:2] == (7001, ["query", "enable"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_dataset_of_another_gateway_or_account_does_not_exist(plane: ControlPlane, method: str) -> None:
    made = plane.make(DATASETS, BODY)
    plane.make_gateway("second")
    body = BODY if method == "PUT" else None
    for path in (f"/gateways/second/datasets/{made['id']}", f"{DATASETS}/unknown", "/gateways/absent/datasets/x"):
        assert error(plane.call(method, path, body), 404)[0] == 7002
    assert plane.get(f"{DATASETS}/{made['id']}")["result"] == made


def test_a_dataset_of_one_entry_of_the_metadata_is_kept_and_means_its_logs(plane: ControlPlane) -> None:
    entries = ({"team": "blue", "value": "red"}, {"team": "red"}, {"other": "blue"})
    ours, *_ = [plane.log(metadata=metadata) for metadata in entries]
    filters = [{"key": "metadata.team", "operator": "neq", "value": ["red"]}]
    made = plane.make(DATASETS, {**BODY, "filters": filters})
    assert made["filters"] == filters
    found = plane.get("/gateways/main/logs", filters=json.dumps(filters))["result"]
    assert [log["id"] for log in found] == [ours]
