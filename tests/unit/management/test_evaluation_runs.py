"""Custom evaluation types, the items behind a figure, and cancel, resume and retry, through the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core import ids
from gaugeway.core.items import Item, ItemStatus
from gaugeway.core.model import Evaluation, ResultStatus
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.judging.expecting import Pricing
from gaugeway.evaluation.judging.forecast import Forecaster
from gaugeway.evaluation.replaying.forecast import ReplayForecaster
from support.control_plane import NOW, ControlPlane, Installation, error, errors, installation
from support.judges import Memory, Prices, Scripted

EVALUATIONS = "/gateways/main/evaluations"
TYPES = "/evaluation-types"
DIGITS = {"name": "has digits", "evaluator_id": "regex", "parameters": {"pattern": r"\d"}, "description": "Digits."}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With the evaluators of the package instead of mere descriptions."""
    folder = tmp_path_factory.mktemp("management") / "data"
    with installation(folder) as made, made.with_parts(evaluators=load()) as made.client:
        yield made


def make_evaluation(plane: ControlPlane, *types: str) -> dict[str, Any]:
    plane.make_gateway()
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})
    body = {"name": "first", "dataset_ids": [dataset["id"]], "evaluation_type_ids": list(types)}
    return plane.make(EVALUATIONS, body)


def hold(plane: ControlPlane) -> Evaluation:
    """The account's own evaluation, claimed; those that other tests left are taken out of the queue."""
    while (claimed := plane.stores.evaluations.claim("me", NOW, 10**9)) is not None:
        if claimed.account_id == plane.account_id:
            return claimed
    raise AssertionError("there is none to be claimed")


# --- custom types -----------------------------------------------------------------------------------------


def test_a_custom_type_is_made_shown_used_and_deleted(plane: ControlPlane) -> None:
    made = plane.make(TYPES, DIGITS)
    assert (
        made.items()
        >= {
            "name": "has digits",
            "type": "code",
            "description": "Digits.",
            "mandatory": False,
            "enable": True,
            "created_at": "2026-11-18T11:06:40.000Z",
            "unit": "%",
            "direction": "higher",
            "evaluator_id": "regex",
            "parameters": {"pattern": r"\d"},
        }.items()
    )
    assert made["parameters_schema"]["required"] == ["pattern"]
    assert plane.get(f"{TYPES}/{made['id']}")["result"] == made
    listed = plane.get(TYPES, per_page=50)["result"]
    assert listed[-1] == made
    evaluation = make_evaluation(plane, made["id"], "cost")
    kept = plane.stores.evaluations.get(plane.scope(), evaluation["id"])
    assert kept is not None
    assert [(row.evaluator_id, row.parameters) for row in kept.results] == [("regex", {"pattern": r"\d"}), ("", {})]
    assert plane.call("DELETE", f"{TYPES}/{made['id']}").json()["result"] == made
    assert error(plane.call("GET", f"{TYPES}/{made['id']}"), 404)[0] == 7002
    assert plane.stores.evaluations.get(plane.scope(), evaluation["id"]) == kept


def test_what_takes_no_parameters_or_cannot_do_without_is_told(plane: ControlPlane) -> None:
    listed = {item["id"]: item for item in plane.get(TYPES, per_page=50)["result"]}
    assert listed["cost"]["parameters_schema"] is None
    assert listed["exact_match"]["enable"]
    assert not listed["regex"]["enable"]
    assert plane.get(f"{TYPES}/exact_match")["result"] == listed["exact_match"]
    plane.make_gateway()
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})
    body = {"name": "x", "dataset_ids": [dataset["id"]], "evaluation_type_ids": ["cost", "regex"]}
    code, path, message = error(plane.call("POST", EVALUATIONS, body))
    assert (code, path) == (7001, ["body", "evaluation_type_ids", 1])
    assert "needs parameters" in message


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"evaluator_id": "cost"}, ["body", "evaluator_id"], "takes no parameters"),
        ({"evaluator_id": "absent"}, ["body", "evaluator_id"], "does not exist"),
        ({"parameters": {}}, ["body", "parameters"], "missing required field `pattern`"),
        ({"parameters": {"pattern": 1}}, ["body", "parameters", "pattern"], "Expected `str`, got `int`"),
        ({"parameters": {"pattern": "("}}, ["body", "parameters"], "no regular expression that RE2 knows: missing"),
        ({"parameters": {"pattern": "a", "flags": "i"}}, ["body", "parameters"], "unknown field `flags`"),
        ({"name": ""}, ["body", "name"], "at least 1"),
        ({"colour": 1}, ["body", "colour"], "Unrecognized"),
    ],
)
def test_a_custom_type_that_cannot_work_is_refused(
    plane: ControlPlane, change: dict[str, Any], path: list[str], says: str
) -> None:
    code, where, message = error(plane.call("POST", TYPES, {**DIGITS, **change}))
    assert (code, where) == (7001, path)
    assert says in message


