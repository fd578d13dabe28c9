"""Datasets frozen, evaluated after their logs are gone, exported, imported and erased, through the real server."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.snapshot_hashes import item_hash, snapshot_hash
from support.command_line import Ran, command
from support.server import Server

ALICE = {"cf-aig-metadata": '{"user": "alice"}', "cf-aig-custom-cost": '{"total_cost": 0.5}'}
BOB = {"cf-aig-metadata": '{"user": "bob"}', "cf-aig-custom-cost": '{"total_cost": 1.5}'}


class Bench:
    """A gateway with a dataset, and the requests that its snapshots take."""

    def __init__(self, server: Server, gateway: str) -> None:
        self.server = server
        self.gateway = gateway
        self.dataset = self.manage("POST", "/datasets", {"name": "all", "enable": True, "filters": []})
        self.path = f"/datasets/{self.dataset['id']}/snapshots"

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.manage(method, f"/gateways/{self.gateway}{path}", body)

    def freeze(self, name: str, **recipe: Any) -> dict[str, Any]:
        made = self.manage("POST", self.path, {"name": name, **recipe})
        return self.until(f"{self.path}/{made['id']}", lambda now: now["status"] in ("ready", "failed"))

    def until(self, path: str, ended) -> dict[str, Any]:
        end = time.monotonic() + 90
        while not ended(now := self.manage("GET", path)):
            assert time.monotonic() < end, now
            time.sleep(0.05)
        return now

    def evaluate(self, snapshot: dict[str, Any], name: str, *types: str) -> dict[str, Any]:
        wanted = {"name": name, "dataset_ids": [snapshot["id"]], "evaluation_type_ids": list(types)}
        made = self.manage("POST", "/evaluations", wanted)
        return self.until(f"/evaluations/{made['id']}", lambda now: now["processed"])

    def refused(self, path: str, body: Any) -> list[Any]:
        """Where a POST was wrong."""
        base = f"/client/v4/accounts/{self.server.account_id}/ai-gateway/gateways/{self.gateway}"
        answer = self.server.call("POST", base + path, body)
        assert answer.status == 400, answer.body
        return answer.json["errors"][0]["path"]

    def export(self, snapshot: dict[str, Any], form: str) -> list[dict[str, Any]]:
        base = f"/client/v4/accounts/{self.server.account_id}/ai-gateway/gateways/{self.gateway}{self.path}"
        lines: list[dict[str, Any]] = []
        after = ""
        while True:
            answer = self.server.call("GET", f"{base}/{snapshot['id']}/export?format={form}&limit=2{after}")
            assert answer.status == 200, answer.body
            lines += [json.loads(line) for line in answer.body.splitlines()]
            if "gaugeway-next" not in answer.headers:
                return lines
            after = f"&after={answer.headers['gaugeway-next']}"


@pytest.fixture
def bench(server: Server, gateway: str) -> Bench:
    made = Bench(server, gateway)
    for number in range(4):
        question = [{"role": "user", "content": f"Question {number}, from ada@example.com"}]
        assert server.chat(gateway, headers=ALICE if number < 2 else BOB, messages=question).status == 200
    assert server.chat(gateway, headers=BOB, messages=question).status == 200, "the last one twice"
    return made


def test_a_snapshot_outlives_its_logs_and_is_evaluated(bench: Bench) -> None:
    snapshot = bench.freeze("first", deduplicate=True, redact=[{"kind": "email"}])
    assert (snapshot["status"], snapshot["items"], snapshot["tally"]["duplicates"]) == ("ready", 4, 1)
    assert snapshot["tally"]["redacted"] == 4
    path = f"{bench.path}/{snapshot['id']}"
    items = bench.manage("GET", f"{path}/items?limit=10")
    ids = [item["log_id"] for item in items]
    detail = bench.manage("GET", f"{path}/items/{ids[0]}")
    assert "Question 0, from [email]" in detail["log"]["request_head"]
    answered = json.loads(detail["log"]["response_head"])["choices"][0]["message"]["content"]

    given = [{"log_id": ids[0], "expected": answered}, {"log_id": ids[1], "expected": "something else"}]
    given += [{"log_id": ids[2], "from_log_id": ids[3]}]
    expecting = bench.manage("PUT", f"{path}/expected", {"answers": given})
    assert (expecting["expected"], expecting["expected_version"]) == (3, 1)
    bench.manage("DELETE", "/logs")
    assert bench.manage("GET", "/logs") == []

    done = bench.evaluate(snapshot, "over the snapshot", "cost", "error_rate", "exact_match")
    cost, errors, match = done["results"]
    assert (cost["result"], cost["total_logs"]) == ("1", 4)
    assert errors["result"] == "0"
    assert (match["total_logs"], match["skipped"], match["failed"]) == (3, 1, 0)
    assert float(match["result"]) == pytest.approx(200 / 3)
    assert done["snapshot"]["hash"] == snapshot["hash"]
    assert done["snapshot"]["expected_hash"] == expecting["expected_hash"]
    skipped = bench.manage("GET", f"/evaluations/{done['id']}/items?status=skipped")
    assert "no expected answer" in skipped[0]["note"]
    assert not skipped[0]["log_deleted"]

    erased = bench.manage("POST", f"{path}/erase", {"metadata": {"user": "alice"}})
    assert (erased["newly_erased"], erased["erased"], erased["hash"]) == (2, 2, snapshot["hash"])
    lines = bench.export(snapshot, "plain")
    assert [line.get("erased", False) for line in lines] == [True, True, False, False]
    assert snapshot_hash(line["hash"] for line in lines) == snapshot["hash"]
    assert all(item_hash(line["content"]) == line["hash"] for line in lines[2:])
    again = bench.evaluate(snapshot, "with holes", "cost")
    assert again["results"][0]["result"] == "1.5"
    assert "2 erased items" in again["results"][0]["status_description"]
    groups = bench.manage("GET", f"/evaluations/{again['id']}/breakdown?by=metadata.user")
    assert [part["group"] for part in groups["groups"]] == ["bob"]

    bench.manage("DELETE", path)
    wanted = {"name": "too late", "dataset_ids": [snapshot["id"]], "evaluation_type_ids": ["cost"]}
    assert bench.refused("/evaluations", wanted) == ["body", "dataset_ids", 0]


def test_what_is_exported_can_be_imported(bench: Bench) -> None:
    snapshot = bench.freeze("source", sample={"size": 3, "seed": 5})
    assert (snapshot["items"], snapshot["tally"]["not_sampled"]) == (3, 2)
    path = f"{bench.path}/{snapshot['id']}"
    first = bench.manage("GET", f"{path}/items")[0]["log_id"]
    bench.manage("PUT", f"{path}/expected", {"answers": [{"log_id": first, "expected": "yes"}]})

    copy = bench.manage("POST", bench.path, {"name": "copy", "import_format": "plain"})
    target = f"{bench.path}/{copy['id']}"
    bench.manage("POST", f"{target}/items", {"items": bench.export(snapshot, "plain")})
    sealed = bench.manage("POST", f"{target}/seal")
    assert (sealed["status"], sealed["hash"], sealed["expected"]) == ("ready", snapshot["hash"], 1)
    assert bench.evaluate(sealed, "over the copy", "cost")["results"][0]["total_logs"] == 3

    evals = bench.export(snapshot, "evals")
    assert [line["ideal"] for line in evals] == ["yes"]
    chats = bench.export(snapshot, "chat")
    assert [line["messages"][0]["role"] for line in chats] == ["user"] * 3
    assert chats[0]["messages"][-1] == {"role": "assistant", "content": "yes"}
    asked = bench.manage("POST", bench.path, {"name": "asked", "import_format": "chat"})
    bench.manage("POST", f"{bench.path}/{asked['id']}/items", {"items": chats})
    ready = bench.manage("POST", f"{bench.path}/{asked['id']}/seal")
    assert (ready["items"], ready["expected"]) == (3, 3)
    wanted = {"name": "no columns", "dataset_ids": [ready["id"]], "evaluation_type_ids": ["cost"]}
    assert bench.refused("/evaluations", wanted) == ["body", "evaluation_type_ids", 0]


def test_groups_and_texts_freeze_and_find_frozen_logs(bench: Bench) -> None:
    server, here = bench.server, ("--gateway", bench.gateway)
    group = (
        '{"any_of": ["request_body~QUESTION 0", {"none_of": ["request_body~question 3", "metadata.user=alice"]}]}'
    )
    made = dataset(server, "create", "some", "--filter", group, *here)
    assert made.code == 0, made.err
    assert "(request_body contains QUESTION 0 or not (" in dataset(server, "list", *here).out
    assert dataset(server, "snapshot", "some", "frozen", *here).code == 0
    (some,) = [one for one in bench.manage("GET", "/datasets") if one["name"] == "some"]
    (frozen,) = bench.manage("GET", f"/datasets/{some['id']}/snapshots")
    assert frozen["items"] == 2, "questions 0 and 2"
    bench.manage("DELETE", "/logs")
    evaluation = bench.evaluate(frozen, "of frozen ones", "cost")
    assert evaluation["total_logs"] == 2
    asks = {"key": "request_body", "operator": "contains", "value": ["question 2,"]}
    sides = [
        {"label": label, "evaluation_id": evaluation["id"], "filters": [{join: [asks]}]}
        for label, join in (("two", "any_of"), ("other", "none_of"))
    ]
    compared = bench.manage("POST", "/comparisons", {"sides": sides, "evaluation_type_ids": ["cost"]})
    assert [side["total_logs"] for side in compared["sides"]] == [1, 1]


def dataset(server: Server, *arguments: str) -> Ran:
    connection = ("--base-url", server.base_url, "--token", server.token, "--account", server.account_id)
    return command("dataset", *arguments, *connection)


def test_the_command_line(bench: Bench, tmp_path: Path) -> None:
    server, here = bench.server, ("--gateway", bench.gateway)
    assert dataset(server, "create", "bob", "--filter", "metadata.user=bob", *here).code == 0
    made = dataset(server, "snapshot", "bob", "s1", "--deduplicate", "--redact", "email", *here)
    assert made.code == 0, made.err
    assert "ready" in made.out
    assert "1 duplicates" in made.err
    listed = dataset(server, "list", *here)
    assert ["s1" in line for line in listed.out.splitlines() if line.startswith("bob")] == [True]
    target = tmp_path / "out.jsonl"
    exported = dataset(server, "export", "bob", "s1", str(target), *here)
    assert (exported.code, exported.err) == (0, "2 items, every hash is right\n")
    again = dataset(server, "export", "bob", "s1", str(target), *here)
    assert (again.code, "File exists" in again.err) == (2, True)
    copied = json.loads(dataset(server, "import", "new", "copy", str(target), "--json", *here).out)
    assert copied["hash"] == json.loads(dataset(server, "list", "--json", *here).out)[1]["snapshots"][0]["hash"]
    evaluated = command(
        *("evaluate", "--dataset", "new@copy", "--evaluator", "cost", "--json", *here),
        *("--base-url", server.base_url, "--token", server.token, "--account", server.account_id),
    )
    assert json.loads(evaluated.out)["results"][0]["result"] == "1.5", evaluated.err
    columns = tmp_path / "out.parquet"
    exported = dataset(server, "export", "bob", "s1", str(columns), "--format", "parquet", *here)
    assert (exported.code, exported.err) == (0, "2 items, every hash is right\n")
    typed = dataset(server, "import", "new", "typed", str(columns), "--format", "parquet", "--json", *here)
    assert json.loads(typed.out)["hash"] == copied["hash"], typed.err
    for arguments in (("import", "new", "none", str(target)), ("export", "bob", "s1", "-")):
        refused = dataset(server, *arguments, "--format", "parquet", *here)
        assert refused.code == 2
    assert "none" not in dataset(server, "list", *here).out
    broken = tmp_path / "broken.jsonl"
    broken.write_text(target.read_text().replace("Question 2", "Question 9"))
    refused = dataset(server, "import", "new", "broken", str(broken), *here)
    assert refused.code == 2
    assert "is not what this hash was computed of" in refused.err
    assert "broken" not in dataset(server, "list", *here).out
    for wrong in (("export", "bob", "s2", "-"), ("snapshot", "nobody", "x"), ("import", "a", "b", "/nowhere")):
        assert dataset(server, *wrong, *here).code == 2
    assert [each["name"] for each in bench.manage("GET", "/datasets")] == ["new", "bob", "all"]
