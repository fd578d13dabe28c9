"""`gaugeway evaluate` against a server that plays each turn a management API can take."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from support.command_line import Ran, command

ACCOUNT = "a" * 32
TYPES = [
    {"id": "cost", "name": "Cost", "type": "aggregate", "enable": True, "unit": "USD"},
    {"id": "speed", "name": "Speed", "type": "aggregate", "enable": True, "unit": "ms"},
    {"id": "old", "name": "Old", "type": "aggregate", "enable": False, "unit": ""},
]


class Api(ThreadingHTTPServer):
    """A management API of one gateway `g`, whose evaluations end as the test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.datasets: dict[str, Any] = {"d1": {"id": "d1", "name": "mine", "filters": []}}
        self.asked: list[tuple[str, str, Any]] = []
        self.final: list[dict[str, Any]] = [_result("cost", "0.5", 2), _result("speed", "123.456789", 2)]
        self.polls = 1  # GETs of the evaluation before it is processed
        self.refuse: dict[str, tuple[int, Any]] = {}  # by method and path: status and answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/client/v4"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away


def _result(kind: str, value: str, status: int) -> dict[str, Any]:
    return {
        "evaluation_type_id": kind,
        "result": value,
        "status": status,
        "status_description": "as told",
        "total_logs": 3,
        "skipped": 2,
        "failed": 0,
    }


class _Answering(BaseHTTPRequestHandler):
    server: Api

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(None)

    def do_DELETE(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: Any) -> None:
        api = self.server
        path = self.path.removeprefix(f"/client/v4/accounts/{ACCOUNT}/ai-gateway").partition("?")[0]
        api.asked.append((self.command, path, body))
        status, answer = api.refuse.get(f"{self.command} {path}", (200, None))
        if answer is None:
            answer = {"success": True, "errors": [], "result": self._result(path, body)}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, path: str, body: Any) -> Any:
        api = self.server
        page = int(self.path.partition("page=")[2].partition("&")[0] or 1)
        if path == "/evaluation-types":
            return TYPES if page == 1 else []
        if path == "/gateways/g/datasets" and self.command == "GET":
            return list(api.datasets.values()) if page == 1 else []
        if path == "/gateways/g/datasets":
            api.datasets["new"] = {**body, "id": "new"}
            return api.datasets["new"]
        if path.startswith("/gateways/g/datasets/"):
            return api.datasets.pop(path.rpartition("/")[2])
        if self.command == "GET":
            api.polls -= 1
        done = api.polls <= 0
        results = api.final if done else [{**result, "status": 1} for result in api.final]
        return {"id": "e1", "name": "n", "processed": done, "total_logs": 5, "results": results}


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def evaluate(api: Api, *arguments: str) -> Ran:
    return command(
        "evaluate", "--gateway", "g", *arguments, GAUGEWAY_API_TOKEN="t" * 40, CLOUDFLARE_ACCOUNT_ID=ACCOUNT,
        GAUGEWAY_BASE_URL=api.url,
    )  # fmt: skip


def test_filters_make_a_dataset_that_is_gone_afterwards(api: Api) -> None:
    ran = evaluate(api, "--filter", "provider=openai", "--filter", "cost>0.01", "--name", "nightly")
    assert ran.code == 0, ran.err
    (dataset,) = [body for method, path, body in api.asked if (method, path) == ("POST", "/gateways/g/datasets")]
    assert dataset["filters"] == [
        {"key": "provider", "operator": "eq", "value": ["openai"]},
        {"key": "cost", "operator": "gt", "value": [0.01]},
    ]
    (evaluation,) = [body for method, path, body in api.asked if path.endswith("/evaluations") and method == "POST"]
    assert evaluation == {"name": "nightly", "dataset_ids": ["new"], "evaluation_type_ids": ["cost", "speed"]}
    assert list(api.datasets) == ["d1"]


def test_the_table_says_what_each_number_was_computed_from(api: Api) -> None:
    ran = evaluate(api)
    lines = [line.split() for line in ran.out.splitlines()]
    assert " ".join(lines[1]) == "evaluator value unit 95 % interval from logs skipped failed status"
    assert lines[2] == ["Cost", "0.5", "USD", "-", "3", "of", "5", "2", "0", "as", "told"]
    assert lines[3] == ["Speed", "≈123.457", "ms", "-", "3", "of", "5", "2", "0", "as", "told"]


def test_the_table_has_intervals_and_says_why_there_is_none(api: Api) -> None:
    api.final[0] |= {"low": "0.25", "high": "0.875", "interval_note": None}
    api.final[1] |= {"low": None, "high": None, "interval_note": "there is one log only"}
    lines = evaluate(api).out.splitlines()
    assert "0.25 … 0.875" in lines[2]
    assert lines[4] == "Speed: no interval: there is one log only"


