"""The main job from nothing: a gateway, a model, chats, feedback, datasets, an evaluation, and the proof."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cloudflare
import msgspec
import openai
from msgspec import Struct

from gaugeway.core.money import plain, readable
from gaugeway.core.settings import Settings
from gaugeway.demo.chats import PRICE_IN_WORDS, Sent, plan, send_all
from gaugeway.demo.checks import Log, check_logs, check_results, expected_figures
from gaugeway.demo.children import ChildFailed, Children, Interrupted, interruptible
from gaugeway.demo.stage import Stage, build_stage, start_server
from gaugeway.demo.teller import Teller
from gaugeway.demo.upstream import start_upstream
from gaugeway.recorder.address import take_lock

LOGS_SECONDS = 30.0
EVALUATION_SECONDS = 60.0
RECORDER_SECONDS = 10.0
POLL_SECONDS = 0.1
WRONG = 1
INTERRUPTED = 130


class Options(Struct, frozen=True, kw_only=True):
    """How to run the demo."""

    settings: Settings
    temporary: bool  # use a folder that is gone afterwards instead of settings.data
    chats: int
    exit: bool
    simulate: bool


def run(options: Options, teller: Teller) -> int:
    """Run the demo and return the exit code: 0 where every number was as expected.

    Unless `options.exit`, the server stays until Ctrl-C. Children are stopped on every way out; raises
    ChildFailed where one of them ended by itself.
    """
    code = INTERRUPTED
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gaugeway-demo-"))
            settings = options.settings
            if options.temporary:
                data = Path(folder) / "data"
                settings = msgspec.structs.replace(settings, data=str(data))
                stack.callback(_wait_for_recorder, data)
            children = stack.enter_context(Children(Path(folder)))
            with _explained(children):
                stage = _set_up(settings, children, teller, simulate=options.simulate)
                wrong = _play(stage, plan(options.chats), children, teller)
            code = WRONG if wrong else 0
            _conclude(wrong, teller)
            if not options.exit:
                _stay(stage, settings, children, teller, temporary=options.temporary)
        except Interrupted:
            teller.step("Stopping")
    return code


def _wait_for_recorder(data: Path) -> None:
    """A recorder outlives its server by a moment; its folder must not vanish under it."""
    deadline = time.monotonic() + RECORDER_SECONDS
    while data.is_dir() and time.monotonic() < deadline:
        lock = take_lock(data)
        if lock is not None:
            os.close(lock)
            return
        time.sleep(POLL_SECONDS)


@contextmanager
def _explained(children: Children) -> Generator[None]:
    """Turn an answer that should not have come into one sentence, with the servers' last words."""
    try:
        yield
    except (openai.APIError, cloudflare.APIError) as problem:
        children.check()
        raise ChildFailed(f"an answer that should not have come: {problem}\n{children.tails()}") from problem


def _set_up(settings: Settings, children: Children, teller: Teller, *, simulate: bool) -> Stage:
    teller.step("Starting")
    upstream = start_upstream(children, simulate=simulate)
    if upstream.real:
        teller.line(f"A real small model ({upstream.model}, on this machine's processor) answers at {upstream.url}")
    else:
        teller.warn(f"No model: the answers are SIMULATED at {upstream.url}. Why: {upstream.why_not}")
    base_url, account_id, token = start_server(children, settings)
    teller.line(f"Gaugeway answers at {base_url}")
    stage = build_stage(base_url, account_id, token, upstream)
    teller.line(
        f"Made through the official Cloudflare client: gateway {stage.gateway_id!r},"
        f" custom provider {stage.provider_slug!r}"
    )
    return stage


