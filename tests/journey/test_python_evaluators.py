"""Users' own Python through a real server: figures, hostile programs beside good ones, off again, and kill -9."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gaugeway.evaluation.sandbox.sandbox import OFF
from support.judging_upstream import JudgingUpstream
from support.server import Server, running_server
from support.upstream import running_upstream

ON = {"GAUGEWAY_PRIVATE_UPSTREAMS": "127.0.0.1", "GAUGEWAY_PYTHON_EVALUATORS": "true"}
_numbers = count(1)

WORDS = """
def score(sample):
    if sample["answer"] == "skip":
        return {"score": None, "reason": "nothing to count"}
    if sample["answer"] == "fail":
        raise ValueError(sample["provider"] + " " + sample["model"])
    return len(sample["answer"].split())
"""
POLITE = """
import re

def score(sample):
    assert sample["messages"][-1]["role"] == "user" and sample["success"] and sample["status_code"] == 200
    return {"score": bool(re.search("please|thank", sample["answer"])), "reason": sample["answer"].upper()}
"""
THIEF = """
import os, sys
ctypes = sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)

def tried(name, call):
    try:
        return f"{name}: {call()}"
    except OSError as problem:
        return f"{name}: {type(problem).__name__}"

def score(sample):
    def connect():
        found = libc.socket(2, 1, 0)
        address = (2).to_bytes(2, "little") + (PORT).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
        if libc.connect(found, address, 16):
            raise OSError(ctypes.get_errno(), "connect")
        return "connected"
    found = [
        tried("key", lambda: open("DATA/master.key", "rb").read()),
        tried("state", lambda: os.listdir("DATA")),
        tried("server", lambda: open(f"/proc/{os.getppid()}/environ").read()),
        tried("port", connect),
        tried("kill", lambda: os.kill(SERVER, 9)),
        str(dict(os.environ)),
    ]
    return {"score": 1, "reason": ", ".join(found)}
"""
ABYSS = "def score(sample):\n    while True: pass"


@pytest.fixture(scope="module")
def answering() -> Iterator[JudgingUpstream]:
    with running_upstream(JudgingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory, answering: JudgingUpstream) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("python"), answering.url, **ON) as running:
        yield running


class Case:
    """A gateway with answers, and one evaluation over them."""

    def __init__(self, server: Server, *answers: str) -> None:
        self.server = server
        self.gateway = server.make_gateway(f"python-{next(_numbers)}")
        for answer in answers:
            assert server.chat(self.gateway, f"says:{answer}").status == 200
        body = {"name": "all", "enable": True, "filters": []}
        self.dataset = server.manage("POST", f"/gateways/{self.gateway}/datasets", body)["id"]
        self.path = ""

    def type_of(self, source: str, **more: str) -> str:
        """The id of a new evaluation type."""
        parameters = {"source": source, "figure": "mean", "unit": "words", "direction": "higher", **more}
        body = {"name": f"t{next(_numbers)}", "evaluator_id": "python", "parameters": parameters}
        return self.server.manage("POST", "/evaluation-types", body)["id"]

    def start(self, *types: str) -> None:
        body = {"name": f"e{next(_numbers)}", "dataset_ids": [self.dataset], "evaluation_type_ids": list(types)}
        made = self.server.manage("POST", f"/gateways/{self.gateway}/evaluations", body)
        self.path = f"/gateways/{self.gateway}/evaluations/{made['id']}"

    def results(self) -> list[dict[str, Any]]:
        """When all of them are final."""
        until(lambda: self.server.manage("GET", self.path)["processed"])
        return self.server.manage("GET", self.path)["results"]

    def items(self, type_id: str) -> list[tuple[str, float | None, str]]:
        query = f"per_page=100&evaluation_type_id={type_id}&order_by=created_at"
        found = self.server.manage("GET", f"{self.path}/items?{query}")
        return [(item["status"], item["score"], item["note"]) for item in found]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; the test's own timeout is the limit."""
    while not condition():
        time.sleep(0.05)


