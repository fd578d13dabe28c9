"""A data folder with a week of traffic in it: what the dashboard's pages are looked at with."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from gaugeway.core import ids
from gaugeway.core.model import Attempt, Bodies, Gateway, Logged, LogRecord, Outcome, Scope, Usage
from gaugeway.core.ports import Retention
from gaugeway.stores import open_stores
from support.scene_upstream import ShopUpstream
from support.server import ACCOUNT, Server, new_server
from support.upstream import running_upstream
from support.watched_week import a_monitor, watch_past
from support.webhook_receiver import SECRET, Receiver, receiving

GATEWAY = "support-bot"
LABORATORY = f"{GATEWAY}-lab"
"""The gateway that replays and judges go through."""
ADVICE = "product-advice"
"""The gateway whose requests are shadowed while they come."""
ASKED = 60
DAYS = 7
DROP_MS = 26 * 3_600_000
"""For so long people have liked answers less."""
QUIET, BUSY = 4, 40  # logs an hour, by night and by day

_MODELS = (
    ("openai", "gpt-5-mini", 0.00000025, 0.000002, 900),
    ("openai", "gpt-5", 0.00000125, 0.00001, 2600),
    ("anthropic", "claude-sonnet-4-5", 0.000003, 0.000015, 1900),
    ("groq", "llama-3.3-70b-versatile", 0.00000059, 0.00000079, 420),
    ("custom-house-model", "house-7b", None, None, 700),
)
_TALKS = (
    (
        "parcel",
        "My parcel has not come. What can I do?",
        "I am sorry to hear that. Your parcel left the depot this morning, and should be with you by tonight.",
        "I am sorry about the delay. Your parcel left the depot this morning; it should be with you tomorrow.",
    ),
    (
        "address",
        "How do I change my address?",
        "Open *Account*, then *Addresses*. The change counts for orders from today on.",
        "Under *Account*, open *Addresses*. The change counts for new orders only.",
    ),
    (
        "returns",
        "Can I return opened shoes?",
        "Yes, within 30 days, if they were worn indoors only.",
        "Yes, within 30 days of delivery, as long as they were only worn indoors. Please keep the box.",
    ),
    (
        "norway",
        "Do you ship to Norway?",
        "We do. It takes four to six working days and costs 9 euros.",
        "Yes, we do. It takes five to seven working days, and costs 9 euros.",
    ),
)
"""What it is about, the question, an answer, and how the models of another provider put it."""


@contextmanager
def running_scene(scratch: Path) -> Iterator[Server]:
    """A server with all of it."""
    with running_upstream(ShopUpstream) as models, receiving() as receiver:
        server = new_server(
            scratch, models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1", GAUGEWAY_PYTHON_EVALUATORS="true"
        )
        server.start()  # makes the account
        server.stop()
        fill(server.data, ACCOUNT, receiver.url)
        receiver.status = 503  # it is down at first, so that there is a second try
        server.start()
        try:
            path = shadow(server)
            arrange(server)
            configure(server)
            told(receiver)
            stop(server, path)
            yield server
        finally:
            server.stop()


def fill(folder: Path, account_id: str, webhook: str) -> None:
    """Put the scene into a data folder that has its account already."""
    stores = open_stores(folder)
    try:
        now = time.time_ns() // 1_000_000
        gateway = Gateway(
            account_id=account_id,
            id=GATEWAY,
            created_at=now - DAYS * 86_400_000,
            modified_at=now,
            authentication=True,
        )
        stores.gateways.create(gateway)
        logs = _logs(account_id, now)
        for start in range(0, len(logs), 500):
            stores.logs.append(logs[start : start + 500], lambda _scope: Retention(None, None))
        scope = Scope(account_id, GATEWAY)
        since = now - DAYS * 86_400_000
        types = ("human_feedback", "error_rate", "speed", "cost")
        watched = a_monitor(scope, "quality", types, minutes=720, since_ms=since, webhook=webhook)
        watch_past(stores, watched, SECRET, now)
    finally:
        stores.close()


def _logs(account_id: str, now: int) -> list[Logged]:
    dice = random.Random(7)
    logs: list[Logged] = []
    for hour in range(DAYS * 24):
        start = now - (hour + 1) * 3_600_000
        by_day = 7 <= (start // 3_600_000) % 24 <= 20
        for _ in range(dice.randint(QUIET, QUIET * 2) if not by_day else dice.randint(BUSY // 2, BUSY)):
            at = start + dice.randrange(3_600_000)
            logs.append(_log(account_id, at, dice, liked=3 if now - at > DROP_MS else 1))
    return sorted(logs, key=lambda logged: logged.record.id)


def _log(account_id: str, at: int, dice: random.Random, liked: int) -> Logged:
    provider, model, price_in, price_out, usual = dice.choices(_MODELS, (40, 14, 24, 14, 8))[0]
    question, asked, answered, otherwise = dice.choice(_TALKS)
    if provider == "anthropic":
        answered = otherwise
    outcome = dice.choices(
        (Outcome.SUCCESS, Outcome.CACHED, Outcome.UPSTREAM_ERROR, Outcome.CLIENT_GONE, Outcome.RATE_LIMITED),
        (86, 8, 3, 2, 1),
    )[0]
    good = outcome.is_success
    usage = Usage(tokens_in=dice.randint(40, 900), tokens_out=dice.randint(20, 400)) if good else Usage()
    cost = _cost(usage, price_in, price_out)
    duration = int(dice.lognormvariate(0, 0.45) * usual) if outcome is not Outcome.CACHED else dice.randint(3, 12)
    request = {
        "model": model,
        "max_tokens": 1024,
        "messages": [
            {"role": "system", "content": "You help customers of a shoe shop."},
            {"role": "user", "content": asked},
        ],
    }
    answer = {"model": model, "choices": [{"index": 0, "message": {"role": "assistant", "content": answered}}]}
    more: dict[str, Any] = {}
    if outcome is Outcome.CACHED:
        more = {"cost_saved": cost}
        cost = Decimal(0)
    elif cost is None:
        more = {
            "cost_reason": "there is no known price for this model" if good else "the provider reported no usage"
        }
    if outcome is Outcome.UPSTREAM_ERROR:
        more["error"] = "the provider answered with status 529: overloaded"
    record = LogRecord(
        account_id=account_id,
        gateway_id=GATEWAY,
        id=ids.first_at(at)[:6] + b"\x70" + dice.randbytes(9),
        provider=provider,
        model=model,
        outcome=outcome,
        duration=duration,
        first_byte_ms=None if not good else max(1, duration * 2 // 5),
        status_code={Outcome.UPSTREAM_ERROR: 529, Outcome.RATE_LIMITED: 429}.get(outcome, 200),
        path="v1/messages" if provider == "anthropic" else "chat/completions",
        usage=usage,
        cost=cost,
        authentication=True,
        request_content_type="application/json",
        response_content_type="application/json",
        request_size=len(json.dumps(request)),
        response_size=len(json.dumps(answer)) if good else 0,
        metadata={
            "team": dice.choice(("blue", "green")),
            "question": question,
            "customer": f"c-{dice.randint(100, 999)}",
        },
        feedback=dice.choices((1, -1, None), (6 * liked, 23 - 6 * liked, 77))[0] if good else None,
        attempts=()
        if outcome is Outcome.CACHED
        else (Attempt(provider=provider, step=0, status_code=200 if good else 529, duration=duration // 2),),
        **more,
    )
    bodies = Bodies(request=json.dumps(request).encode(), response=json.dumps(answer).encode() if good else None)
    return Logged(record, bodies)


def _cost(usage: Usage, price_in: float | None, price_out: float | None) -> Decimal | None:
    if price_in is None or price_out is None or usage.tokens_in is None:
        return None
    return Decimal(str(price_in)) * usage.tokens_in + Decimal(str(price_out)) * (usage.tokens_out or 0)


def arrange(server: Server) -> None:
    """Datasets and evaluations over the scene, made through the API of a running server."""
    here = f"/gateways/{GATEWAY}"
    ids = {
        name: server.manage("POST", f"{here}/datasets", {"name": name, "enable": True, "filters": filters})["id"]
        for name, filters in _DATASETS.items()
    }
    freeze(server, ids["slow and good"])
    label(server, ids["liked"])
    judge(server, ids["liked"])
    ask(server)
    wanted = ["cost", "speed", "human_feedback"]
    for name in ("gpt-5-mini", "claude-sonnet-4-5"):
        evaluate(server, f"{name}, this week", ids[name], wanted)
    replay(server, ids["slow and good"])


def evaluate(server: Server, name: str, dataset_id: str, types: list[str]) -> None:
    """An evaluation, until it has ended."""
    here = f"/gateways/{GATEWAY}/evaluations"
    body = {"name": name, "dataset_ids": [dataset_id], "evaluation_type_ids": types}
    wait_until_processed(server, f"{here}/{server.manage('POST', here, body)['id']}")


def wait_until_processed(server: Server, path: str) -> None:
    """Wait for the end of an evaluation or a replay."""
    deadline = time.monotonic() + 120
    while not server.manage("GET", path)["processed"]:
        assert time.monotonic() < deadline, f"{path} did not end"
        time.sleep(0.05)


def judge(server: Server, dataset_id: str) -> None:
    """A judge's evaluation of the logs that people have labelled."""
    parameters = {
        "model": "openai/gpt-5",
        "gateway_id": LABORATORY,
        "max_cost": 5,
        "criteria": "A customer can act on the answer without asking again.",
    }
    body = {"name": "Right, as a judge says", "evaluator_id": "judge_criteria", "parameters": parameters}
    made = server.manage("POST", "/evaluation-types", body)
    evaluate(server, "right answers, by a judge", dataset_id, [made["id"]])
    costly = {"interval_minutes": 60, "share": 0.1, "daily_max_cost": 2, "enabled": False}
    asked = {"name": "right answers", "evaluation_type_ids": [made["id"]], **costly}
    server.manage("POST", f"/gateways/{GATEWAY}/monitors", asked)