def _play(stage: Stage, chats: Sequence[Any], children: Children, teller: Teller) -> list[str]:
    """Send, mark, evaluate; returns what was not as expected."""
    teller.step(f"{len(chats)} requests through the gateway, with the official OpenAI client")
    sent: list[Sent] = []
    for one in send_all(list(chats), stage.openai_url, stage.upstream, children.check):
        sent.append(one)
        teller.line(_said(one))
    _wait_for_logs(stage, len(sent), children)
    _give_feedback(stage, sent)
    logs = _read_logs(stage)
    _tell_logs(stage, sent, logs, teller)
    evaluation = _evaluate(stage, children, teller)
    figures = expected_figures(sent, logs)
    _tell_results(stage, evaluation, teller)
    return check_logs(sent, logs) + check_results(evaluation, figures, len(sent))


def _said(one: Sent) -> str:
    heading = f"{one.chat.kind}: {one.chat.question}"
    text = " ".join(one.text.split())
    answer = text if len(text) <= 60 else text[:59] + "…"
    return f"{heading} → {one.status}, {one.seconds:.2f} s: {answer}"


def _wait_for_logs(stage: Stage, count: int, children: Children) -> None:
    """Logs are written off the request's path; wait until they are there, or will not come any more."""
    deadline = time.monotonic() + LOGS_SECONDS
    while len(_read_logs(stage)) < count and time.monotonic() < deadline:
        children.check()
        time.sleep(POLL_SECONDS)


def _read_logs(stage: Stage) -> list[Log]:
    """All logs of the gateway, oldest first."""
    pages = stage.api.ai_gateway.logs.list(
        stage.gateway_id, account_id=stage.account_id, per_page=50, order_by_direction="asc"
    )
    return [msgspec.convert(log.to_dict(mode="json", warnings=False), Log, strict=False) for log in pages]


def _give_feedback(stage: Stage, sent: Sequence[Sent]) -> None:
    for one in sent:
        if one.chat.feedback is not None and one.log_id is not None:
            stage.api.ai_gateway.logs.edit(
                one.log_id,
                account_id=stage.account_id,
                gateway_id=stage.gateway_id,
                feedback=one.chat.feedback,
            )


