"""Groups of filters and text in bodies through the API: what is accepted, kept, refused, and what it means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.model import Bodies
from gaugeway.core.query import MAX_DEPTH, MAX_FILTERS
from gaugeway.management.envelope import UNKNOWN_BODY
from support.control_plane import ControlPlane, error, errors

DATASETS = "/gateways/main/datasets"
LOGS = "/gateways/main/logs"


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> str:
    return plane.make_gateway()


def model(*values: str, operator: str = "eq") -> dict[str, Any]:
    return {"key": "model", "operator": operator, "value": list(values)}


def body_has(text: str, *, key: str = "response_body", operator: str = "contains") -> dict[str, Any]:
    return {"key": key, "operator": operator, "value": [text]}


def within(depth: int) -> dict[str, Any]:
    """A filter in so many groups."""
    found = model("a")
    for _ in range(depth):
        found = {"all_of": [found]}
    return found


NESTED: list[dict[str, Any]] = [
    model("a", "b"),
    {"any_of": [{"key": "cost", "operator": "gt", "value": [0.5]}, {"all_of": [body_has("sörry"), model("c")]}]},
    {"none_of": [{"key": "metadata.team", "operator": "eq", "value": ["blue"]}]},
]


def dataset(filters: list[Any], name: str = "set") -> dict[str, Any]:
    return {"name": name, "enable": True, "filters": filters}


def listed(plane: ControlPlane, *filters: dict[str, Any], **more: Any) -> list[str]:
    """The ids of the logs that a list shows, oldest first."""
    return [log["id"] for log in plane.get(LOGS, filters=json.dumps(filters), **more)["result"]][::-1]


def test_groups_are_kept_and_shown_as_they_were_sent(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, dataset(NESTED))
    assert made["filters"] == NESTED
    assert plane.get(f"{DATASETS}/{made['id']}")["result"] == made
    changed = plane.call("PUT", f"{DATASETS}/{made['id']}", dataset(NESTED[1:])).json()["result"]
    assert changed["filters"] == NESTED[1:]
    assert plane.get(DATASETS)["result"] == [changed]


def test_datasets_are_found_by_what_is_in_their_groups(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, dataset(NESTED))
    plane.make(DATASETS, dataset([model("x")], "other"))
    for text in ("any_of", "SÖRRY", "none_of (metadata.team eq blue)"):
        assert plane.get(DATASETS, search=text)["result"] == [made]


def test_an_evaluation_has_a_copy_with_the_groups(plane: ControlPlane) -> None:
    made = plane.make(DATASETS, dataset(NESTED))
    asked = {"name": "e", "dataset_ids": [made["id"]], "evaluation_type_ids": ["cost"]}
    evaluation = plane.make("/gateways/main/evaluations", asked)
    plane.call("DELETE", f"{DATASETS}/{made['id']}")
    kept = plane.get(f"/gateways/main/evaluations/{evaluation['id']}")["result"]["datasets"]
    assert [one["filters"] for one in kept] == [NESTED]


@pytest.mark.parametrize(
    ("item", "path", "words"),
    [
        ({"any_of": []}, ["any_of"], "at least one filter"),
        ({"any_of": model("a")}, ["any_of"], "Expected array"),
        ({"any_of": [model("a")], "none_of": [model("b")]}, ["none_of"], "Unrecognized key"),
        ({**model("a"), "any_of": [model("a")]}, ["key"], "Unrecognized key"),
        ({"one_of": [model("a")]}, ["key"], "Required"),
        ({}, ["key"], "Required"),
        ({"any_of": [model("a"), {"key": "model", "value": ["x"]}]}, ["any_of", 1, "operator"], "Required"),
        ({"all_of": ["model"]}, ["all_of", 0], "Expected object"),
        ({"all_of": [{"none_of": [{**model("a"), "key": "no"}]}]}, ["all_of", 0, "none_of", 0, "key"], "Expected"),
        ({"any_of": [{"key": "cost", "operator": "gt", "value": ["x"]}]}, ["any_of", 0, "value", 0], "dollars"),
        (within(MAX_DEPTH + 1), ["all_of", 0] * MAX_DEPTH, f"At most {MAX_DEPTH} groups"),
        ({**body_has("x"), "operator": "eq"}, ["operator"], "use contains or not_contains"),
        ({**body_has("x"), "operator": "gt"}, ["operator"], "use contains or not_contains"),
        ({**body_has("x"), "value": [["x"]]}, ["value", 0], "Expected string"),
        ({**body_has("x"), "value": ["x"] * 21}, ["value"], "At most 20"),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(plane: ControlPlane, item: Any, path: list[Any], words: str) -> None:
    first = errors(plane.call("POST", DATASETS, dataset([model("a"), item])))[0]
    assert (first["code"], first["path"]) == (7001, ["body", "filters", 1, *path])
    assert words in first["message"]
    assert plane.get(DATASETS)["result"] == []
    in_query = errors(plane.call("GET", LOGS, params={"filters": json.dumps([model("a"), item])}))[0]
    assert (in_query["code"], in_query["path"]) == (7001, ["query", "filters", 1, *path])


def test_the_limits_are_inclusive(plane: ControlPlane) -> None:
    plane.make(DATASETS, dataset([within(MAX_DEPTH)], "deep"))
    full = {"any_of": [model("a")] * (MAX_FILTERS - 1)}
    plane.make(DATASETS, dataset([full], "full"))
    answer = plane.call("POST", DATASETS, dataset([full, model("a")], "fuller"))
    assert error(answer)[:2] == (7001, ["body", "filters"])
    assert f"At most {MAX_FILTERS}" in error(answer)[2]


@pytest.mark.parametrize("depth", [100, 400, 30_000])
def test_however_deep_it_is_the_answer_is_a_refusal(plane: ControlPlane, depth: int) -> None:
    text = '{"any_of":[' * depth + json.dumps(model("a")) + "]}" * depth
    content = f'{{"name": "n", "enable": true, "filters": [{text}]}}'
    sent = {"content": content, "headers": {"content-type": "application/json"}}
    assert errors(plane.call("POST", DATASETS, **sent))[0]["code"] == 7001
    assert plane.get(DATASETS)["result"] == []


def test_what_groups_mean(plane: ControlPlane) -> None:
    a, b, unknown = plane.log(model_type="a"), plane.log(model_type="b"), plane.log(model_type=None)
    everything = [a, b, unknown]

    def kind(*values: str, operator: str = "eq") -> dict[str, Any]:
        return {**model(*values, operator=operator), "key": "model_type"}

    assert listed(plane, {"any_of": [kind("a"), kind("b")]}) == [a, b]
    assert listed(plane, {"all_of": [kind("a"), kind("b")]}) == []
    assert listed(plane, {"none_of": [kind("a")]}) == [b, unknown], "exactly those that any_of leaves out"
    assert listed(plane, kind("a", operator="neq")) == [b], "known, and not that"
    assert listed(plane, {"none_of": [{"none_of": [kind("a")]}]}) == [a]
    assert listed(plane, {"any_of": [kind("a"), {"none_of": [kind("a")]}]}) == everything
    assert listed(plane, {"any_of": [kind("a"), kind("b")]}, model_type="b") == [b], "beside simple parameters"


def test_filters_in_turn_cannot_hide_a_group(plane: ControlPlane) -> None:
    params = [("filters.key", "any_of"), ("filters.operator", "eq"), ("filters.value", "x")]
    assert errors(plane.call("GET", LOGS, params=params))[0]["path"] == ["query", "filters", 0, "key"]


def test_text_in_bodies(plane: ControlPlane) -> None:
    escaped = json.dumps({"choices": [{"message": {"content": "Grüße\naus Zürich"}}]}).encode()
    found = plane.log(bodies=Bodies(request=b'{"q": "where?"}', response=escaped))
    other = plane.log(bodies=Bodies(request=b'{"q": "where else?"}', response=b"{}"))
    unknown = plane.log()
    cut = plane.log(bodies=Bodies(response=b"Z\xc3\xbcri", response_cut=True))
    assert listed(plane, body_has("GRÜSSE\nAUS zürich")) == [found]
    assert listed(plane, body_has("else", key="request_body")) == [other]
    assert listed(plane, body_has("zürich", operator="not_contains")) == [other]
    assert listed(plane, {"none_of": [body_has("zürich")]}) == [other, unknown, cut]
    neither = {"none_of": [body_has("zürich"), body_has("zürich", operator="not_contains")]}
    assert listed(plane, neither) == [unknown, cut]
    assert listed(plane, {"any_of": [body_has("zürich"), body_has("where else", key="request_body")]}) == [
        found,
        other,
    ]


def test_a_list_by_bodies_says_what_is_not_known(plane: ControlPlane) -> None:
    plane.log()
    answer = plane.get(LOGS, filters=json.dumps([{"any_of": [body_has("x")]}]), meta_info="true")
    (message,) = answer["messages"]
    assert message["code"] == UNKNOWN_BODY
    assert "not_contains" in message["message"]
    assert answer["result_info"]["total_count"] == 0
    assert plane.get(LOGS, filters=json.dumps([model("x")]))["messages"] == []


def test_logs_are_deleted_by_their_bodies(plane: ControlPlane) -> None:
    plane.log(bodies=Bodies(response=b"a secret"))
    kept = plane.log(bodies=Bodies(response=b"nothing"))
    answer = plane.call("DELETE", LOGS, params={"filters": json.dumps([body_has("secret")])})
    assert answer.json()["success"] is True
    assert listed(plane) == [kept]


def test_sides_of_a_comparison_may_have_groups(plane: ControlPlane) -> None:
    for name in ("a", "b", "c"):
        plane.log(model=name, bodies=Bodies(response=name.encode()))
    sides = [
        {"label": "ab", "filters": [{"any_of": [model("a"), body_has("b")]}]},
        {"label": "rest", "filters": [{"none_of": [model("a"), model("b")]}]},
    ]
    asked = {"sides": sides, "evaluation_type_ids": ["speed"]}
    answer = plane.make("/gateways/main/comparisons", asked)
    assert [side["total_logs"] for side in answer["sides"]] == [2, 1]
    wrong = {**asked, "sides": [sides[0], {"filters": [{"any_of": [{**model("a"), "key": "no"}]}]}]}
    path = error(plane.call("POST", "/gateways/main/comparisons", wrong))[1]
    assert path == ["body", "sides", 1, "filters", 0, "any_of", 0, "key"]
