"""OpenAI's Evals through its own SDK, against a real server, with models on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from support.judging_upstream import JudgingUpstream
from support.server import Server, running_server
from support.upstream import _send_json, completion, running_upstream

_numbers = count(1)
ITEM_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
}
CUSTOM: Any = {"type": "custom", "item_schema": ITEM_SCHEMA, "include_sample_schema": True}
SAME: Any = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "ilike",
}
LINES: Any = [
    {"item": {"question": "2+2", "answer": "4"}, "sample": {"output_text": "It is 4."}},
    {"item": {"question": "3+3", "answer": "6"}, "sample": {"output_text": "It is 7."}},
    {"item": {"question": "4+4", "answer": "8"}},
]
CALL_COST = Decimal("0.00004")  # 20 tokens in, 10 out: what the upstream reports


class Answering(JudgingUpstream):
    """Tested models: `echo` says the last message again, `untold` does not say what it used."""

    async def _echo(self, seen: Any, asked: Any, writer: Any) -> bool:
        while self.held:
            await asyncio.sleep(0.01)
        return await self._say(asked["messages"][-1]["content"], writer)

    async def _untold(self, seen: Any, asked: Any, writer: Any) -> bool:
        answer = completion("m")
        del answer["usage"]
        return await _send_json(writer, answer)


@pytest.fixture(scope="module")
def upstream_of_models() -> Iterator[Answering]:
    with running_upstream(Answering) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, upstream_of_models: Answering) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("evals")
    settings = {"GAUGEWAY_PRIVATE_UPSTREAMS": "127.0.0.1", "GAUGEWAY_PYTHON_EVALUATORS": "true"}
    with running_server(folder, upstream_of_models.url, **settings) as running:
        price_models(running)
        yield running


def price_models(server: Server) -> None:
    for model in ("judge", "echo", "untold", "embed"):
        rule = {"provider": "openai", "model": model, "cost_in": 0.000001, "cost_out": 0.000002}
        server.manage("POST", "/custom-providers/costs", rule)


@pytest.fixture(autouse=True)
def reset(upstream_of_models: Answering) -> None:
    upstream_of_models.decide = lambda _asked: json.dumps({"reasoning": "so", "label": "right"})
    upstream_of_models.held = False


@pytest.fixture
def gateway(home: Server) -> str:
    return home.make_gateway(f"evals-{next(_numbers)}")


def client_of(server: Server, gateway: str, opened: ExitStack) -> OpenAI:
    client = OpenAI(
        api_key=server.token,
        base_url=server.url + "/v1",
        default_headers={"cf-aig-gateway-id": gateway},
        max_retries=0,
    )
    return opened.enter_context(client)


@pytest.fixture
def client(home: Server, gateway: str, opened: ExitStack) -> OpenAI:
    return client_of(home, gateway, opened)


def until_ended(client: OpenAI, run: Any) -> Any:
    end = time.monotonic() + 90
    while run.status in ("queued", "in_progress"):
        assert time.monotonic() < end, run
        time.sleep(0.05)
        run = client.evals.runs.retrieve(run.id, eval_id=run.eval_id)
    return run


def items_of(client: OpenAI, run: Any, **query: Any) -> list[Any]:
    return list(client.evals.runs.output_items.list(run.id, eval_id=run.eval_id, **query))


def test_an_eval_is_made_listed_changed_and_deleted(client: OpenAI) -> None:
    made = client.evals.create(name="Sums", data_source_config=CUSTOM, testing_criteria=[SAME], metadata={"a": "b"})
    assert (made.object, made.name, made.metadata) == ("eval", "Sums", {"a": "b"})
    assert made.testing_criteria[0].name == "same"
    assert made.data_source_config.type == "custom"
    assert client.evals.retrieve(made.id).to_dict() == made.to_dict()
    changed: Any = client.evals.update(made.id, name="More sums", metadata={"c": "d"})
    assert (changed.id, changed.name, changed.metadata) == (made.id, "More sums", {"c": "d"})
    others = [client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME]).id for _ in range(3)]
    assert [one.id for one in client.evals.list(limit=2)] == [made.id, *others]
    assert [one.id for one in client.evals.list(order="desc", limit=3)] == [*reversed(others), made.id]
    assert client.evals.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="there is no eval"):
        client.evals.retrieve(made.id)


def test_a_run_over_lines_that_bring_their_answers(client: OpenAI) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    run: Any = client.evals.runs.create(
        made.id, name="first", data_source={"type": "jsonl", "source": {"type": "file_content", "content": LINES}}
    )
    assert (run.status, run.result_counts.total, run.object) == ("queued", 3, "eval.run")
    run = until_ended(client, run)
    assert run.status == "completed"
    counts = run.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (3, 1, 1, 1)
    [criterion] = run.per_testing_criteria_results
    assert (criterion.testing_criteria, criterion.passed, criterion.failed, criterion.errored) == ("same", 1, 1, 1)
    assert run.per_model_usage == []
    right, wrong, without = items_of(client, run)
    assert (right.status, right.results[0].passed, right.results[0].score) == ("pass", True, 1)
    assert right.datasource_item == LINES[0]["item"]
    assert (wrong.status, wrong.results[0].passed) == ("fail", False)
    assert without.status == "error"
    assert "sample.output_text" in without.results[0].sample["error"]
    assert [one.id for one in items_of(client, run, status="fail")] == [wrong.id]
    assert [one.id for one in items_of(client, run, limit=1, order="desc")] == [without.id, wrong.id, right.id]
    same = client.evals.runs.output_items.retrieve(wrong.id, eval_id=made.id, run_id=run.id)
    assert same.to_dict() == wrong.to_dict()
    assert [one.id for one in client.evals.runs.list(made.id, status="completed")] == [run.id]
    assert client.evals.runs.delete(run.id, eval_id=made.id).deleted
    with pytest.raises(openai.NotFoundError, match="there is no run"):
        client.evals.runs.retrieve(run.id, eval_id=made.id)


def test_tokens_that_nobody_told_are_no_zeros(client: OpenAI) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    source: Any = {
        "type": "completions",
        "model": "untold",
        "source": {"type": "file_content", "content": [{"item": {"question": "?", "answer": "4"}}]},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]},
        "sampling_params": {"max_completion_tokens": 50},
    }
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    [use] = run.per_model_usage
    assert (use.invocation_count, use.to_dict()["untold_count"], use.total_tokens) == (1, 1, 0)
    [item] = items_of(client, run)
    assert set(item.sample.usage.to_dict().values()) == {None}


HOSTILE: Any = [{"output": ["text"]}, {"output": [None]}, {"choices": "no"}, {"choices": [{"message": [1]}]}]


@pytest.mark.parametrize("sample", HOSTILE, ids=str)
def test_a_sample_of_any_shape_is_an_error_of_its_item_alone(client: OpenAI, sample: Any) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    lines: Any = [{"item": {"question": "?", "answer": "4"}, "sample": sample}, LINES[0]]
    source: Any = {"type": "jsonl", "source": {"type": "file_content", "content": lines}}
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    assert (run.status, run.result_counts.passed, run.result_counts.errored) == ("completed", 1, 1)


def test_a_model_answers_and_another_grades(
    client: OpenAI, home: Server, gateway: str, upstream_of_models: Answering
) -> None:
    def decide(asked: dict[str, Any]) -> str:
        told = asked["messages"][-1]["content"]
        if "label" in asked["response_format"]["json_schema"]["schema"]["properties"]:
            return json.dumps({"reasoning": "as it says", "label": "right" if "GOOD" in told else "wrong"})
        return json.dumps({"reasoning": "by length", "result": 4 if "GOOD" in told else 9})

    upstream_of_models.decide = decide
    label: Any = {
        "type": "label_model",
        "name": "kind",
        "model": "judge",
        "input": [
            {"role": "developer", "content": "Is it right?"},
            {"role": "user", "content": {"type": "input_text", "text": "{{sample.output_text}}"}},
        ],
        "labels": ["right", "wrong"],
        "passing_labels": ["right"],
    }
    score: Any = {
        "type": "score_model",
        "name": "mark",
        "model": "openai/judge",
        "input": [{"role": "user", "content": "{{item.question}} {{sample.output_text}}"}],
        "range": [1, 5],
        "pass_threshold": 4,
    }
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[label, score])
    lines: Any = [{"item": {"question": word, "answer": ""}} for word in ("GOOD", "BAD")]
    source: Any = {
        "type": "completions",
        "model": "echo",
        "source": {"type": "file_content", "content": lines},
        "input_messages": {
            "type": "template",
            "template": [{"role": "user", "content": "Say: {{item.question}}"}],
        },
        "sampling_params": {"temperature": 0, "max_completion_tokens": 50},
    }
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    assert (run.status, run.model) == ("completed", "echo")
    assert (run.result_counts.passed, run.result_counts.failed, run.result_counts.errored) == (1, 0, 1)
    assert {use.run_model_name: use.invocation_count for use in run.per_model_usage} == {
        "openai/echo": 2,
        "openai/judge": 4,
    }
    assert run.per_model_usage[0].total_tokens == 60
    assert [use.to_dict()["untold_count"] for use in run.per_model_usage] == [0, 0]
    good, bad = items_of(client, run)
    assert good.sample.output[0].content == "Say: GOOD"
    assert (good.sample.model, good.sample.temperature, good.sample.usage.total_tokens) == ("m", 0, 30)
    assert [one.score for one in good.results] == [1, 4]
    assert "right: as it says" in good.results[0].sample["note"]
    assert bad.status == "error"
    assert "9, which is not within 1 to 5" in bad.results[1].sample["error"]
    calls = home.wait_for_logs(gateway, 6)
    assert {call["metadata"]["eval_run"] for call in calls} == {run.id}
    assert sum(Decimal(call["cost_exact"]) for call in calls) == 6 * CALL_COST


def test_cosine_asks_a_model_of_embeddings_within_the_run_s_cap(
    client: OpenAI, home: Server, gateway: str, upstream_of_models: Answering
) -> None:
    vectors = {"It is 4.": [3.0, 4.0], "4": [4.0, 3.0], "It is 7.": [1.0, 0.0], "6": [0.0, 1.0], "8": [1.0, 0.0]}
    upstream_of_models.embed = lambda text: vectors[text]
    cosine: Any = {
        "type": "text_similarity",
        "name": "near",
        "input": "{{sample.output_text}}",
        "reference": "{{item.answer}}",
        "evaluation_metric": "cosine",
        "pass_threshold": 0.9,
        "embedding_model": "embed",
    }
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[cosine])
    lines = [*LINES[:2], {"item": LINES[2]["item"], "sample": {"output_text": " "}}]
    source: Any = {"type": "jsonl", "source": {"type": "file_content", "content": lines}}
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    assert (run.result_counts.passed, run.result_counts.failed, run.result_counts.errored) == (1, 1, 1), run
    near, far, empty = items_of(client, run)
    assert near.results[0].score == pytest.approx(0.96)
    assert far.results[0].score == pytest.approx(0)
    assert empty.results[0].sample["error"] == "an empty text has no embedding"
    [use] = run.per_model_usage
    assert (use.run_model_name, use.invocation_count, use.prompt_tokens) == ("openai/embed", 4, 80)
    assert use.to_dict()["untold_count"] == 0
    calls = home.wait_for_logs(gateway, 4)
    assert {(call["model"], call["metadata"]["eval_call"]) for call in calls} == {("embed", "grader")}
    assert sum(Decimal(call["cost_exact"]) for call in calls) == 4 * Decimal("0.00002")
    poor = client.evals.runs.create(made.id, data_source=source, extra_body={"max_cost": 0.000001})
    assert until_ended(client, poor).result_counts.errored == 3
    assert len(home.logs(gateway)) == 4


def test_a_run_over_logs_as_they_were_answered(client: OpenAI, home: Server, gateway: str) -> None:
    for answer, team in (("Yes.", "blue"), ("No.", "blue"), ("Yes.", "red")):
        headers = {"cf-aig-metadata": json.dumps({"team": team})}
        assert home.chat(gateway, f"says:{answer}", headers=headers).status == 200
    yes: Any = {**SAME, "reference": "yes"}
    made = client.evals.create(data_source_config={"type": "logs"}, testing_criteria=[yes])
    source: Any = {"type": "completions", "source": {"type": "stored_completions", "metadata": {"team": "blue"}}}
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    assert (run.result_counts.total, run.result_counts.passed, run.result_counts.failed) == (2, 1, 1)
    found = items_of(client, run)
    assert {one.sample.output[0].content for one in found} == {"Yes.", "No."}
    assert found[0].datasource_item["metadata"] == {"team": "blue"}
    assert found[0].datasource_item["input"] == [{"role": "user", "content": "Say hello."}]
    again: Any = {
        "type": "responses",
        "model": "echo",
        "source": {"type": "responses", "model": "says:No."},
        "input_messages": {"type": "item_reference", "item_reference": "item.input"},
        "sampling_params": {"max_completion_tokens": 50},
    }
    run = until_ended(client, client.evals.runs.create(made.id, data_source=again))
    assert run.result_counts.total == 1
    assert items_of(client, run)[0].sample.output[0].content == "Say hello."
    reds = client.evals.create(
        data_source_config={"type": "logs", "metadata": {"team": "red"}}, testing_criteria=[yes]
    )
    every: Any = {"type": "responses", "source": {"type": "responses"}}
    run = until_ended(client, client.evals.runs.create(reds.id, data_source=every))
    assert (run.result_counts.total, run.result_counts.passed) == (1, 1)


def test_what_runs_called_is_no_traffic_to_be_graded(client: OpenAI, home: Server, gateway: str) -> None:
    assert home.chat(gateway, "says:Yes.").status == 200
    made = client.evals.create(data_source_config={"type": "logs"}, testing_criteria=[{**SAME, "reference": "yes"}])
    asked_again: Any = {
        "type": "responses",
        "model": "echo",
        "source": {"type": "responses"},
        "input_messages": {"type": "item_reference", "item_reference": "item.input"},
        "sampling_params": {"max_completion_tokens": 50},
    }
    first = until_ended(client, client.evals.runs.create(made.id, data_source=asked_again))
    assert first.result_counts.total == 1
    home.wait_for_logs(gateway, 2)
    as_answered: Any = {"type": "responses", "source": {"type": "responses"}}
    run = until_ended(client, client.evals.runs.create(made.id, data_source=as_answered))
    assert (run.result_counts.total, run.result_counts.passed) == (1, 1)
    own: Any = {"type": "completions", "source": {"type": "stored_completions", "metadata": {"eval_run": first.id}}}
    run = until_ended(client, client.evals.runs.create(made.id, data_source=own))
    assert (run.result_counts.total, run.result_counts.failed) == (1, 1)


def test_a_cap_is_never_passed_and_what_it_stopped_is_an_error(client: OpenAI, home: Server, gateway: str) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    lines: Any = [{"item": {"question": str(number), "answer": ""}} for number in range(12)]
    source: Any = {
        "type": "completions",
        "model": "echo",
        "source": {"type": "file_content", "content": lines},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]},
        "sampling_params": {"max_completion_tokens": 50},
    }
    run: Any = client.evals.runs.create(made.id, data_source=source, extra_body={"max_cost": 0.0004})
    run = until_ended(client, run)
    assert run.max_cost == "0.0004"
    assert (run.status, run.result_counts.total) == ("completed", 12)
    assert run.result_counts.errored > 0
    stopped = items_of(client, run, status="error")
    assert all("has no room" in one.sample.error.message for one in stopped)
    calls = home.wait_for_logs(gateway, 12 - len(stopped))
    assert len(calls) == 12 - len(stopped) > 0
    assert sum(Decimal(call["cost_exact"]) for call in calls) <= Decimal("0.0004")


def test_a_model_of_unknown_price_is_not_called(client: OpenAI, home: Server, gateway: str) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    source: Any = {
        "type": "completions",
        "model": "custom-nowhere/x",
        "source": {"type": "file_content", "content": LINES[:1]},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "x"}]},
    }
    run = until_ended(client, client.evals.runs.create(made.id, data_source=source))
    [item] = items_of(client, run)
    assert "give it a cost rule" in item.sample.error.message
    assert home.logs(gateway) == []


def test_a_run_is_cancelled_and_keeps_what_it_has(client: OpenAI, upstream_of_models: Answering) -> None:
    upstream_of_models.held = True
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    source: Any = {
        "type": "completions",
        "model": "echo",
        "source": {"type": "file_content", "content": LINES},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]},
        "sampling_params": {"max_completion_tokens": 50},
    }
    seen = len(upstream_of_models.seen)
    run: Any = client.evals.runs.create(made.id, data_source=source)
    upstream_of_models.wait_for(seen + 3)
    canceled = client.evals.runs.cancel(run.id, eval_id=made.id)
    assert canceled.status == "canceled"
    upstream_of_models.held = False
    assert client.evals.runs.retrieve(run.id, eval_id=made.id).status == "canceled"
    with pytest.raises(openai.BadRequestError, match="has ended already"):
        client.evals.runs.cancel(run.id, eval_id=made.id)


def test_kill_9_loses_nothing_and_flags_what_was_under_way(
    tmp_path: Path, upstream_of_models: Answering, opened: ExitStack
) -> None:
    with running_server(tmp_path, upstream_of_models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as server:
        price_models(server)
        client = client_of(server, server.make_gateway("killed"), opened)
        made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
        lines: Any = [{"item": {"question": str(number), "answer": str(number)}} for number in range(10)]
        source: Any = {
            "type": "completions",
            "model": "echo",
            "source": {"type": "file_content", "content": lines},
            "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]},
            "sampling_params": {"max_completion_tokens": 50},
        }
        upstream_of_models.held = True
        seen = len(upstream_of_models.seen)
        run: Any = client.evals.runs.create(made.id, data_source=source)
        upstream_of_models.wait_for(seen + 4)
        server.kill()
        upstream_of_models.held = False
        server.start()
        run = until_ended(client, run)
        assert (run.status, run.result_counts.total, run.result_counts.passed) == ("completed", 10, 10)
        assert run.resent == 4
        found = items_of(client, run)
        assert [one.datasource_item["question"] for one in found] == [str(number) for number in range(10)]
        assert sum(one.resent for one in found) == 4


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}}, "data_source.source.id", "no file"),
    (
        {"type": "jsonl", "source": {"type": "file_content", "content": []}},
        "data_source.source.file_content.content",
        "",
    ),
    (
        {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {"question": 1, "answer": ""}}]}},
        "data_source.source.content[0].item.question",
        "item_schema",
    ),
    ({"type": "jsonl", "source": {"type": "stored_completions"}}, "data_source.source.type", "file_content"),
    (
        {"type": "completions", "model": "m", "source": {"type": "file_content", "content": LINES}},
        "data_source.input_messages",
        "both or not at all",
    ),
    (
        {"type": "responses", "source": {"type": "responses", "users": ["a"]}},
        "data_source.source.responses.users",
        "",
    ),
]


@pytest.mark.parametrize(("source", "param", "words"), REFUSED)
def test_a_source_that_cannot_be_is_refused_at_its_place(
    client: OpenAI, source: Any, param: str, words: str
) -> None:
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    with pytest.raises(openai.BadRequestError) as caught:
        client.evals.runs.create(made.id, data_source=source)
    assert caught.value.param == param
    assert words in caught.value.message
    assert list(client.evals.runs.list(made.id)) == []


def test_who_may_not_and_what_is_not_there(home: Server, client: OpenAI, gateway: str, opened: ExitStack) -> None:
    with pytest.raises(openai.AuthenticationError, match="a token of this gateway is expected"):
        client.with_options(api_key="sk-wrong").evals.list()
    with pytest.raises(openai.NotFoundError, match="name one in the header cf-aig-gateway-id"):
        client_of(home, "nowhere", opened).evals.list()
    with pytest.raises(openai.BadRequestError, match="synonyms") as caught:
        client.evals.create(
            data_source_config=CUSTOM,
            testing_criteria=[{**SAME, "type": "text_similarity", "evaluation_metric": "meteor"}],
        )
    assert caught.value.param == "testing_criteria[0].evaluation_metric"
    answer = home.call("PUT", "/v1/evals", {}, {"authorization": f"Bearer {home.token}"})
    assert (answer.status, answer.json["error"]["type"]) == (404, "invalid_request_error") or answer.status == 405
    other = client_of(home, home.make_gateway(f"evals-{next(_numbers)}"), opened)
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    with pytest.raises(openai.NotFoundError):
        other.evals.retrieve(made.id)
    raw = home.call(
        "POST", "/v1/evals", b"{nonsense", {"authorization": f"Bearer {home.token}", "cf-aig-gateway-id": gateway}
    )
    assert (raw.status, raw.json["error"]["type"]) == (400, "invalid_request_error")


GRADE = """
from difflib import SequenceMatcher