def shadow(server: Server) -> str:
    """Would a smaller model do, with today's requests? They come now; where the shadow is."""
    server.make_gateway(LABORATORY)
    server.make_gateway(ADVICE)
    limit = {"parameters": {"max_tokens": 500}}
    brief = {"label": "brief", "model": "openai/gpt-5-mini", "append_system": "Answer in one sentence.", **limit}
    body = {
        "name": "a smaller one, live",
        "through": LABORATORY,
        "candidates": [{"model": "openai/gpt-5-nano", **limit}, brief],
        "evaluation_type_ids": ["readability"],
        "share": 60,
        "daily_cap": 0.05,
        "margins": {"speed": {"amount": 10, "unit": "percent"}},
    }
    here = f"/gateways/{ADVICE}/shadows"
    made = server.manage("POST", here, body)
    for number in range(ASKED):
        messages = [
            {"role": "system", "content": "You help customers of a shoe shop."},
            {"role": "user", "content": _TALKS[number % len(_TALKS)][1]},
        ]
        own = {"user-agent": "gaugeway-eval"} if number % 8 == 0 else {}
        server.chat(ADVICE, "gpt-5-mini", headers=own, messages=messages, max_tokens=500)
    return f"{here}/{made['id']}"


def stop(server: Server, path: str) -> None:
    """Stop the shadow once it has called what it drew; another one goes on."""
    deadline = time.monotonic() + 120
    while not _has_called(server.manage("GET", path)):
        assert time.monotonic() < deadline, f"{path} did not call what it drew"
        time.sleep(0.05)
    server.manage("POST", f"{path}/stop")
    wait_until_processed(server, path)
    body = {
        "name": "the large one?",
        "through": LABORATORY,
        "candidates": [{"model": "openai/gpt-5"}],
        "share": 2.5,
        "daily_cap": 1,
    }
    server.manage("POST", f"/gateways/{ADVICE}/shadows", body)


