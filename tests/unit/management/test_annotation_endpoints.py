"""Annotation queues through the API: what is drawn, handed out, said, and what it shows."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from gaugeway.core import ids
from gaugeway.core.items import Item, ItemStatus
from gaugeway.core.model import Evaluation, Result, ResultStatus, SnapshotRef
from gaugeway.core.snapshots import reference
from support.control_plane import NOW, ControlPlane, error

QUEUES = "/gateways/main/annotation-queues"


@pytest.fixture
def logs(plane: ControlPlane) -> list[str]:
    plane.make_gateway()
    return [plane.log() for _ in range(6)]


@pytest.fixture
def dataset(plane: ControlPlane, logs: list[str]) -> str:
    assert logs
    return plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})["id"]


def a_queue(plane: ControlPlane, dataset: str, **more: Any) -> dict[str, Any]:
    return plane.make(QUEUES, {"name": "q", "dataset_ids": [dataset], **more})


def say(
    plane: ControlPlane, queue: dict[str, Any], log_id: str, annotator: str, label: str | None, **more: Any
) -> Any:
    path = f"{QUEUES}/{queue['id']}/items/{log_id}/annotations/{annotator}"
    return plane.call("PUT", path, {"label": label, **more})


def following(plane: ControlPlane, queue: dict[str, Any], annotator: str) -> dict[str, Any] | None:
    return plane.make(f"{QUEUES}/{queue['id']}/next", {"annotator": annotator})["item"]


def test_a_queue_shows_every_field(plane: ControlPlane, dataset: str) -> None:
    queue = a_queue(plane, dataset, instructions="Is the answer right?", size=4, seed=3)
    assert queue == {
        "id": queue["id"],
        "gateway_id": "main",
        "name": "q",
        "instructions": "Is the answer right?",
        "labels": ["bad", "good"],
        "positive_labels": ["good"],
        "measure": "nominal",
        "annotators_per_item": 2,
        "datasets": ["all"],
        "snapshot": None,
        "seed": 3,
        "created_at": "2026-11-18T11:06:40.000Z",
        "progress": {"items": 4, "complete": 0, "begun": 0, "gone": 0, "annotators": {}},
    }
    assert plane.get(f"{QUEUES}/{queue['id']}")["result"] == queue
    assert plane.get(QUEUES)["result"] == [queue]
    assert plane.call("DELETE", f"{QUEUES}/{queue['id']}").json()["result"] == queue
    assert plane.get(QUEUES)["result"] == []


def test_the_same_seed_draws_the_same_logs(plane: ControlPlane, dataset: str, logs: list[str]) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        queue = a_queue(plane, dataset, name=name, seed=seed)
        drawn.append([item["log_id"] for item in plane.get(f"{QUEUES}/{queue['id']}/items")["result"]])
    assert sorted(drawn[0]) == sorted(logs)
    assert drawn[0] == drawn[1] != drawn[2]


def test_items_are_handed_out_until_none_is_left(plane: ControlPlane, dataset: str) -> None:
    queue = a_queue(plane, dataset, size=2, annotators_per_item=1)
    seen = []
    while item := following(plane, queue, "ann"):
        assert item["log"]["id"] == item["log_id"]
        seen.append(item["log_id"])
        assert say(plane, queue, item["log_id"], "ann", "good").status_code == 200
    assert len(set(seen)) == len(seen) == 2
    progress = plane.get(f"{QUEUES}/{queue['id']}")["result"]["progress"]
    assert progress == {"items": 2, "complete": 2, "begun": 0, "gone": 0, "annotators": {"ann": 2}}
    assert plane.call("DELETE", f"{QUEUES}/{queue['id']}/items/{seen[0]}/annotations/ann").status_code == 200
    again = following(plane, queue, "ann")
    assert again is not None
    assert again["log_id"] == seen[0]


def test_a_deleted_log_is_passed_over_and_counted(plane: ControlPlane, dataset: str) -> None:
    queue = a_queue(plane, dataset, size=2)
    first = following(plane, queue, "ann")
    assert first is not None
    filters = {"filters": f'[{{"key":"id","operator":"eq","value":["{first["log_id"]}"]}}]'}
    assert plane.call("DELETE", "/gateways/main/logs", params=filters).status_code == 200
    second = following(plane, queue, "ann")
    assert second is not None
    assert second["log_id"] != first["log_id"]
    assert plane.get(f"{QUEUES}/{queue['id']}")["result"]["progress"]["gone"] == 1
    shown = {item["log_id"]: item["log_deleted"] for item in plane.get(f"{QUEUES}/{queue['id']}/items")["result"]}
    assert shown == {first["log_id"]: True, second["log_id"]: False}


def test_agreement(plane: ControlPlane, dataset: str, logs: list[str]) -> None:
    queue = a_queue(plane, dataset)
    for log_id, first, second in zip(logs, "gggbbg", "ggbbb-", strict=True):
        for annotator, mark in (("ann", first), ("bob", second)):
            label = {"g": "good", "b": "bad", "-": None}[mark]
            assert say(plane, queue, log_id, annotator, label, note="" if label else "no").status_code == 200
    found = plane.get(f"{QUEUES}/{queue['id']}/agreement")["result"]
    assert (found["marked"], found["shared"], found["unjudged"]) == (6, 5, 1)
    assert found["labels"] == {"bad": 5, "good": 6}
    assert found["disputed"] == [logs[2]]
    (pair,) = found["pairs"]
    assert pair["annotators"] == ["ann", "bob"]
    assert (pair["agreement"]["value"], pair["agreement"]["n"]) == (0.8, 5)
    assert pair["kappa"]["value"] == pytest.approx(1 - 0.2 / (1 - (0.6 * 0.4 + 0.4 * 0.6)))
    assert found["alpha"]["value"] == pytest.approx(1 - 9 * 2 / (2 * 5 * 5))
    assert found["alpha"]["low"] is None
    assert "it takes 10" in found["alpha"]["note"]


def test_nobody_has_said_anything(plane: ControlPlane, dataset: str) -> None:
    found = plane.get(f"{QUEUES}/{a_queue(plane, dataset)['id']}/agreement")["result"]
    assert (found["marked"], found["pairs"], found["alpha"]["value"]) == (0, [], None)
    assert found["alpha"]["note"]


def judged(
    plane: ControlPlane,
    dataset: str,
    scores: dict[str, float],
    status: ResultStatus = ResultStatus.COMPLETED,
    snapshot: SnapshotRef | None = None,
) -> Evaluation:
    """An evaluation with these scores, as a judge would have left it."""
    kept = plane.stores.datasets.get(plane.scope(), dataset)
    assert kept is not None
    identifier = str(uuid4())
    result = Result(
        id=str(uuid4()),
        evaluation_id=identifier,
        evaluation_type_id="judge",
        created_at=NOW,
        modified_at=NOW,
    )
    made = Evaluation(
        account_id=plane.account_id,
        gateway_id="main",
        id=identifier,
        name=identifier,
        created_at=NOW,
        modified_at=NOW,
        datasets=[kept],
        results=[result],
        snapshot=snapshot,
    )
    plane.stores.evaluations.create(made)
    held = None
    while held is None or held.id != identifier:  # evaluations that other tests left may be older
        held = plane.stores.evaluations.claim(identifier, NOW, 60_000)
    logs = {log_id: ids.from_text(log_id) or b"" for log_id in scores}
    plane.stores.items.plan(held, identifier, list(logs.values()))
    items = [
        Item(log_id=logs[log_id], position=0, status=ItemStatus.SCORED, score=score, badness=-score)
        for log_id, score in scores.items()
    ]
    assert plane.stores.items.put(held, identifier, items)
    ended = [structs.replace(result, status=status)]
    assert plane.stores.evaluations.save(held, identifier, ended, len(logs))
    return made


def test_a_judge_is_held_against_people(plane: ControlPlane, dataset: str, logs: list[str]) -> None:
    queue = a_queue(plane, dataset)
    evaluation = judged(plane, dataset, dict(zip(logs[:5], [1.0, 1.0, 0.0, 0.0, 1.0], strict=True)))
    for log_id, label in zip(logs, ["good", "bad", "bad", "good", "good", "good"], strict=True):
        say(plane, queue, log_id, "ann", label)
    say(plane, queue, logs[4], "bob", "bad")  # two minds
    found = plane.get(
        f"{QUEUES}/{queue['id']}/calibration", evaluation_id=evaluation.id, evaluation_type_id="judge"
    )["result"]
    assert [found[name] for name in ("both_good", "judge_only", "people_only", "both_bad")] == [1, 1, 1, 1]
    assert (found["tied"], found["unscored"]) == (1, 1)
    assert (found["sensitivity"]["value"], found["specificity"]["value"]) == (0.5, 0.5)
    assert (found["judged"]["value"], found["judged"]["n"]) == (0.6, 5)
    assert found["corrected"]["value"] is None
    assert "no better than chance" in found["corrected"]["note"]


def test_a_judge_that_is_right_mostly_is_corrected(plane: ControlPlane, dataset: str, logs: list[str]) -> None:
    queue = a_queue(plane, dataset)
    evaluation = judged(plane, dataset, dict(zip(logs, [3, 4, 5, 2, 1, 4], strict=True)))
    for log_id, label in zip(logs[:5], ["good", "good", "good", "bad", "bad"], strict=True):
        say(plane, queue, log_id, "ann", label)
    found = plane.get(
        f"{QUEUES}/{queue['id']}/calibration",
        evaluation_id=evaluation.id,
        evaluation_type_id="judge",
        threshold=4,
    )["result"]
    assert found["sensitivity"]["value"] == pytest.approx(2 / 3)
    assert found["corrected"]["value"] == pytest.approx((3 / 6) / (2 / 3))
    assert found["corrected"]["low"] < found["corrected"]["value"] <= found["corrected"]["high"]


WRONG: list[tuple[dict[str, Any], list[str | int], str]] = [
    ({"labels": ["a"]}, ["body", "labels"], ""),
    ({"labels": ["a", "a"]}, ["body", "labels", 1], "named twice"),
    ({"labels": ["low", "high"], "measure": "interval"}, ["body", "labels", 0], "is a number"),
    ({"labels": ["1", "nan"], "measure": "interval"}, ["body", "labels", 1], "is a number"),
    ({"measure": "ratio"}, ["body", "measure"], ""),
    ({"positive_labels": ["great"]}, ["body", "positive_labels", 0], "none of the labels"),
    ({"positive_labels": ["bad", "good"]}, ["body", "positive_labels"], "nothing to tell apart"),
    ({"dataset_ids": ["nothing"]}, ["body", "dataset_ids", 0], "no dataset with that id"),
    ({"dataset_ids": []}, ["body", "dataset_ids"], ""),
    ({"size": 0}, ["body", "size"], ""),
    ({"size": 10_001}, ["body", "size"], ""),
    ({"annotators_per_item": 21}, ["body", "annotators_per_item"], ""),
    ({"colour": "red"}, ["body"], ""),
]


@pytest.mark.parametrize(("change", "path", "words"), WRONG)
def test_a_queue_that_cannot_be_is_refused(
    plane: ControlPlane, dataset: str, change: dict[str, Any], path: list[str | int], words: str
) -> None:
    answer = plane.call("POST", QUEUES, {"name": "q", "dataset_ids": [dataset], **change})
    code, where, message = error(answer)
    assert code == 7001
    assert where[: len(path)] == path
    assert words in message
    assert plane.get(QUEUES)["result"] == []


def test_a_dataset_without_logs_and_a_name_that_is_taken_are_refused(plane: ControlPlane, dataset: str) -> None:
    none = {"key": "model", "operator": "eq", "value": ["no such model"]}
    empty = plane.make("/gateways/main/datasets", {"name": "empty", "enable": True, "filters": [none]})["id"]
    answer = plane.call("POST", QUEUES, {"name": "q", "dataset_ids": [empty]})
    assert error(answer)[1:] == (
        ["body", "dataset_ids"],
        "The datasets select no log now, so there is nothing to annotate",
    )
    a_queue(plane, dataset)
    assert error(plane.call("POST", QUEUES, {"name": "q", "dataset_ids": [dataset]}))[1] == ["body", "name"]


def test_annotations_that_cannot_be_are_refused(plane: ControlPlane, dataset: str, logs: list[str]) -> None:
    queue = a_queue(plane, dataset)
    assert error(say(plane, queue, logs[0], "ann", "great"))[1] == ["body", "label"]
    assert error(say(plane, queue, logs[0], "ann", None, note=" "))[1] == ["body", "note"]
    assert error(say(plane, queue, str(uuid4()), "ann", "good"), 404)[0] == 7002
    assert error(say(plane, queue, "nonsense", "ann", "good"), 404)[0] == 7002
    assert say(plane, queue, logs[0], "a" * 65, "good").status_code == 400
    assert error(plane.call("POST", f"{QUEUES}/{queue['id']}/next", {"annotator": ""}))[1] == ["body", "annotator"]
    assert error(plane.call("GET", f"{QUEUES}/{uuid4()}"), 404)[0] == 7002
    calibration = f"{QUEUES}/{queue['id']}/calibration"
    nowhere = {"evaluation_id": "x", "evaluation_type_id": "y"}
    assert error(plane.call("GET", calibration, params=nowhere))[1] == ["query", "evaluation_id"]
    known = {"evaluation_id": judged(plane, dataset, {}).id, "evaluation_type_id": "y"}
    assert error(plane.call("GET", calibration, params=known))[1] == ["query", "evaluation_type_id"]


@pytest.mark.parametrize("status", [ResultStatus.RUNNING, ResultStatus.FAILED])
def test_a_judge_that_has_not_finished_is_held_against_nobody(
    plane: ControlPlane, dataset: str, logs: list[str], status: ResultStatus
) -> None:
    queue = a_queue(plane, dataset)
    half = judged(plane, dataset, {logs[0]: 1.0}, status)
    asked = {"evaluation_id": half.id, "evaluation_type_id": "judge"}
    answer = plane.call("GET", f"{QUEUES}/{queue['id']}/calibration", params=asked)
    code, where, message = error(answer)
    assert (code, where) == (7001, ["query", "evaluation_id"])
    assert f"is {status.name.lower()}" in message


def test_reading_needs_a_read_token_and_saying_a_write_token(plane: ControlPlane, dataset: str) -> None:
    queue = a_queue(plane, dataset)
    assert plane.call("GET", QUEUES, token="reader").status_code == 200
    assert (
        plane.call("POST", f"{QUEUES}/{queue['id']}/next", {"annotator": "ann"}, token="reader").status_code == 403
    )


@pytest.fixture
def snapshot(plane: ControlPlane, dataset: str) -> str:
    """The path of a snapshot of four items."""
    path = f"/gateways/main/datasets/{dataset}/snapshots"
    place = f"{path}/{plane.make(path, {'name': 'frozen', 'import_format': 'plain'})['id']}"
    lines = [{"content": {"request": f"question {number}", "response": "an answer"}} for number in range(4)]
    plane.make(f"{place}/items", {"items": lines})
    plane.make(f"{place}/seal", {})
    return place


def frozen_items(plane: ControlPlane, snapshot: str) -> dict[str, str]:
    return {item["log_id"]: item["hash"] for item in plane.get(f"{snapshot}/items")["result"]}


def test_the_items_of_a_snapshot_are_labelled_and_holes_are_skipped_and_counted(
    plane: ControlPlane, dataset: str, snapshot: str
) -> None:
    items = frozen_items(plane, snapshot)
    first, *others = items
    plane.make(f"{snapshot}/erase", {"log_ids": [first]})
    queue = a_queue(plane, snapshot.rpartition("/")[2], annotators_per_item=1)
    shown = plane.get(snapshot)["result"]
    assert queue["snapshot"] == {
        "id": shown["id"],
        "dataset_id": dataset,
        "name": "frozen",
        "hash": shown["hash"],
        "items": 4,
        "erased": 1,
    }
    assert (queue["progress"]["items"], queue["datasets"]) == (3, ["all"])

    seen = following(plane, queue, "ann")
    assert seen is not None
    assert seen["hash"] == items[seen["log_id"]]
    assert say(plane, queue, seen["log_id"], "ann", "good").status_code == 200
    left = [log_id for log_id in others if log_id != seen["log_id"]]
    plane.make(f"{snapshot}/erase", {"log_ids": left[:1]})
    last = following(plane, queue, "ann")
    assert last is not None
    assert last["log_id"] == left[1]
    say(plane, queue, left[1], "ann", "bad")
    assert following(plane, queue, "ann") is None
    progress = plane.get(f"{QUEUES}/{queue['id']}")["result"]["progress"]
    assert (progress["complete"], progress["gone"]) == (2, 1)
    listed = {item["log_id"]: item for item in plane.get(f"{QUEUES}/{queue['id']}/items")["result"]}
    assert {log_id: item["log_deleted"] for log_id, item in listed.items()} == {
        seen["log_id"]: False,
        left[0]: True,
        left[1]: False,
    }
    assert all(item["hash"] == items[log_id] for log_id, item in listed.items())
    assert plane.get(f"{QUEUES}/{queue['id']}/agreement")["result"]["marked"] == 2


def test_the_same_seed_draws_the_same_items(plane: ControlPlane, snapshot: str) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 4)):
        queue = a_queue(plane, snapshot.rpartition("/")[2], name=name, seed=seed, size=3)
        drawn.append([item["log_id"] for item in plane.get(f"{QUEUES}/{queue['id']}/items")["result"]])
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) < set(frozen_items(plane, snapshot))


def test_a_judge_is_held_against_labels_of_the_snapshot_that_it_judged(
    plane: ControlPlane, dataset: str, snapshot: str
) -> None:
    kept = plane.stores.snapshots.get(plane.scope(), snapshot.rpartition("/")[2])
    assert kept is not None
    items = list(frozen_items(plane, snapshot))
    queue = a_queue(plane, kept.id)
    scores = dict(zip(items, (1.0, 1.0, 0.0, 0.0), strict=True))
    for log_id, label in zip(items, ("good", "bad", "bad", "bad"), strict=True):
        say(plane, queue, log_id, "ann", label)
    asked = {"evaluation_type_id": "judge"}
    calibration = f"{QUEUES}/{queue['id']}/calibration"
    live = judged(plane, dataset, scores)
    answer = plane.call("GET", calibration, params={**asked, "evaluation_id": live.id})
    code, where, message = error(answer)
    assert (code, where) == (7001, ["query", "evaluation_id"])
    assert "the snapshot 'frozen'" in message
    plane.make(f"{snapshot}/erase", {"log_ids": items[3:]})
    frozen = judged(plane, dataset, dict(list(scores.items())[:3]), snapshot=reference(kept))
    found = plane.get(calibration, evaluation_id=frozen.id, **asked)["result"]
    assert [found[name] for name in ("both_good", "judge_only", "people_only", "both_bad")] == [1, 1, 0, 1]
    assert found["unscored"] == 1, "the item that was erased before it was judged"


def test_a_snapshot_that_cannot_be_labelled_is_refused(plane: ControlPlane, dataset: str, snapshot: str) -> None:
    frozen = snapshot.rpartition("/")[2]
    unready = plane.make(f"/gateways/main/datasets/{dataset}/snapshots", {"name": "waits"})["id"]
    for named, place, words in (
        ([frozen, dataset], 0, "name it alone"),
        ([dataset, frozen], 1, "name it alone"),
        ([unready], 0, "not ready"),
    ):
        code, where, message = error(plane.call("POST", QUEUES, {"name": "q", "dataset_ids": named}))
        assert (code, where) == (7001, ["body", "dataset_ids", place])
        assert words in message
    plane.make(f"{snapshot}/erase", {"log_ids": list(frozen_items(plane, snapshot))})
    answer = plane.call("POST", QUEUES, {"name": "q", "dataset_ids": [frozen]})
    assert "no item that is not erased" in error(answer)[2]


def test_a_deleted_snapshot_leaves_labels_and_nothing_to_label(plane: ControlPlane, snapshot: str) -> None:
    queue = a_queue(plane, snapshot.rpartition("/")[2])
    item = following(plane, queue, "ann")
    assert item is not None
    say(plane, queue, item["log_id"], "ann", "good")
    assert plane.call("DELETE", snapshot).status_code == 200
    assert following(plane, queue, "bob") is None
    assert plane.get(f"{QUEUES}/{queue['id']}")["result"]["progress"]["gone"] == 4
    assert plane.get(f"{QUEUES}/{queue['id']}/agreement")["result"]["marked"] == 1