def grade(sample, item):
    if item["answer"] == "leave":
        raise SystemExit
    return SequenceMatcher(None, sample.get("output_text", ""), item["answer"]).ratio()
"""


def test_a_grader_in_python(client: OpenAI) -> None:
    alike: Any = {"type": "python", "name": "alike", "source": GRADE, "pass_threshold": 0.9}
    both: Any = {
        "type": "multi",
        "name": "both",
        "graders": {"own": {"type": "python", "name": "own", "source": GRADE}, "same": SAME},
        "calculate_output": "min(own, same)",
    }
    lines: Any = [
        {"item": {"question": "", "answer": "four"}, "sample": {"output_text": "four"}},
        {"item": {"question": "", "answer": "four"}, "sample": {"output_text": "five"}},
        {"item": {"question": "", "answer": "leave"}, "sample": {"output_text": "leave"}},
        {"item": {"question": "", "answer": "six"}, "sample": {"output_text": "six"}},
    ]
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[alike, both])
    run: Any = client.evals.runs.create(
        made.id, data_source={"type": "jsonl", "source": {"type": "file_content", "content": lines}}
    )
    run = until_ended(client, run)
    assert run.status == "completed"
    counts = run.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (4, 2, 1, 1)
    found = [[(one.type, one.score, one.passed) for one in item.results] for item in items_of(client, run)]
    assert found[0] == [("python", 1, True), ("multi", 1, True)]
    assert found[1] == [("python", 0.25, False), ("multi", 0, False)]
    assert found[3] == found[0]
    left: Any = items_of(client, run)[2]
    assert left.status == "error"
    assert left.results[0].sample["error"] == "SystemExit (line 6)"


@pytest.mark.parametrize(
    ("change", "param", "says"),
    [
        (
            {"source": "def grade(sample, item):\n  return ("},
            "testing_criteria[0].source",
            "line 2: '(' was never closed",
        ),
        ({"source": "def score(sample): return 1"}, "testing_criteria[0].source", "no `def grade(sample, item)`"),
        ({"image_tag": "2025-05-08"}, "testing_criteria[0].image_tag", "leave it out"),
    ],
)
def test_a_grader_in_python_that_cannot_be_run(
    client: OpenAI, change: dict[str, Any], param: str, says: str
) -> None:
    criterion: Any = {"type": "python", "name": "own", "source": GRADE, **change}
    with pytest.raises(openai.BadRequestError, match="400") as caught:
        client.evals.create(data_source_config=CUSTOM, testing_criteria=[criterion])
    assert caught.value.param == param
    assert says in str(caught.value)


def test_where_python_is_off_its_graders_are_refused_and_their_runs_fail(
    tmp_path: Path, upstream_of_models: Answering, opened: ExitStack
) -> None:
    criterion: Any = {"type": "python", "name": "own", "source": GRADE}
    lines: Any = {"type": "jsonl", "source": {"type": "file_content", "content": LINES}}
    with running_server(tmp_path, upstream_of_models.url, GAUGEWAY_PYTHON_EVALUATORS="true") as server:
        client = client_of(server, server.make_gateway("off"), opened)
        made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[criterion])
        server.stop()
        server.environment["GAUGEWAY_PYTHON_EVALUATORS"] = "false"
        server.start()
        run = until_ended(client, client.evals.runs.create(made.id, data_source=lines))
        assert run.status == "failed"
        assert "GAUGEWAY_PYTHON_EVALUATORS=true turns it on" in run.error.message
        with pytest.raises(openai.BadRequestError, match="GAUGEWAY_PYTHON_EVALUATORS"):
            client.evals.create(data_source_config=CUSTOM, testing_criteria=[criterion])


def as_lines(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_files_are_uploaded_listed_read_and_deleted(
    client: OpenAI, home: Server, tmp_path: Path, opened: ExitStack
) -> None:
    path = tmp_path / "sums é.jsonl"
    path.write_bytes(as_lines(LINES))
    with path.open("rb") as file:
        made = client.files.create(file=file, purpose="evals")
    assert (made.object, made.purpose, made.filename, made.status) == ("file", "evals", "sums é.jsonl", "processed")
    assert made.bytes == path.stat().st_size
    assert client.files.retrieve(made.id).to_dict() == made.to_dict()
    assert client.files.wait_for_processing(made.id).id == made.id
    assert client.files.content(made.id).read() == path.read_bytes()
    others = [client.files.create(file=(f"{at}", b"\x00\xff\r\n" * at), purpose="evals").id for at in (1, 2)]
    assert client.files.content(others[1]).read() == b"\x00\xff\r\n\x00\xff\r\n"
    assert [one.id for one in client.files.list()] == [*reversed(others), made.id]
    assert [one.id for one in client.files.list(order="asc", limit=1)] == [made.id, *others]
    assert [one.id for one in client.files.list(purpose="evals", limit=2)] == [*reversed(others), made.id]
    assert list(client.files.list(purpose="batch")) == []
    gone = client.files.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "file")
    for attempt in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match="there is no file"):
            attempt(made.id)
    elsewhere = client_of(home, home.make_gateway(f"evals-{next(_numbers)}"), opened)
    with pytest.raises(openai.NotFoundError):
        elsewhere.files.retrieve(others[0])
    assert list(elsewhere.files.list()) == []


def test_a_run_takes_its_items_from_a_file_and_keeps_them(client: OpenAI, home: Server) -> None:
    file = client.files.create(file=("sums.jsonl", b"\xef\xbb\xbf" + as_lines(LINES) + b"\n"), purpose="evals")
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    source: Any = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    run: Any = client.evals.runs.create(made.id, data_source=source)
    client.files.delete(file.id)
    run = until_ended(client, run)
    counts = run.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (3, 1, 1, 1)
    assert run.data_source.to_dict() == source
    assert [one.datasource_item["question"] for one in items_of(client, run)] == ["2+2", "3+3", "4+4"]
    again = client.files.create(file=("sums.jsonl", as_lines(LINES[2:])), purpose="evals")
    asking: Any = {
        "type": "completions",
        "model": "echo",
        "source": {"type": "file_id", "id": again.id},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.answer}}"}]},
        "sampling_params": {"max_completion_tokens": 50},
    }
    run = until_ended(client, client.evals.runs.create(made.id, data_source=asking))
    assert (run.status, run.result_counts.passed) == ("completed", 1)


@pytest.mark.parametrize(
    ("content", "param", "words"),
    [
        (b'{"item": {"question": "", "answer": ""}}\nnonsense', "data_source.source.id", "Line 2 is no JSON"),
        (b'{"item": {"a": NaN}}', "data_source.source.id", "Line 1 is no JSON"),
        (b"\xff\xfe", "data_source.source.id", "Line 1 is no JSON"),
        (b'{"a": ' * 60_000, "data_source.source.id", "Line 1 is"),
        (b"\n \n", "data_source.source.id", "no line in the file"),
        (b'{"item": {}} \n' * 10_001, "data_source.source.id", "At most 10000 items"),
        (b'{"question": ""}', "data_source.source.id[0].item", "Line 1 is no item"),
        (b'{"item": {"question": "", "answer": 4}}', "data_source.source.id[0].item.answer", "item_schema"),
    ],
)
def test_a_file_that_holds_no_items_is_refused_when_it_is_used(
    client: OpenAI, content: bytes, param: str, words: str
) -> None:
    file = client.files.create(file=("some.jsonl", content), purpose="evals")
    made = client.evals.create(data_source_config=CUSTOM, testing_criteria=[SAME])
    source: Any = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    with pytest.raises(openai.BadRequestError) as caught:
        client.evals.runs.create(made.id, data_source=source)
    assert caught.value.param == param
    assert words in caught.value.message
    assert list(client.evals.runs.list(made.id)) == []


def test_files_that_are_not_kept(client: OpenAI, home: Server, gateway: str) -> None:
    with pytest.raises(openai.BadRequestError, match="purpose=evals") as caught:
        client.files.create(file=("x", b"x"), purpose="batch")
    assert caught.value.param == "purpose"
    with pytest.raises(openai.BadRequestError, match="leave it out") as caught:
        client.files.create(
            file=("x", b"x"), purpose="evals", expires_after={"anchor": "created_at", "seconds": 3600}
        )
    assert str(caught.value.param).startswith("expires_after")
    with pytest.raises(openai.BadRequestError, match="is empty"):
        client.files.create(file=("x", b""), purpose="evals")
    with pytest.raises(openai.BadRequestError, match="Its name"):
        client.files.create(file=("x" * 257, b"x"), purpose="evals")
    with pytest.raises(openai.BadRequestError, match="at most 32 MiB"):
        client.files.create(file=("x", b"x" * (32 * 1024 * 1024 + 1)), purpose="evals")
    with pytest.raises(openai.APIStatusError) as too_large:
        client.files.create(file=("x", b"x" * (33 * 1024 * 1024)), purpose="evals")
    assert too_large.value.status_code == 413
    headers = {"authorization": f"Bearer {home.token}", "cf-aig-gateway-id": gateway}
    for body, kind in (
        (b'{"purpose": "evals"}', "application/json"),
        (b"purpose=evals&file=x", "application/x-www-form-urlencoded"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data"),
    ):
        answer = home.call("POST", "/v1/files", body, {**headers, "content-type": kind})
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error"), answer.body
    part = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
    twice = home.call(
        "POST", "/v1/files", part * 2 + b"--x--", {**headers, "content-type": "multipart/form-data; boundary=x"}
    )
    assert "there twice" in twice.json["error"]["message"]
    assert list(client.files.list()) == []
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").files.list()