def _has_called(shadow: dict[str, Any]) -> bool:
    ended = all(one["pending"] == one["under_way"] == 0 for one in shadow["progress"])
    return shadow["seen"] == ASKED and shadow["waiting"] == 0 and ended


def told(receiver: Receiver) -> None:
    """Wait until the monitor's notice has arrived: the first try found nobody at home."""
    receiver.wait_for(1)
    receiver.status = 204
    receiver.wait_for(2)


def ask(server: Server) -> None:
    """Questions of the account's own: one in Python, one with parameters."""
    parameters = {"source": _SAYS_WHEN, "figure": "share", "direction": "higher"}
    server.manage(
        "POST", "/evaluation-types", {"name": "Says when", "evaluator_id": "python", "parameters": parameters}
    )
    apology = {"name": "Apologises", "evaluator_id": "contains", "parameters": {"texts": ["sorry"]}}
    server.manage("POST", "/evaluation-types", apology)


_SAYS_WHEN = """import re

SPAN = re.compile(r"(\\w+) (?:to \\w+ )?(?:working )?days|tonight|tomorrow")


def score(sample):
    if sample["metadata"].get("question") == "address":
        return None  # nothing has to arrive
    found = SPAN.search(sample["answer"])
    return {"score": found is not None, "reason": found[0] if found else "no time is named"}
"""


