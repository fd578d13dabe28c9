"""Evaluations and their types through the API."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from gaugeway.core import ids, timestamps
from gaugeway.core.model import ResultStatus
from support.control_plane import NOW, ControlPlane, error, errors

EVALUATIONS = "/gateways/main/evaluations"
DATE = "2026-11-18T11:06:40.000Z"


@pytest.fixture
def dataset(plane: ControlPlane) -> dict[str, Any]:
    plane.make_gateway()
    return make_dataset(plane, "all")


def make_dataset(plane: ControlPlane, name: str, *, gateway: str = "main", enable: bool = True) -> dict[str, Any]:
    filters = [{"key": "success", "operator": "eq", "value": [True]}]
    return plane.make(f"/gateways/{gateway}/datasets", {"name": name, "enable": enable, "filters": filters})


def body(*datasets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    plain = {"name": "first", "dataset_ids": [item["id"] for item in datasets], "evaluation_type_ids": ["cost"]}
    return plain | fields


def test_create_answers_at_once_with_a_row_for_each_type(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset, evaluation_type_ids=["speed", "cost"]))
    rows = [
        {
            "id": row["id"],
            "evaluation_id": made["id"],
            "evaluation_type_id": type_id,
            "created_at": DATE,
            "modified_at": DATE,
            "status": 0,
            "status_description": "queued",
            "result": "",
            "total_logs": 0,
            "skipped": 0,
            "failed": 0,
            "pending": 0,
            "low": None,
            "high": None,
            "interval_level": None,
            "interval_method": None,
            "interval_note": None,
            "unit": None,
            "direction": None,
            "agreement": None,
        }
        for row, type_id in zip(made["results"], ["speed", "cost"], strict=True)
    ]
    embedded = dataset | {"account_id": plane.account_id, "account_tag": plane.account_id}
    assert made == {
        "id": made["id"],
        "gateway_id": "main",
        "name": "first",
        "created_at": DATE,
        "modified_at": DATE,
        "processed": False,
        "total_logs": 0,
        "cluster_by": None,
        "snapshot": None,
        "datasets": [embedded],
        "results": rows,
        "window": None,
    }
    assert plane.installation.woken == 1
    assert plane.get(f"{EVALUATIONS}/{made['id']}")["result"] == made
    assert plane.get(EVALUATIONS)["result"] == [made]
    claimed = plane.stores.evaluations.claim("somebody", NOW, 1000)
    assert claimed is not None
    assert claimed.id == made["id"]


def test_results_are_shown_as_they_come(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset))
    evaluation = plane.stores.evaluations.claim("me", NOW, 10_000)
    assert evaluation is not None
    done = structs.replace(
        evaluation.results[0],
        status=ResultStatus.COMPLETED,
        status_description="completed",
        result="0.0000125",
        total_logs=7,
        skipped=2,
        failed=1,
        modified_at=NOW + 5,
    )
    assert plane.stores.evaluations.save(evaluation, "me", [done], 10)
    shown = plane.get(f"{EVALUATIONS}/{made['id']}")["result"]
    assert (shown["processed"], shown["total_logs"]) == (True, 10)
    (row,) = shown["results"]
    assert row.items() >= {"status": 2, "result": "0.0000125", "total_logs": 7, "skipped": 2, "failed": 1}.items()
    assert (row["low"], row["high"], row["interval_level"]) == (None, None, None)
    assert row["interval_note"] == "this result was computed before results had intervals"
    assert [item["id"] for item in plane.get(EVALUATIONS, processed="true")["result"]] == [made["id"]]
    assert plane.get(EVALUATIONS, processed="false")["result"] == []


def test_logs_may_be_clustered(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset, cluster_by="metadata.user"))
    assert made["cluster_by"] == "metadata.user"
    assert plane.get(f"{EVALUATIONS}/{made['id']}")["result"]["cluster_by"] == "metadata.user"
    _, path, message = error(plane.call("POST", EVALUATIONS, body(dataset, name="other", cluster_by="moon")))
    assert path == ["body", "cluster_by"]
    assert "'metadata.KEY'" in message
    plane.call("DELETE", f"{EVALUATIONS}/{made['id']}")


def test_an_interval_is_shown_or_why_there_is_none(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset, evaluation_type_ids=["cost", "speed", "human_feedback"]))
    evaluation = plane.stores.evaluations.claim("me", NOW, 10_000)
    assert evaluation is not None
    known, unknown, empty = (
        structs.replace(row, **{"status": ResultStatus.COMPLETED, "unit": "USD", "direction": "lower"} | fields)
        for row, fields in zip(
            evaluation.results,
            (
                {"result": "2", "low": "1.5", "high": "2.5", "interval_method": "t"},
                {"result": "2", "interval_note": "there is one log only"},
                {"status": ResultStatus.COMPLETED_WITHOUT_LOGS},
            ),
            strict=True,
        )
    )
    assert plane.stores.evaluations.save(evaluation, "me", [known, unknown, empty], 1)
    rows = plane.get(f"{EVALUATIONS}/{made['id']}")["result"]["results"]
    fields = ("low", "high", "interval_level", "interval_method", "interval_note", "unit", "direction")
    assert [tuple(row[field] for field in fields) for row in rows] == [
        ("1.5", "2.5", 0.95, "t", None, "USD", "lower"),
        (None, None, None, None, "there is one log only", "USD", "lower"),
        (None, None, None, None, "there is no value", "USD", "lower"),
    ]


def test_a_dataset_that_changes_or_goes_leaves_its_copy(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset))
    changed = {"name": "changed", "enable": False, "filters": []}
    plane.call("PUT", f"/gateways/main/datasets/{dataset['id']}", changed)
    assert plane.get(f"{EVALUATIONS}/{made['id']}")["result"]["datasets"] == made["datasets"]
    plane.call("DELETE", f"/gateways/main/datasets/{dataset['id']}")
    assert plane.get(f"{EVALUATIONS}/{made['id']}")["result"]["datasets"] == made["datasets"]


def test_bad_datasets(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    plane.make_gateway("second")
    off = make_dataset(plane, "off", enable=False)
    foreign = make_dataset(plane, "all", gateway="second")
    ids = [dataset["id"], off["id"], foreign["id"], "unknown", dataset["id"]]
    found = errors(plane.call("POST", EVALUATIONS, body(dataset_ids=ids)))
    assert [(one["code"], one["path"]) for one in found] == [
        (7001, ["body", "dataset_ids", index]) for index in (1, 2, 3, 4)
    ]
    assert "not enabled" in found[0]["message"]
    assert "twice" in found[3]["message"]
    assert plane.get(EVALUATIONS)["result"] == []
    assert plane.installation.woken == 0


def test_bad_types(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    types = ["cost", "beauty", "cost"]
    found = errors(plane.call("POST", EVALUATIONS, body(dataset, evaluation_type_ids=types)))
    assert [one["path"] for one in found] == [["body", "evaluation_type_ids", index] for index in (1, 2)]
    assert "cost, speed, human_feedback" in found[0]["message"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"dataset_ids": []}, ["dataset_ids"]),
        ({"dataset_ids": ["x"] * 6}, ["dataset_ids"]),
        ({"dataset_ids": "x"}, ["dataset_ids"]),
        ({"dataset_ids": [7]}, ["dataset_ids", 0]),
        ({"evaluation_type_ids": []}, ["evaluation_type_ids"]),
        ({"evaluation_type_ids": [None]}, ["evaluation_type_ids", 0]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 257}, ["name"]),
        ({"nam": "x"}, ["nam"]),
    ],
)
def test_bad_bodies(plane: ControlPlane, dataset: dict[str, Any], fields: dict[str, Any], path: list[Any]) -> None:
    assert error(plane.call("POST", EVALUATIONS, body(dataset, **fields)))[:2] == (7001, ["body", *path])


@pytest.mark.parametrize("missing", ["name", "dataset_ids", "evaluation_type_ids"])
def test_required(plane: ControlPlane, dataset: dict[str, Any], missing: str) -> None:
    wanted = body(dataset)
    del wanted[missing]
    assert error(plane.call("POST", EVALUATIONS, wanted)) == (7001, ["body", missing], "Required")


def test_five_datasets_are_possible(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    more = [make_dataset(plane, f"more {index}") for index in range(4)]
    made = plane.make(EVALUATIONS, body(dataset, *more))
    assert [item["name"] for item in made["datasets"]] == ["all", *(item["name"] for item in more)]


def test_names_are_unique_within_their_gateway(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    plane.make(EVALUATIONS, body(dataset))
    assert error(plane.call("POST", EVALUATIONS, body(dataset)))[:2] == (7001, ["body", "name"])
    assert plane.installation.woken == 1


def test_delete(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset))
    assert plane.call("DELETE", f"{EVALUATIONS}/{made['id']}").json()["result"] == made
    for method in ("GET", "DELETE"):
        assert error(plane.call(method, f"{EVALUATIONS}/{made['id']}"), 404)[0] == 7002
    for method in ("PUT", "PATCH"):
        assert error(plane.call(method, f"{EVALUATIONS}/{made['id']}", {}), 405)[0] == 10405


def test_list_filters_and_pages(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made: list[str] = []
    for index in range(4):
        plane.clock.now += 1
        made.append(plane.make(EVALUATIONS, body(dataset, name=f"run {index}"))["id"])

    def listed(**query: Any) -> list[str]:
        return [item["id"] for item in plane.get(EVALUATIONS, **query)["result"]]

    assert listed() == made[::-1]
    assert listed(per_page=3, page=2) == made[:1]
    assert listed(name="run 2") == [made[2]]
    assert listed(name="run") == []
    assert listed(search="RUN 1") == [made[1]]
    assert listed(search=made[3]) == [made[3]]
    assert listed(processed="true") == []
    assert plane.get(EVALUATIONS, per_page=3)["result_info"]["total_pages"] == 2


def test_an_evaluation_of_another_gateway_does_not_exist(plane: ControlPlane, dataset: dict[str, Any]) -> None:
    made = plane.make(EVALUATIONS, body(dataset))
    plane.make_gateway("second")
    for method in ("GET", "DELETE"):
        assert error(plane.call(method, f"/gateways/second/evaluations/{made['id']}"), 404)[0] == 7002
    assert error(plane.call("POST", "/gateways/absent/evaluations", body(dataset)), 404)[0] == 7002


# --- types ------------------------------------------------------------------------------------------------


def test_types(plane: ControlPlane) -> None:
    answer = plane.get("/evaluation-types")
    assert [item["id"] for item in answer["result"]] == ["cost", "speed", "human_feedback"]
    assert answer["result"][0] == {
        "id": "cost",
        "name": "Cost",
        "type": "aggregate",
        "description": "What it says.",
        "mandatory": False,
        "enable": True,
        "created_at": "2026-11-01T00:00:00.000Z",
        "modified_at": "2026-11-01T00:00:00.000Z",
        "version": "1",
        "unit": "USD",
        "direction": "lower",
        "evaluator_id": "cost",
        "parameters": None,
        "parameters_schema": None,
        "refusal": None,
    }
    assert answer["result_info"] == {"count": 3, "page": 1, "per_page": 20, "total_count": 3, "total_pages": 1}


def test_types_in_order(plane: ControlPlane) -> None:
    def listed(**query: Any) -> list[str]:
        return [item["id"] for item in plane.get("/evaluation-types", **query)["result"]]

    assert listed(order_by="name", order_by_direction="asc") == ["cost", "human_feedback", "speed"]
    assert listed(order_by="name") == ["speed", "human_feedback", "cost"]
    assert listed(page=2) == []


@pytest.mark.parametrize(
    "query", ["per_page=4", "per_page=51", "order_by=colour", "order_by_direction=x", "search=cost"]
)
def test_bad_type_queries(plane: ControlPlane, query: str) -> None:
    answer = plane.call("GET", f"/evaluation-types?{query}")
    assert error(answer)[:2] == (7001, ["query", query.partition("=")[0]])


def test_a_clock_that_steps_back_leaves_no_answered_log_behind_the_snapshot(
    plane: ControlPlane, dataset: dict[str, Any]
) -> None:
    """Log ids keep their order, so an evaluation's moment must not lie before them."""
    log_time = ids.time_ms(ids.from_text(plane.log()) or b"")
    plane.clock.now -= 60_000
    made = plane.make(EVALUATIONS, body(dataset))
    assert timestamps.from_rfc3339(made["created_at"]) >= log_time
