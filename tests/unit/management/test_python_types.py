"""Evaluation types of users' own Python through the API: off by default, and compiled before they are taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.model import Bodies
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.sandbox.sandbox import OFF, PythonSandbox
from gaugeway.evaluation.sandbox.scoring import PartedScoring
from gaugeway.evaluation.scoring.beside import ScoringProcess
from support.control_plane import ControlPlane, Installation, error, installation

TYPES = "/evaluation-types"
WORDS = "def score(sample):\n    return len(sample['answer'].split())\n"
PARAMETERS = {"source": WORDS, "figure": "mean", "unit": "words", "direction": "lower"}
BODY: dict[str, Any] = {"name": "words", "evaluator_id": "python", "parameters": PARAMETERS}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With a sandbox."""
    folder = tmp_path_factory.mktemp("management") / "data"
    with installation(folder) as made:
        sandbox = PythonSandbox(wanted=True)
        made.parts = structs.replace(
            made.parts,
            evaluators=load(),
            sandbox=sandbox,
            open_scoring=lambda scorers: PartedScoring(scorers, sandbox, ScoringProcess),
        )
        with made.with_parts() as made.client:
            yield made


def source(text: str, **more: Any) -> dict[str, Any]:
    return {**BODY, "parameters": {**PARAMETERS, "source": text, **more}}


def test_a_type_says_what_it_declares(plane: ControlPlane) -> None:
    made = plane.make(TYPES, BODY)
    assert (made["type"], made["unit"], made["direction"], made["enable"]) == ("python", "words", "lower", True)
    assert made["parameters"] == PARAMETERS
    assert plane.get(f"{TYPES}/{made['id']}")["result"] == made
    assert plane.get(TYPES, per_page=50)["result"][-1] == made
    share = plane.make(
        TYPES,
        {
            **BODY,
            "name": "short",
            "parameters": {"source": "def score(sample): return True", "figure": "share", "direction": "higher"},
        },
    )
    assert (share["unit"], share["direction"]) == ("%", "higher")


@pytest.mark.parametrize(
    ("body", "path", "says"),
    [
        (source("def score(sample):\n    return (\n"), ["source"], "line 2: '(' was never closed"),
        (source("def score(sample):\n  return 1\n def x(): pass"), ["source"], "line 3: unindent does not match"),
        (source("x = 1"), ["source"], "there is no `def score(sample)` at its top level"),
        (source("score = len"), ["source"], "there is no `def score(sample)` at its top level"),
        (source("async def score(sample): return 1"), ["source"], "there is no `def score(sample)`"),
        (source("\ndef score(): return 1"), ["source"], "line 2: it is called as score(sample)"),
        (source("def score(sample, item): return 1"), ["source"], "line 1: it is called as score(sample)"),
        (source("def score(sample, *, strict): return 1"), ["source"], "line 1: it is called as score(sample)"),
        (source("def score(sample): return 1\0"), ["source"], "source code string cannot contain null bytes"),
        (source(f"def score(sample): return {'(' * 5000}1{')' * 5000}"), ["source"], "too many nested parentheses"),
        (source(f"def score(sample): return {'-' * 90_000}1"), ["source"], "This is no source that can be run: "),
        (source("#" * 100_001), ["source"], "length <= 100000"),
        (source(""), ["source"], "length >= 1"),
        (source(WORDS, unit=""), [], "a mean has a unit"),
        (source(WORDS, figure="share"), [], "a share is in percent"),
        (source(WORDS, figure="median"), ["figure"], "Invalid enum value 'median'"),
        (source(WORDS, direction="up"), ["direction"], "Invalid enum value 'up'"),
        (source(WORDS, timeout=9), [], "unknown field `timeout`"),
        ({**BODY, "parameters": {"source": WORDS}}, [], "missing required field"),
    ],
)
def test_what_cannot_be_run_is_refused_at_its_place(
    plane: ControlPlane, body: dict[str, Any], path: list[str], says: str
) -> None:
    code, where, message = error(plane.call("POST", TYPES, body))
    assert (code, where) == (7001, ["body", "parameters", *path])
    assert says in message
    assert plane.stores.custom_types.list(plane.account_id) == []


@pytest.mark.parametrize(
    "text",
    [
        "def score(sample, strict=True): return 1",
        "def score(*all): return 1",
        "def score(sample, /, **more): return 1",
        "raise ValueError('only when it runs')\ndef score(sample): return 1",
        "while True: pass\ndef score(sample): return 1",
    ],
)
def test_what_can_be_called_is_taken_and_nothing_of_it_runs(plane: ControlPlane, text: str) -> None:
    assert plane.make(TYPES, source(text))["enable"]