def test_its_figures_stand_beside_all_others(on: Server) -> None:
    case = Case(on, "one two", "skip", "fail", "thank you all")
    words = case.type_of(WORDS, direction="lower")
    polite = case.type_of(POLITE, figure="share", unit="%")
    case.start("length", words, "speed", polite)
    length, mean, speed, share = case.results()
    assert [one["total_logs"] for one in (length, speed)] == [4, 4]
    assert (mean["result"], mean["unit"], mean["direction"], mean["total_logs"]) == ("2.5", "words", "lower", 2)
    assert (mean["skipped"], mean["failed"], mean["status"]) == (1, 1, 2)
    assert (share["result"], share["unit"], share["direction"], share["total_logs"]) == ("25", "%", "higher", 4)
    assert case.items(words) == [
        ("scored", 2.0, ""),
        ("skipped", None, "nothing to count"),
        ("failed", None, "ValueError: openai says:fail (line 6)"),
        ("scored", 3.0, ""),
    ]
    assert [(score, note) for _, score, note in case.items(polite)] == [
        (0.0, "ONE TWO"),
        (0.0, "SKIP"),
        (0.0, "FAIL"),
        (100.0, "THANK YOU ALL"),
    ]


def test_the_wrong_kind_of_score_is_told(on: Server) -> None:
    case = Case(on, "a")
    number = case.type_of("def score(sample): return 0.5", figure="share", unit="")
    yes = case.type_of("def score(sample): return True")
    case.start(number, yes)
    assert [(one["status"], one["failed"], one["result"]) for one in case.results()] == [(4, 1, "")] * 2
    assert case.items(number) == [("failed", None, "score() returned 0.5: for a share it has to be True or False")]
    assert case.items(yes) == [("failed", None, "score() returned True: for a mean it has to be a number")]


def test_a_thief_gets_nothing_and_an_abyss_costs_its_own_items_only(on: Server) -> None:
    case = Case(on, "a", "b")
    assert on.process is not None
    source = THIEF.replace("PORT", str(on.port)).replace("DATA", str(on.data))
    thief = case.type_of(source.replace("SERVER", str(on.process.pid)))
    abyss, good = case.type_of(ABYSS), case.type_of("def score(sample): return 7")
    assert (on.data / "master.key").exists() or (on.data / "state.db").exists()
    case.start(thief, abyss, good)
    stolen, endless, fine = case.results()
    refused = ", ".join(f"{name}: PermissionError" for name in ("key", "state", "server", "port", "kill"))
    assert [note.partition(", {")[0] for _, _, note in case.items(thief)] == [refused] * 2
    assert "GAUGEWAY" not in case.items(thief)[0][2]
    assert (stolen["result"], fine["result"], endless["failed"]) == ("1", "7", 2)
    assert all(note in TAKES_TOO_LONG for _, _, note in case.items(abyss))
    assert on.call("GET", "/readyz").status == 200


TAKES_TOO_LONG = ("it took longer than 5 s", "it used more than 5 s of the processor")


def test_killed_and_started_without_it_what_was_queued_fails_by_that_reason(
    tmp_path: Path, answering: JudgingUpstream
) -> None:
    with running_server(tmp_path, answering.url, **ON) as server:
        case = Case(server, *"abcd")
        case.start(case.type_of("import time\ndef score(sample): time.sleep(4)"), "speed")
        until(lambda: bool(keepers_below(server)))
        [keeper] = keepers_below(server)
        assert server.process is not None
        os.kill(server.process.pid, 9)  # only the server: what it leaves behind has to end by itself
        server.process.wait()
        until(lambda: not Path(f"/proc/{keeper}").exists())
        server.environment["GAUGEWAY_PYTHON_EVALUATORS"] = "false"
        server.start()
        own, speed = case.results()
        assert (own["status"], own["status_description"], own["result"]) == (4, f"failed: {OFF}", "")
        assert speed["status"] == 2
        server.stop()


def keepers_below(server: Server) -> list[int]:
    """The sandbox's processes that this server's process started."""
    assert server.process is not None
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status, line = (entry / "stat").read_text(), (entry / "cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if "keeper.main()" in line and int(status.rpartition(")")[2].split()[1]) == server.process.pid:
                found.append(int(entry.name))
    return found


def test_the_server_says_at_its_start_what_shuts_it_in(on: Server) -> None:
    assert "Python that users write is run by this server, shut in by: a seccomp filter, limits" in on.output