def test_names_of_custom_types_are_unique_in_an_account_and_nobody_else_sees_them(plane: ControlPlane) -> None:
    made = plane.make(TYPES, DIGITS)
    assert error(plane.call("POST", TYPES, DIGITS))[:2] == (7001, ["body", "name"])
    other = f"/client/v4/accounts/{plane.other_account_id}/ai-gateway{TYPES}/{made['id']}"
    for method in ("GET", "DELETE"):
        assert error(plane.call(method, other, token="stranger"), 404)[0] == 7002
    assert error(plane.call("DELETE", f"{TYPES}/cost"))[:2] == (7001, ["params", "type_id"])
    assert plane.call("POST", TYPES, DIGITS, token="reader").status_code == 403


# --- items ------------------------------------------------------------------------------------------------


@pytest.fixture
def judged(plane: ControlPlane) -> tuple[str, list[str]]:
    """An evaluation with four items of its first type and one of its second; its id and the logs'."""
    made = make_evaluation(plane, "length", "exact_match")
    logs = [plane.log() for _ in range(4)]
    assert plane.get("/gateways/main/logs")["result"]
    held = hold(plane)
    keys = [ids.from_text(log) or b"" for log in logs]

    def item(number: int, position: int, status: ItemStatus, score: float | None = None, note: str = "") -> Item:
        badness = None if score is None else -score
        return Item(log_id=keys[number], position=position, status=status, score=score, badness=badness, note=note)

    assert plane.stores.items.put(
        held,
        "me",
        [
            item(0, 0, ItemStatus.SCORED, 7.5),
            item(1, 0, ItemStatus.SCORED, 3),
            item(2, 0, ItemStatus.FAILED, note="it broke"),
            item(3, 0, ItemStatus.SKIPPED, note="no answer"),
            item(3, 1, ItemStatus.SCORED, 100),
        ],
    )
    return made["id"], logs


def test_items_worst_first_and_by_status(plane: ControlPlane, judged: tuple[str, list[str]]) -> None:
    evaluation_id, logs = judged
    path = f"{EVALUATIONS}/{evaluation_id}/items"
    answer = plane.get(path)
    assert [
        (item["evaluation_type_id"], logs.index(item["log_id"]), item["status"]) for item in answer["result"]
    ] == [
        ("length", 1, "scored"),
        ("length", 0, "scored"),
        ("length", 2, "failed"),
        ("length", 3, "skipped"),
        ("exact_match", 3, "scored"),
    ]
    assert answer["result"][0] == {
        "log_id": logs[1],
        "log_deleted": False,
        "evaluation_type_id": "length",
        "status": "scored",
        "score": 3.0,
        "note": "",
        "votes": None,
    }
    assert answer["result"][2]["note"] == "it broke"
    assert answer["result_info"]["total_count"] == 5
    assert [item["score"] for item in plane.get(path, evaluation_type_id="exact_match")["result"]] == [100.0]
    assert [item["note"] for item in plane.get(path, status="skipped")["result"]] == ["no answer"]
    in_time = plane.get(path, order_by="created_at", per_page=2, page=2)["result"]
    assert [logs.index(item["log_id"]) for item in in_time] == [2, 3]
    assert plane.call(
        "DELETE", f'/gateways/main/logs?filters=[{{"key":"id","operator":"eq","value":["{logs[1]}"]}}]'
    )
    assert [item["log_deleted"] for item in plane.get(path, per_page=2)["result"]] == [True, False]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("evaluation_type_id=cost", "evaluation_type_id"),
        ("status=done", "status"),
        ("order_by=best", "order_by"),
        ("per_page=101", "per_page"),
        ("search=x", "search"),
    ],
)
def test_bad_item_queries(plane: ControlPlane, query: str, field: str) -> None:
    made = make_evaluation(plane, "length")
    assert error(plane.call("GET", f"{EVALUATIONS}/{made['id']}/items?{query}"))[:2] == (7001, ["query", field])


# --- cancel, resume, retry --------------------------------------------------------------------------------


def end(plane: ControlPlane, evaluation: Evaluation, *statuses: ResultStatus, **fields: Any) -> None:
    rows = [
        structs.replace(row, status=status, **fields)
        for row, status in zip(evaluation.results, statuses, strict=True)
    ]
    assert plane.stores.evaluations.save(evaluation, "me", rows, 7)


