"""Snapshots through the API: what is refused and where, and what one account may see of another's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gaugeway.core.model import Bodies
from gaugeway.evaluation.freezing.freezer import Freezer, FreezingPace
from support.control_plane import ControlPlane, error, errors

DATASETS = "/gateways/main/datasets"
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Paris"}}]}
SPLIT = {"part": "test", "shares": {"train": 80, "test": 20}}
NOBODY = "01980000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> str:
    return plane.make_gateway()


@pytest.fixture
def snapshots(plane: ControlPlane) -> str:
    """Where the snapshots of a dataset are."""
    made = plane.make(DATASETS, {"name": "all", "enable": True, "filters": []})
    return f"{DATASETS}/{made['id']}/snapshots"


def freeze(plane: ControlPlane, path: str, name: str = "one", **recipe: Any) -> str:
    """The path of a snapshot that is ready."""
    made = plane.make(path, {"name": name, **recipe})
    assert made["status"] == "queued"
    stores = plane.stores
    freezer = Freezer(
        snapshots=stores.snapshots,
        logs=stores.logs,
        frozen_scopes=stores.frozen_scopes,
        sink=plane.sink,
        clock=plane.clock,
        owner=made["id"],
        pace=FreezingPace(rest=0),
    )
    while asyncio.run(freezer.step()):  # others wait in the same installation
        pass
    ready = plane.get(f"{path}/{made['id']}")["result"]
    assert ready["status"] == "ready", ready
    return f"{path}/{made['id']}"


def chat(plane: ControlPlane, question: str = "The capital of France?", **fields: Any) -> str:
    request = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
    return plane.log(bodies=Bodies(request=request, response=json.dumps(ANSWER).encode()), **fields)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ["body", "name"]),
        ({"name": "x", "other": 1}, ["body", "other"]),
        ({"name": "x", "sample": {}}, ["body", "sample"]),
        ({"name": "x", "sample": {"size": 1, "per_group": 1}}, ["body", "sample"]),
        ({"name": "x", "sample": {"size": 0}}, ["body", "sample", "size"]),
        ({"name": "x", "sample": {"size": 100_001}}, ["body", "sample", "size"]),
        ({"name": "x", "sample": {"per_group": 1}}, ["body", "sample", "by"]),
        ({"name": "x", "sample": {"size": 1, "by": "cost"}}, ["body", "sample", "by"]),
        ({"name": "x", "split": {**SPLIT, "part": "other"}}, ["body", "split", "part"]),
        ({"name": "x", "split": {"part": "a", "shares": {"a": 1}}}, ["body", "split", "shares"]),
        ({"name": "x", "split": {"part": "a", "shares": {"a": 0, "b": 1}}}, ["body", "split", "shares", "a"]),
        ({"name": "x", "redact": [{"kind": "email"}, {}]}, ["body", "redact", 1]),
        ({"name": "x", "redact": [{"kind": "name"}]}, ["body", "redact", 0, "kind"]),
        ({"name": "x", "redact": [{"pattern": "("}]}, ["body", "redact", 0, "pattern"]),
        ({"name": "x", "redact": [{"kind": "phone", "region": "germany"}]}, ["body", "redact", 0, "region"]),
        ({"name": "x", "import_format": "csv"}, ["body", "import_format"]),
        ({"name": "x", "import_format": "plain", "deduplicate": True}, ["body", "deduplicate"]),
    ],
)
def test_what_cannot_be_frozen(plane: ControlPlane, snapshots: str, body: dict[str, Any], path: list[Any]) -> None:
    code, where, _ = error(plane.call("POST", snapshots, body))
    assert (code, where) == (7001, path)
    assert plane.get(snapshots)["result"] == []


def test_names_and_strangers(plane: ControlPlane, snapshots: str) -> None:
    path = freeze(plane, snapshots)
    assert error(plane.call("POST", snapshots, {"name": "one"}))[:2] == (7001, ["body", "name"])
    other = plane.make(DATASETS, {"name": "other", "enable": True, "filters": []})
    elsewhere = f"{DATASETS}/{other['id']}/snapshots/{path.rpartition('/')[2]}"
    assert error(plane.call("GET", elsewhere), 404)[0] == 7002
    assert error(plane.call("POST", f"{DATASETS}/{NOBODY}/snapshots", {"name": "x"}), 404)[0] == 7002
    assert plane.call("POST", snapshots, {"name": "x"}, token="reader").status_code == 403
    assert plane.call("GET", path, token="reader").status_code == 200
    for method, below in (("POST", "/erase"), ("PUT", "/expected"), ("POST", "/items"), ("POST", "/seal")):
        assert plane.call(method, path + below, {}, token="reader").status_code == 403


def test_it_shows_what_it_was_made_of_even_when_the_dataset_is_gone(plane: ControlPlane, snapshots: str) -> None:
    chat(plane)
    path = freeze(plane, snapshots, sample={"size": 5, "seed": 3}, split=None)
    plane.call("DELETE", snapshots.removesuffix("/snapshots"))
    shown = plane.get(path)["result"]
    assert shown["dataset"]["name"] == "all"
    assert shown["sample"] == {"seed": 3, "size": 5, "per_group": None, "by": ""}
    assert plane.get(snapshots)["result"] == [shown]
    assert (shown["items"], shown["tally"]["selected"]) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"log_id": "x", "expected": "y"}, ["log_id"]),
        ({"log_id": NOBODY, "expected": "y"}, ["log_id"]),
        ({"log_id": None}, ["expected"]),
        ({"log_id": None, "from_log_id": NOBODY}, ["from_log_id"]),
        ({"log_id": None, "from_log_id": "failed"}, ["from_log_id"]),
        ({"log_id": None, "from_log_id": NOBODY, "expected": "y"}, ["from_log_id"]),
    ],
)
def test_wrong_expected_answers(
    plane: ControlPlane, snapshots: str, answer: dict[str, Any], path: list[Any]
) -> None:
    real = chat(plane)
    failed = plane.log()
    place = freeze(plane, snapshots)
    given = {**answer, "log_id": answer["log_id"] or real}
    if given.get("from_log_id") == "failed":
        given["from_log_id"] = failed
    body = {"answers": [{"log_id": real, "expected": "fine"}, given]}
    code, where, _ = error(plane.call("PUT", f"{place}/expected", body))
    assert (code, where) == (7001, ["body", "answers", 1, *path])
    assert plane.get(place)["result"]["expected"] == 0


def test_an_answer_of_another_log(plane: ControlPlane, snapshots: str) -> None:
    first, better = chat(plane), chat(plane, "Again?")
    place = freeze(plane, snapshots)
    body = {"answers": [{"log_id": first, "from_log_id": better}]}
    shown = plane.call("PUT", f"{place}/expected", body).json()["result"]
    assert (shown["expected"], shown["expected_version"]) == (1, 1)
    assert plane.get(f"{place}/items/{first}")["result"]["expected"] == "Paris"


def test_erasing_wants_to_know_whom(plane: ControlPlane, snapshots: str) -> None:
    mine, other = chat(plane, metadata={"user": "me", "n": 7}), chat(plane, metadata={"user": "you", "n": 7})
    place = freeze(plane, snapshots)
    for body in ({}, {"log_ids": [mine], "metadata": {"user": "me"}}):
        assert error(plane.call("POST", f"{place}/erase", body))[:2] == (7001, ["body"])
    assert error(plane.call("POST", f"{place}/erase", {"log_ids": ["x"]}))[1] == ["body", "log_ids", 0]
    both = {"metadata": {"user": "me", "n": "7"}}
    assert plane.make(f"{place}/erase", both)["newly_erased"] == 1
    hole = plane.get(f"{place}/items/{mine}")["result"]
    assert (hole["erased"], hole["log"], hole["expected"]) == (True, None, None)
    assert plane.make(f"{place}/erase", {"log_ids": [mine, other]})["erased"] == 2


def test_what_is_not_ready_cannot_be_used(plane: ControlPlane, snapshots: str) -> None:
    waiting = plane.make(snapshots, {"name": "waiting"})
    place = f"{snapshots}/{waiting['id']}"
    body = {"answers": [{"log_id": NOBODY, "expected": "x"}]}
    for answer in (
        plane.call("PUT", f"{place}/expected", body),
        plane.call("POST", f"{place}/erase", {"log_ids": [NOBODY]}),
        plane.call("GET", f"{place}/export"),
        plane.call("POST", f"{place}/seal"),
        plane.call("POST", f"{place}/items", {"items": [{}]}),
    ):
        assert error(answer)[:2] == (7001, ["params", "snapshot_id"])
    wanted = {"name": "x", "dataset_ids": [waiting["id"]], "evaluation_type_ids": ["cost"]}
    assert error(plane.call("POST", "/gateways/main/evaluations", wanted))[1] == ["body", "dataset_ids", 0]


def test_an_evaluation_is_about_one_snapshot_alone(plane: ControlPlane, snapshots: str) -> None:
    place = freeze(plane, snapshots)
    dataset_id, snapshot_id = snapshots.split("/")[4], place.rpartition("/")[2]
    wanted = {"name": "x", "dataset_ids": [dataset_id, snapshot_id], "evaluation_type_ids": ["cost"]}
    assert error(plane.call("POST", "/gateways/main/evaluations", wanted))[1] == ["body", "dataset_ids", 1]
    made = plane.make("/gateways/main/evaluations", {**wanted, "dataset_ids": [snapshot_id]})
    assert made["snapshot"]["hash"] == plane.get(place)["result"]["hash"]
    assert made["datasets"][0]["id"] == dataset_id


@pytest.mark.parametrize(
    ("form", "line", "path"),
    [
        ("plain", {}, ["content"]),
        ("plain", {"content": {"duration": -1}}, ["content", "duration"]),
        ("plain", {"content": {"duration": True}}, ["content", "duration"]),
        ("plain", {"content": {"outcome": "fine"}}, ["content", "outcome"]),
        ("plain", {"content": {"cost": "1e999999999"}}, ["content", "cost"]),
        ("plain", {"content": {"cost": "NaN"}}, ["content", "cost"]),
        ("plain", {"content": {"score": 101}}, ["content", "score"]),
        ("plain", {"content": {"feedback": 2}}, ["content", "feedback"]),
        ("plain", {"content": {"metadata": {"a": []}}}, ["content", "metadata", "a"]),
        ("plain", {"content": {"metadata": {"a": float("inf")}}}, ["content", "metadata", "a"]),
        ("plain", {"content": {"request": {"base64": "?"}}}, ["content", "request", "base64"]),
        ("plain", {"content": {"model": "\ud800"}}, ["content", "model"]),
        ("plain", {"content": {"unknown": 1}}, ["content", "unknown"]),
        ("plain", {"content": {}, "hash": "0" * 64}, ["hash"]),
        ("plain", {"content": {}, "expected": 5}, ["expected"]),
        ("evals", {"input": []}, ["input"]),
        ("evals", {"input": [{"content": "no role"}]}, ["input", 0]),
        ("evals", {"input": "q", "ideal": ["a", "b"]}, ["ideal"]),
        ("evals", {"input": "q", "ideal": "x" * 100_001}, ["ideal"]),
        ("chat", {}, ["messages"]),
        ("chat", {"messages": [{"role": "assistant", "content": "only"}]}, ["messages"]),
        ("chat", {"messages": [{"role": "user"}, {"role": "assistant"}]}, ["messages", 1]),
    ],
)
def test_lines_that_cannot_be_imported(
    plane: ControlPlane, snapshots: str, form: str, line: dict[str, Any], path: list[Any]
) -> None:
    opened = plane.make(snapshots, {"name": "x", "import_format": form})
    place = f"{snapshots}/{opened['id']}"
    good = {"plain": {"content": {}}, "evals": {"input": "q"}, "chat": {"messages": [{"role": "user"}]}}[form]
    body = json.dumps({"items": [good, line]}).encode()
    answer = plane.call("POST", f"{place}/items", content=body)
    found = errors(answer)
    assert found[0]["code"] == 7001
    if "\\ud800" not in json.dumps(line):
        assert found[0]["path"] == ["body", "items", 1, *path]
    assert plane.get(place)["result"]["items"] == 0
    assert plane.make(f"{place}/seal", {})["items"] == 0


GOLDEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("evals", {"input": "Hi?", "ideal": "Yes"}, {"input": [{"role": "user", "content": "Hi?"}], "ideal": "Yes"}),
    (
        "evals",
        {"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2"}], "ideal": ["4"]},
        {"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2"}], "ideal": "4"},
    ),
    (
        "chat",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "ü"}]},
                {"role": "assistant", "content": "x"},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "ü"}]},
                {"role": "assistant", "content": "x"},
            ]
        },
    ),
    (
        "chat",
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "w", "arguments": '{"c": 1}'}}
                    ],
                },
            ],
            "tools": [],
        },
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": '[{"name": "w", "arguments": {"c": 1}}]'},
            ]
        },
    ),
]


@pytest.mark.parametrize(("form", "line", "back"), GOLDEN)
def test_shapes_of_others(
    plane: ControlPlane, snapshots: str, form: str, line: dict[str, Any], back: dict[str, Any]
) -> None:
    opened = plane.make(snapshots, {"name": "x", "import_format": form})
    place = f"{snapshots}/{opened['id']}"
    assert plane.make(f"{place}/items", {"items": [line]})["added"] == 1
    sealed = plane.make(f"{place}/seal", {})
    assert (sealed["items"], sealed["expected"], sealed["import_format"]) == (1, 1, form)
    answer = plane.call("GET", f"{place}/export?format={form}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(each) for each in answer.text.splitlines()] == [back]


def test_a_plain_line(plane: ControlPlane, snapshots: str) -> None:
    log_id = chat(plane, metadata={"user": "é"}, feedback=1, score=87.5)
    place = freeze(plane, snapshots)
    answer = plane.call("GET", f"{place}/export")
    assert "gaugeway-next" not in answer.headers
    (line,) = [json.loads(each) for each in answer.text.splitlines()]
    assert line["log_id"] == log_id
    assert line["content"] == {
        "provider": "openai",
        "model": "gpt-5",
        "path": "v1/chat/completions",
        "method": "POST",
        "outcome": "success",
        "status_code": 200,
        "duration": 100,
        "metadata": {"user": "é"},
        "feedback": 1,
        "score": 87.5,
        "request": json.dumps({"messages": [{"role": "user", "content": "The capital of France?"}]}),
        "response": json.dumps(ANSWER),
    }
    assert line["hash"] == plane.get(f"{place}/items")["result"][0]["hash"]
    chats = plane.call("GET", f"{place}/export?format=chat").text
    assert json.loads(chats)["messages"][-1] == {"role": "assistant", "content": "Paris"}
    evals = plane.call("GET", f"{place}/export?format=evals")
    assert (evals.text, evals.headers["gaugeway-left-out"]) == ("", "1")


def test_an_items_bodies_are_given_back_as_frozen(plane: ControlPlane, snapshots: str) -> None:
    question, plain = chat(plane, "From ada@example.com?"), plane.log()
    place = freeze(plane, snapshots, redact=[{"kind": "email"}])
    asked = plane.call("GET", f"{place}/items/{question}/request")
    assert asked.json()["messages"][0]["content"] == "From [email]?"
    assert asked.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert plane.call("GET", f"{place}/items/{question}/response").json() == ANSWER
    for missing in (f"{plain}/request", f"{plain}/response", f"{NOBODY}/request", "x/response"):
        assert error(plane.call("GET", f"{place}/items/{missing}"), 404)[0] == 7002
    plane.make(f"{place}/erase", {"log_ids": [question]})
    assert "was erased" in error(plane.call("GET", f"{place}/items/{question}/response"), 404)[2]


def test_too_large_a_body_is_refused_and_a_large_one_taken(plane: ControlPlane, snapshots: str) -> None:
    opened = plane.make(snapshots, {"name": "x", "import_format": "evals"})
    place = f"{snapshots}/{opened['id']}"
    assert plane.make(f"{place}/items", {"items": [{"input": "x" * 2_000_000}]})["added"] == 1
    assert plane.call("POST", f"{place}/items", {"items": [{"input": "x" * 17_000_000}]}).status_code == 413
    assert plane.call("POST", f"{place}/seal", {"x": "x" * 2_000_000}).status_code == 413
