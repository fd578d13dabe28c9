"""Evaluators that look at each log: how many logs a second each takes, and what memory a run of many needs."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

import msgspec
from rich.console import Console

from bench.gateway import ACCOUNT, Gateway, manage, running_gateway
from bench.machine import memory_mb
from gaugeway.core import ids
from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Scope, Usage
from gaugeway.core.ports import Retention
from gaugeway.core.samples import ItemEvaluator, Work
from gaugeway.evaluation.evaluators import load as load_evaluators
from gaugeway.evaluation.scoring.marks import mark, sample_of
from gaugeway.stores import open_stores

ITEMS = 10_000
FIVE = ("exact_match", "levenshtein", "rouge", "pii", "toxicity")
"""Those that such a run has: three that compare with an expected answer, and two that search."""
TIMED_S = 0.5
"""Seconds for which each evaluator is timed."""
TEXT = (
    "the of and to in is that it was for on are as with they be at one have this from by hot but what some we can"
    " out other were all your when up use word how said an each she which do their time if will way about many then"
    " them write would like so these her long make thing see him two has look more day could go come did my number"
)
WORDS = TEXT.split()
SCOPE = Scope(ACCOUNT, "bench")


def measure(console: Console, folder: Path) -> None:
    """Print logs a second for each evaluator, then time and memory of one evaluation of five over 10,000 logs."""
    logs = list(_logs(ITEMS))
    console.print(f"Logs a second on one core, an answer of some {len(_answer(random.Random(0)))} characters:")
    for name, rate in sorted(_rates(logs), key=lambda pair: -pair[1]):
        console.print(f"  {name:18} {rate:9,.0f}")
    with running_gateway(folder / "data", "http://127.0.0.1:9") as gateway:
        with closing(open_stores(folder / "data")) as stores:
            for start in range(0, len(logs), 500):
                stores.logs.append(logs[start : start + 500], lambda _: Retention(None, None))
        sleep(2)
        before, _ = memory_mb(gateway.pids)
        with _watched(gateway) as most:
            seconds, evaluation = _evaluate(gateway)
    results = evaluation["results"]
    scored = [result["total_logs"] for result in results]
    if scored != [ITEMS] * len(FIVE):
        raise SystemExit(f"not every log was scored: {results}")
    console.print(
        f"{ITEMS:,} logs by {len(FIVE)} evaluators ({', '.join(FIVE)}): {seconds:.1f} s;"
        f" RSS of all processes {before:.0f} MB before, {most[0]:.0f} MB at most"
    )


def _answer(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=120)).capitalize() + "."


def _logs(count: int) -> Iterator[Logged]:
    """Chats of which each has an answer and an expected one that is much like it."""
    new_id = ids.Uuid7(time.time_ns, os.urandom)
    for number in range(count):
        chance = random.Random(number)
        answer = _answer(chance)
        expected = answer if number % 3 == 0 else answer.replace(" the ", " a ")
        record = LogRecord(
            account_id=SCOPE.account_id,
            gateway_id=SCOPE.gateway_id,
            id=new_id(),
            provider="openai",
            model="gpt-4o-mini",
            model_type="chat",
            path="chat/completions",
            outcome=Outcome.SUCCESS,
            status_code=200,
            duration=250,
            request_content_type="application/json",
            response_content_type="application/json",
            usage=Usage(tokens_in=40, tokens_out=150),
            metadata={"expected": expected},
        )
        asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": _answer(chance)}]}
        message = {"role": "assistant", "content": answer}
        told = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        yield Logged(record, Bodies(request=msgspec.json.encode(asked), response=msgspec.json.encode(told)))


def _rates(logs: Sequence[Logged]) -> Iterator[tuple[str, float]]:
    """Of those that need no parameters: reading the conversation out of the bodies is counted by itself."""
    works = [Work(one.record, one.bodies, None, ()) for one in logs[:1000]]
    began = perf_counter()
    samples = [sample_of(work, reads_bodies=True) for work in works]
    yield "(reading the logs)", len(works) / (perf_counter() - began)
    for evaluator in load_evaluators():
        if not isinstance(evaluator, ItemEvaluator) or evaluator.needs_parameters or evaluator.type == "judge":
            continue
        scorer = evaluator.configured({})
        mark(scorer, samples[0])  # which loads what it needs
        done, began = 0, perf_counter()
        while perf_counter() - began < TIMED_S:
            mark(scorer, samples[done % len(samples)])
            done += 1
        yield evaluator.id, done / (perf_counter() - began)


@contextmanager
def _watched(gateway: Gateway) -> Iterator[list[float]]:
    """The highest RSS that was seen, of the gateway's processes together, in MB."""
    most, over = [0.0], Event()

    def watch() -> None:
        while not over.wait(0.05):
            most[0] = max(most[0], memory_mb(gateway.pids)[0])

    thread = Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _evaluate(gateway: Gateway) -> tuple[float, dict[str, Any]]:
    """Seconds from the creation to the last result."""
    here = "/gateways/bench"
    dataset: Any = manage(gateway.url, "POST", f"{here}/datasets", {"name": "all", "enable": True, "filters": []})
    body = {"name": "five", "dataset_ids": [dataset["result"]["id"]], "evaluation_type_ids": list(FIVE)}
    began = perf_counter()
    made: Any = manage(gateway.url, "POST", f"{here}/evaluations", body)
    while not made["result"]["processed"]:
        sleep(0.2)
        made = manage(gateway.url, "GET", f"{here}/evaluations/{made['result']['id']}")
    return perf_counter() - began, made["result"]