def test_off_it_is_refused_by_the_name_of_the_setting(plane: ControlPlane) -> None:
    made = plane.make(TYPES, BODY)
    plane.make_gateway()
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})
    with plane.installation.with_parts(sandbox=PythonSandbox(wanted=False)) as plane.client:
        assert error(plane.call("POST", TYPES, {**BODY, "name": "more"})) == (
            7001,
            ["body", "parameters", "source"],
            OFF,
        )
        assert "GAUGEWAY_PYTHON_EVALUATORS=true" in OFF
        shown = plane.get(f"{TYPES}/{made['id']}")["result"]
        assert (shown["enable"], shown["unit"], shown["parameters"]) == (False, "words", PARAMETERS)
        assert shown["refusal"] == plane.get(f"{TYPES}/python")["result"]["refusal"] == OFF
        assert plane.get(f"{TYPES}/regex")["result"]["refusal"] is None
        body = {"name": "e", "dataset_ids": [dataset["id"]], "evaluation_type_ids": ["cost", made["id"]]}
        assert error(plane.call("POST", "/gateways/main/evaluations", body)) == (
            7001,
            ["body", "evaluation_type_ids", 1],
            OFF,
        )
        assert plane.call("DELETE", f"{TYPES}/{made['id']}").status_code == 200


def test_without_parameters_it_judges_nothing(plane: ControlPlane) -> None:
    plane.make_gateway()
    dataset = plane.make("/gateways/main/datasets", {"name": "all", "enable": True, "filters": []})
    body = {"name": "e", "dataset_ids": [dataset["id"]], "evaluation_type_ids": ["python"]}
    assert "needs parameters" in error(plane.call("POST", "/gateways/main/evaluations", body))[2]


def answered(text: str) -> Bodies:
    return Bodies(request=b"{}", response=json.dumps({"choices": [{"message": {"content": text}}]}).encode())


def to_try(plane: ControlPlane, body: dict[str, Any], *log_ids: str) -> dict[str, Any]:
    chosen = {name: body[name] for name in ("evaluator_id", "parameters")}
    return {**chosen, "gateway_id": "main", "log_ids": [*log_ids]}


async def test_it_is_tried_on_logs_before_it_is_made(plane: ControlPlane) -> None:
    plane.make_gateway()
    logs = [plane.log(bodies=answered("one two three")), plane.log(), plane.log(bodies=answered(""))]
    assert await plane.sink.flush(5)
    text = (
        "def score(sample):\n  words = sample['answer'].split()\n  return {'score': len(words), 'reason': words[0]}"
    )
    assert plane.get(f"{TYPES}/python")["result"]["refusal"] is None
    scored, skipped, failed = plane.make(f"{TYPES}/try", to_try(plane, source(text), *logs))
    assert scored == {"log_id": logs[0], "status": "scored", "score": 3.0, "note": "one"}
    assert (skipped["status"], skipped["score"]) == ("skipped", None)
    assert (failed["status"], failed["score"]) == ("failed", None)
    assert "line 3" in failed["note"]
    pattern = {"evaluator_id": "regex", "parameters": {"pattern": "two"}}
    (mark,) = plane.make(f"{TYPES}/try", to_try(plane, pattern, logs[0]))
    assert (mark["status"], mark["score"]) == ("scored", 100.0)
    assert plane.stores.custom_types.list(plane.account_id) == []


async def test_what_cannot_be_tried_is_said_at_its_place(plane: ControlPlane) -> None:
    plane.make_gateway()
    log = plane.log(bodies=answered("one"))
    assert await plane.sink.flush(5)
    judge = {
        "evaluator_id": "judge_criteria",
        "parameters": {"criteria": "It is polite.", "model": "openai/gpt-5", "gateway_id": "judges", "max_cost": 1},
    }
    wrong: list[tuple[dict[str, Any], list[Any], str]] = [
        (to_try(plane, source("def score(sample):\n  return ("), log), ["parameters", "source"], "line 2"),
        (to_try(plane, BODY, log, plane.installation.new_id()), ["log_ids", 1], "The gateway has no log"),
        (to_try(plane, BODY, "x"), ["log_ids", 0], "The gateway has no log"),
        (to_try(plane, BODY), ["log_ids"], "at least 1"),
        (to_try(plane, BODY, *[log] * 6), ["log_ids"], "at most 5"),
        ({**to_try(plane, BODY, log), "gateway_id": "other"}, ["gateway_id"], "There is no gateway 'other'"),
        (to_try(plane, {**BODY, "evaluator_id": "cost"}, log), ["evaluator_id"], "takes no parameters"),
        (to_try(plane, judge, log), ["evaluator_id"], "costs money"),
    ]
    for body, path, says in wrong:
        code, where, message = error(plane.call("POST", f"{TYPES}/try", body))
        assert (code, where) == (7001, ["body", *path])
        assert says in message
    assert plane.call("POST", f"{TYPES}/try", to_try(plane, BODY, log), token="reader").status_code == 403
    assert error(plane.call("POST", f"{TYPES}/try", to_try(plane, BODY, log), token="stranger"), 403)
    with plane.installation.with_parts(sandbox=PythonSandbox(wanted=False)) as plane.client:
        body = to_try(plane, BODY, log)
        assert error(plane.call("POST", f"{TYPES}/try", body))[1:] == (["body", "parameters", "source"], OFF)