def replay(server: Server, dataset_id: str) -> None:
    """Would a smaller model do, and would a shorter answer?"""
    here = f"/gateways/{GATEWAY}/replays"
    limit = {"parameters": {"max_tokens": 500}}
    brief = {"label": "brief", "model": "openai/gpt-5-mini", "append_system": "Answer in one sentence.", **limit}
    body = {
        "name": "would a smaller one do?",
        "dataset_id": dataset_id,
        "through": LABORATORY,
        "candidates": [{"model": "openai/gpt-5-nano", **limit}, brief],
        "evaluation_type_ids": ["readability"],
        "max_cost": 2,
        "max_items": 60,
    }
    wait_until_processed(server, f"{here}/{server.manage('POST', here, body)['id']}")


def configure(server: Server) -> None:
    """What operators set up: a provider of their own with its price, a stored key, dynamic routes."""
    house = {"name": "House model", "slug": "house-model", "base_url": "https://models.example/v1", "enable": True}
    made = server.manage("POST", "/custom-providers", house)
    prices = {"input_tokens": "0.0000002", "output_tokens": "0.0000006"}
    for rule in (
        {"account_provider_id": made["id"], "model": "house-", "model_rule": "starts-with"},
        {"provider": "openai", "model": "gpt-5", "weight": 10, "valid_from": "2026-01-01"},
    ):
        server.manage("POST", "/custom-providers/costs", {**rule, "token_pricing": prices})
    here = f"/gateways/{GATEWAY}"
    for alias, default in (("default", True), ("batch", False)):
        key = {
            "provider_slug": "openai",
            "alias": alias,
            "default_config": default,
            "secret": f"sk-scene-{alias}-4f9c1a",
        }
        limit = {} if default else {"rate_limit": 100, "rate_limit_period": 60}
        server.manage("POST", f"{here}/provider_configs", {**key, **limit})
    route = server.manage("POST", f"{here}/routes", {"name": "support", "elements": by_plan()})
    server.manage("POST", f"{here}/routes/{route['id']}/versions", {"elements": by_plan(share="20%")})
    plain = [
        {"id": "start", "type": "start", "outputs": _to(next="small")},
        _model("small", "gpt-5-mini", "end"),
        _END,
    ]
    server.manage("POST", f"{here}/routes", {"name": "cheap", "elements": plain})