def test_cancel_then_resume(plane: ControlPlane) -> None:
    made = make_evaluation(plane, "length", "cost")
    held = hold(plane)
    running = {"total_logs": 3, "skipped": 1, "failed": 2, "pending": 4}
    end(plane, held, ResultStatus.RUNNING, ResultStatus.COMPLETED, **running)
    path = f"{EVALUATIONS}/{made['id']}"
    plane.installation.woken = 0
    cancelled = plane.make(f"{path}/cancel", None)
    assert cancelled["processed"]
    assert [row["status"] for row in cancelled["results"]] == [5, 2]
    assert cancelled["results"][0]["status_description"] == "cancelled: 6 of 10 logs were judged"
    assert not plane.stores.evaluations.save(held, "me", held.results, 1)
    assert error(plane.call("POST", f"{path}/cancel"))[0] == 7001
    resumed = plane.make(f"{path}/resume", None)
    assert not resumed["processed"]
    assert [row["status"] for row in resumed["results"]] == [0, 2]
    assert resumed["results"][0]["status_description"] == "queued again: resumed"
    assert plane.installation.woken == 2
    assert error(plane.call("POST", f"{path}/resume"))[0] == 7001
    assert hold(plane).id == made["id"]


def test_retry_takes_up_failures_only(plane: ControlPlane, judged: tuple[str, list[str]]) -> None:
    evaluation_id, _ = judged
    path = f"{EVALUATIONS}/{evaluation_id}"
    assert "not ended yet" in error(plane.call("POST", f"{path}/retry"))[2]
    kept = plane.stores.evaluations.get(plane.scope(), evaluation_id)
    assert kept is not None
    rows = [
        structs.replace(kept.results[0], status=ResultStatus.COMPLETED, result="5.25", failed=1, low="1", high="9"),
        structs.replace(kept.results[1], status=ResultStatus.COMPLETED, result="100"),
    ]
    assert plane.stores.evaluations.save(kept, "me", rows, 4)
    retried = plane.make(f"{path}/retry", None)
    assert [(row["status"], row["result"], row["low"]) for row in retried["results"]] == [
        (0, "", None),
        (2, "100", None),
    ]
    assert plane.get(f"{path}/items", status="failed")["result"] == []
    assert len(plane.get(f"{path}/items")["result"]) == 4


def test_nothing_to_retry(plane: ControlPlane) -> None:
    made = make_evaluation(plane, "length", "cost")
    end(plane, hold(plane), ResultStatus.COMPLETED, ResultStatus.COMPLETED_WITHOUT_LOGS)
    assert "Nothing of this evaluation failed" in error(plane.call("POST", f"{EVALUATIONS}/{made['id']}/retry"))[2]


def test_only_writers_change_and_only_what_is_there(plane: ControlPlane) -> None:
    made = make_evaluation(plane, "length")
    for action in ("cancel", "resume", "retry"):
        path = f"{EVALUATIONS}/{made['id']}/{action}"
        assert plane.call("POST", path, token="reader").status_code == 403
        assert error(plane.call("POST", path.replace(made["id"], "absent")), 404)[0] == 7002
        assert errors(plane.call("POST", f"{path}?force=1"))
    assert error(plane.call("GET", f"{EVALUATIONS}/absent/items"), 404)[0] == 7002


# --- forecasts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (f"{EVALUATIONS}/forecast", {"evaluation_type_ids": ["json_validity"]}),
        ("/gateways/main/replays/forecast", {"candidates": [{"model": "openai/gpt-5"}]}),
        ("/gateways/main/replays", {"candidates": [{"model": "openai/gpt-5"}]}),
    ],
)
def test_a_forecast_that_may_lack_the_newest_logs_is_refused(
    plane: ControlPlane, path: str, more: dict[str, Any]
) -> None:
    plane.make_gateway()
    plane.make_gateway("other")
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})["id"]
    named = {"dataset_ids": [dataset]} if "evaluations" in path else {"dataset_id": dataset, "through": "other"}
    body = {"name": "f", **named, **more}
    if "replays" in path:
        body["max_cost"] = 1
    logs, kept = plane.stores.logs, Memory()
    pricing = Pricing(Asking(Scripted(), kept, plane.clock), Prices(), logs)
    parts = {
        "evaluators": load(),
        "forecast": Forecaster(logs, plane.sink, pricing).forecast,
        "forecast_replay": ReplayForecaster(logs, plane.sink, Prices()).forecast,
    }
    with plane.installation.with_parts(**parts) as plane.client:
        assert plane.call("POST", path, body).status_code == 200
        plane.sink.stuck = True
        code, _, message = error(plane.call("POST", path, {**body, "name": "g"}), 503)
    assert code == 10503
    assert "the log writer is behind" in message.lower()
    assert all(one["name"] != "g" for one in plane.get("/gateways/main/replays")["result"])