def test_json_is_the_evaluation_and_nothing_else(api: Api) -> None:
    ran = evaluate(api, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["results"] == api.final


def test_saved_datasets_and_evaluators_by_name_or_id(api: Api) -> None:
    ran = evaluate(api, "--dataset", "mine", "--evaluator", "Speed", "--evaluator", "speed")
    assert ran.code == 0, ran.err
    (evaluation,) = [body for method, path, body in api.asked if method == "POST"]
    assert evaluation["dataset_ids"] == ["d1"]
    assert evaluation["evaluation_type_ids"] == ["speed"]
    assert list(api.datasets) == ["d1"]


@pytest.mark.parametrize("status", [4, 5])
def test_a_failed_result_is_exit_code_1_and_still_shown(api: Api, status: int) -> None:
    api.final = [_result("cost", "", status), _result("speed", "9", 2)]
    ran = evaluate(api)
    assert ran.code == 1
    assert [line.split()[:3] for line in ran.out.splitlines()[2:]] == [["Cost", "-", "USD"], ["Speed", "9", "ms"]]


def test_no_usable_logs_is_no_failure(api: Api) -> None:
    api.final = [_result("cost", "", 3)]
    assert evaluate(api).code == 0


def test_results_that_do_not_come_in_time(api: Api) -> None:
    api.polls = 10**9
    ran = evaluate(api, "--timeout", "1")
    assert (ran.code, ran.out) == (1, "")
    assert "it has not ended after 1 s" in ran.err
    assert (
        f"goes on in the server: GET {api.url}/accounts/{ACCOUNT}/ai-gateway/gateways/g/evaluations/e1" in ran.err
    )
    assert list(api.datasets) == ["d1"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--dataset", "nosuch"], "there is no dataset 'nosuch' in this gateway; there is: 'mine'"),
        (["--dataset", "mine", "--filter", "cost>1"], "cannot be joined"),
        (["--evaluator", "nosuch"], "there is no evaluator 'nosuch' here; there is: cost, speed"),
        (["--evaluator", "old"], "there is no evaluator 'old'"),
        (["--filter", "provider"], "expected KEY OPERATOR VALUE"),
        (["--dataset", "mine"] * 6, "at most 5, not 6"),
        (["--token", ""], "--token is missing"),
        (["--account", ""], "--account is missing"),
        (["--base-url", "ftp://x"], "--base-url: expected http://HOST:PORT/client/v4"),
        (["--base-url", "http://user:pw@x/client/v4"], "--base-url: expected"),
        (["--base-url", "http://x:port/client/v4"], "--base-url"),
        (["--base-url", "http://127.0.0.1:9/client/v4"], "is `gaugeway serve` running there?"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(api: Api, arguments: list[str], reason: str) -> None:
    ran = evaluate(api, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    assert len(ran.err.splitlines()) == 1
    assert [method for method, _, _ in api.asked if method != "GET"] == []


def test_the_server_s_refusal_is_repeated_and_the_dataset_removed(api: Api) -> None:
    error = {"code": 7001, "message": "taken", "path": ["body", "name"]}
    api.refuse["POST /gateways/g/evaluations"] = (400, {"success": False, "errors": [error], "result": {}})
    ran = evaluate(api)
    assert (ran.code, ran.out) == (2, "")
    assert "taken (at body.name) [7001]" in ran.err
    assert list(api.datasets) == ["d1"]


def test_a_bad_token_is_told_as_one(api: Api) -> None:
    error = {"code": 10000, "message": "Authentication error"}
    api.refuse["GET /evaluation-types"] = (403, {"success": False, "errors": [error]})
    ran = evaluate(api)
    assert ran.code == 2
    assert "Authentication error [10000]" in ran.err
    assert "Check --token" in ran.err
    assert "ttttt" not in ran.err


def test_an_address_that_the_server_does_not_know_is_told_as_one(api: Api) -> None:
    error = {"code": 7003, "message": "Could not route to /accounts/…"}
    api.refuse["GET /evaluation-types"] = (404, {"success": False, "errors": [error]})
    ran = evaluate(api)
    assert ran.code == 2
    assert "Check --base-url (it ends in /client/v4) and --account" in ran.err


def test_something_else_answers_there(api: Api) -> None:
    api.refuse["GET /evaluation-types"] = (200, b"<html>hello</html>")
    ran = evaluate(api)
    assert ran.code == 2
    assert "no management API envelope" in ran.err


def test_a_dataset_that_cannot_be_deleted_is_said(api: Api) -> None:
    refusal = {"success": False, "errors": [{"code": 1, "message": "busy"}]}
    api.refuse["DELETE /gateways/g/datasets/new"] = (500, refusal)
    ran = evaluate(api)
    assert ran.code == 0
    assert "(new) is still there" in ran.err
    assert "busy" in ran.err


def test_a_server_that_goes_away_while_we_wait(api: Api) -> None:
    api.refuse["GET /gateways/g/evaluations/e1"] = (200, b"")
    api.polls = 5
    ran = evaluate(api)
    assert (ran.code, ran.out) == (1, "")
    assert "goes on in the server" in ran.err


def test_an_answer_that_says_nothing_to_the_creation_is_said(api: Api) -> None:
    api.refuse["POST /gateways/g/evaluations"] = (502, b"bad gateway")
    ran = evaluate(api, "--name", "nightly")
    assert ran.code == 1
    assert "the evaluation 'nightly' may be there now" in ran.err
    assert list(api.datasets) == ["d1"]