def _evaluate(stage: Stage, children: Children, teller: Teller) -> dict[str, Any]:
    """Two datasets, one evaluation with every evaluator over both; returns it when it is processed."""
    teller.step("Evaluation, with the official Cloudflare client")
    gateway = stage.api.ai_gateway
    datasets = [
        gateway.datasets.create(
            stage.gateway_id,
            account_id=stage.account_id,
            name=name,
            enable=True,
            filters=[{"key": "success", "operator": "eq", "value": [success]}],
        )
        for name, success in (("answered", True), ("not answered", False))
    ]
    teller.line("Datasets: 'answered' (success = true) and 'not answered' (success = false)")
    evaluation = gateway.evaluations.create(
        stage.gateway_id,
        account_id=stage.account_id,
        name="demo",
        dataset_ids=[dataset.id for dataset in datasets],
        evaluation_type_ids=["cost", "speed", "human_feedback"],
    )
    deadline = time.monotonic() + EVALUATION_SECONDS
    found = gateway.evaluations.get(evaluation.id, account_id=stage.account_id, gateway_id=stage.gateway_id)
    while not found.processed:
        children.check()
        if time.monotonic() > deadline:
            raise ChildFailed(f"the evaluation {evaluation.id} was not processed after {EVALUATION_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
        found = gateway.evaluations.get(evaluation.id, account_id=stage.account_id, gateway_id=stage.gateway_id)
    return found.to_dict(mode="json", warnings=False)


def _tell_logs(stage: Stage, sent: Sequence[Sent], logs: Sequence[Log], teller: Teller) -> None:
    kinds = {one.log_id: one.chat.kind for one in sent}
    columns = [("log", False), ("request", False), ("outcome", False), ("status", True), ("ms", True)]
    columns += [("tokens", True), ("cost in USD", True), ("thumb", False)]
    rows = [
        [
            f"…{log.id[-6:]}",
            str(kinds.get(log.id, "?")),
            log.outcome,
            _known(log.status_code),
            str(log.duration),
            ("about " if log.usage_estimated else "") + f"{_known(log.tokens_in)}+{_known(log.tokens_out)}",
            "not known" if log.cost is None else plain(log.cost),
            {1: "up", -1: "down"}.get(log.feedback or 0, ""),
        ]
        for log in logs
    ]
    models = ", ".join(sorted({log.model for log in logs}))
    teller.table(f"The logs of gateway {stage.gateway_id!r}; model: {models}", columns, rows)
    teller.line(f"The price is made up ({PRICE_IN_WORDS}) and was sent with cf-aig-custom-cost; some came without.")
    for sentence in _unknown_costs(logs):
        teller.line(sentence)
    estimated = sum(log.usage_estimated for log in logs)
    if estimated:
        teller.line(
            f"tokens, and so the cost, estimated of {_logs(estimated)}: the provider's own figures never came"
        )


def _unknown_costs(logs: Sequence[Log]) -> list[str]:
    """Why costs are not known, and of how many logs."""
    reasons = Counter(log.cost_reason or "no reason given" for log in logs if log.cost is None)
    return [f"cost not known of {_logs(count)}: {reason}" for reason, count in reasons.most_common()]


def _logs(count: int) -> str:
    return "1 log" if count == 1 else f"{count} logs"


def _known(number: int | None) -> str:
    return "-" if number is None else str(number)


def _tell_results(stage: Stage, evaluation: dict[str, Any], teller: Teller) -> None:
    types = stage.api.ai_gateway.evaluation_types.list(account_id=stage.account_id)
    known = {kind.id: kind.to_dict() for kind in types}
    selected = int(evaluation["total_logs"])  # the client makes floats of counts
    columns = [("evaluator", False), ("value", True), ("unit", False), ("95 % interval", True)]
    columns += [("from logs", True), ("skipped", True), ("failed", True), ("status", False)]
    rows: list[list[str]] = []
    notes: list[str] = []
    for result in evaluation["results"]:
        kind = known.get(result["evaluation_type_id"], {})
        name = str(kind.get("name", result["evaluation_type_id"]))
        status, _, note = result["status_description"].partition(": ")
        notes += [f"{name}: {note}"] if note else []
        rows.append(
            [
                name,
                readable(result["result"]) if result["result"] else "-",
                str(kind.get("unit", "")),
                f"{readable(result['low'])} … {readable(result['high'])}" if result["low"] else "not known",
                f"{int(result['total_logs'])} of {selected}",
                str(result["skipped"]),
                str(result["failed"]),
                status,
            ]
        )
    simulated = "" if stage.upstream.real else " (SIMULATED upstream)"
    teller.table(f"The evaluation's results{simulated}", columns, rows)
    for note in notes:
        teller.line(note)


def _conclude(wrong: Sequence[str], teller: Teller) -> None:
    if not wrong:
        teller.line("Checked: every log and every figure is what the demo worked out from what it sent.")
    for finding in wrong:
        teller.warn(f"not as expected: {finding}")


def _stay(stage: Stage, settings: Settings, children: Children, teller: Teller, *, temporary: bool) -> None:
    """Show how to go on and wait until somebody stops us, or a child ends."""
    teller.step("The server stays. Ctrl-C stops it.")
    teller.line(f"dashboard       {stage.base_url}/  (sign in with the token below)")
    teller.line(f"management API  {stage.management_url}")
    teller.line(f"data plane      {stage.openai_url}")
    teller.line(f"API docs        {stage.base_url}/docs")
    teller.line(f"account         {stage.account_id}")
    teller.line(f"token           {stage.token}")
    teller.line(f"data folder     {settings.data}" + (" (deleted afterwards)" if temporary else ""))
    teller.line("In another shell:")
    teller.line(f"export OPENAI_BASE_URL={stage.openai_url} OPENAI_API_KEY=none")
    teller.line(f"export CLOUDFLARE_BASE_URL={stage.management_url} CLOUDFLARE_API_TOKEN={stage.token}")
    teller.line(
        f"CLOUDFLARE_ACCOUNT_ID={stage.account_id} gaugeway evaluate --gateway {stage.gateway_id}"
        " --filter success=true"
    )
    while True:
        children.check()
        time.sleep(0.5)