def by_plan(share: str = "10%") -> list[dict[str, Any]]:
    """A route: paying customers get the large model, others some a day, a share of them a new one."""
    paying = {"conditions": {"metadata.plan": {"$in": ["pro", "team"]}}}
    daily = {"limitType": "count", "key": "metadata.customer", "limit": 10, "window": 86_400}
    return [
        {"id": "start", "type": "start", "outputs": _to(next="paying")},
        {"id": "paying", "type": "conditional", "properties": paying, "outputs": _to(true="large", false="daily")},
        {"id": "daily", "type": "rate", "properties": daily, "outputs": _to(success="large", fallback="trial")},
        {"id": "trial", "type": "percentage", "outputs": {**_to(**{share: "house"}), **_to(**{"else": "small"})}},
        _model("large", "gpt-5", "small"),
        _model("house", "house-7b", "small", provider="custom-house-model"),
        _model("small", "gpt-5-mini", "end"),
        _END,
    ]


def _to(**ways: str) -> dict[str, dict[str, str]]:
    return {label: {"elementId": target} for label, target in ways.items()}


def _model(name: str, model: str, fallback: str, provider: str = "openai") -> dict[str, Any]:
    properties = {"provider": provider, "model": model, "timeout": 30_000, "retries": 1}
    return {"id": name, "type": "model", "properties": properties, "outputs": _to(success="end", fallback=fallback)}


_END: dict[str, Any] = {"id": "end", "type": "end", "outputs": {}}


def label(server: Server, dataset_id: str) -> None:
    """An annotation queue that two people have begun."""
    queues = f"/gateways/{GATEWAY}/annotation-queues"
    body = {
        "name": "Is the answer right?",
        "dataset_ids": [dataset_id],
        "instructions": "Right means: a customer could act on it without asking again.",
        "size": 40,
    }
    queue = f"{queues}/{server.manage('POST', queues, body)['id']}"
    dice = random.Random(5)
    for item in server.manage("GET", f"{queue}/items?per_page=36"):
        log = server.manage("GET", f"/gateways/{GATEWAY}/logs/{item['log_id']}")
        chance = 0.25 if log["metadata"]["question"] == "norway" else 0.9
        ann = dice.random() < chance
        for annotator, is_good in (("ann", ann), ("bob", ann if dice.random() < 0.9 else not ann)):
            said = {"label": "good" if is_good else "bad"}
            server.manage("PUT", f"{queue}/items/{item['log_id']}/annotations/{annotator}", said)


def freeze(server: Server, dataset_id: str) -> None:
    """A snapshot of a dataset, with an expected answer."""
    here = f"/gateways/{GATEWAY}/datasets/{dataset_id}/snapshots"
    made = server.manage("POST", here, {"name": "before the change", "sample": {"seed": 7, "size": 50}})
    deadline = time.monotonic() + 60
    while server.manage("GET", f"{here}/{made['id']}")["status"] != "ready":
        assert time.monotonic() < deadline, "the snapshot was not made"
        time.sleep(0.05)
    (item,) = server.manage("GET", f"{here}/{made['id']}/items?limit=1")
    answers = [{"log_id": item["log_id"], "expected": "It takes four to six working days and costs 9 euros."}]
    server.manage("PUT", f"{here}/{made['id']}/expected", {"answers": answers})


_DATASETS: dict[str, list[dict[str, Any]]] = {
    "gpt-5-mini": [{"key": "model", "operator": "eq", "value": ["gpt-5-mini"]}],
    "claude-sonnet-4-5": [{"key": "model", "operator": "contains", "value": ["claude"]}],
    "liked": [
        {"key": "model", "operator": "eq", "value": ["gpt-5-mini"]},
        {"key": "feedback", "operator": "eq", "value": [1]},
    ],
    "slow and good": [
        {"key": "duration", "operator": "gt", "value": [2000]},
        {"key": "feedback", "operator": "eq", "value": [1]},
    ],
}
