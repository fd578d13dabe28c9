"""`gaugeway replay`: what if another model, prompt or parameter had been used; with a forecast and a gate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli import comparison_report as report
from gaugeway.cli import replay_report
from gaugeway.cli.candidates import (
    AppendedFile,
    CandidateFiles,
    ForGate,
    JudgedBy,
    Margins,
    Models,
    Parameters,
    Price,
    SystemFile,
    Through,
    UnknownCostToo,
    read_candidates,
)
from gaugeway.cli.compare import EXIT_CODES, parse_margin, write_report
from gaugeway.cli.filters import parse_filter
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, JUnitFile, MarkdownFile, connect
from gaugeway.cli.output import print_json
from gaugeway.cli.runs import FAILED, REFUSED, Run, telling_what_is_left
from gaugeway.cli.waiting import SoFar, wait_for_end
from gaugeway.core.comparisons import Gate
from gaugeway.core.errors import BadInput
from gaugeway.core.replays import ReplayStatus


def replay(
    *,
    gateway: Annotated[str, typer.Option(metavar="ID", help="The gateway whose logs are replayed.")],
    through: Through,
    max_cost: Annotated[float, typer.Option(metavar="DOLLARS", help="What the calls never pass.")],
    model: Models = None,
    candidate: CandidateFiles = None,
    system: SystemFile = None,
    append_system: AppendedFile = None,
    parameter: Parameters = None,
    price: Price = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME|ID", help="The dataset that is replayed. Default: --filter.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="EXPRESSION", help="Which logs, e.g. 'model=gpt-5'; may be repeated."),
    ] = None,
    evaluator: JudgedBy = None,
    margin: Margins = None,
    max_items: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Replay so many of the logs, drawn by lot.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=32, metavar="N", help="Calls at a time.")] = 4,
    accept_unknown_cost: UnknownCostToo = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Only say what it would cost; nothing is sent.")
    ] = False,
    gate: ForGate = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The replay's name. Default: one made of the time.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for its end.")
    ] = 3600.0,
    markdown: MarkdownFile = None,
    junit: JUnitFile = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Send logged requests again to other models, and compare cost, speed, errors and quality with what was logged.

    The replay runs in the server and goes on without this command. Exit code 1 when it failed or did not end in
    time, 2 when it could not be begun; with --gate, the gate's.
    """
    checked = [parse_filter(text) for text in filters or []]
    if dataset and checked:
        raise BadInput("--dataset and --filter cannot be joined")
    candidates = read_candidates(
        models=model,
        files=candidate,
        system=system,
        append_system=append_system,
        parameters=parameter,
        price=price,
    )
    management = connect(base_url, token, account)
    path = f"/gateways/{quote(gateway, safe='')}"
    left: dict[str, str] = {}
    label = name or f"replay {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    body: dict[str, Any] = {
        "name": label,
        "through": through,
        "candidates": candidates,
        "max_cost": max_cost,
        "margins": dict(map(parse_margin, margin or [])),
        "concurrency": concurrency,
        "accept_unknown_cost": accept_unknown_cost,
    } | ({} if max_items is None else {"max_items": max_items})
    with telling_what_is_left(left):
        run = Run(management, path, left)
        body["evaluation_type_ids"] = [kind["id"] for kind in run.choose_types(evaluator)] if evaluator else []
        with run.datasets([dataset] if dataset else [], checked, label) as [dataset_id]:
            body["dataset_id"] = dataset_id
            if forecast:
                told = management.post(f"{path}/replays/forecast", body)
            else:
                left["replay"] = f"the replay {label!r} may be there now"
                told = management.post(f"{path}/replays", body)
                left["replay"] = f"the replay {told['id']} goes on in the server"
        if forecast:
            print_json(told) if as_json else replay_report.print_forecast(told)
            return
        one = f"{path}/replays/{told['id']}"
        told = wait_for_end(told, lambda: management.get(one), _so_far, timeout)
    _conclude(told, markdown=markdown, junit=junit, as_json=as_json, gate=gate)


def _conclude(
    told: dict[str, Any], *, markdown: Path | None, junit: Path | None, as_json: bool, gate: bool
) -> None:
    comparison = told["comparison"]
    if comparison is not None:
        write_report(markdown, replay_report.markdown(told) + "\n" + report.markdown(comparison))
        write_report(junit, report.junit(comparison, "gaugeway replay"))
    if as_json:
        print_json(told)
    else:
        replay_report.print_replay(told)
    if told["status"] != ReplayStatus.COMPLETED or comparison is None:
        raise typer.Exit(REFUSED if gate else FAILED)
    if gate:
        raise typer.Exit(EXIT_CODES[Gate(comparison["gate"])])


def _so_far(told: dict[str, Any]) -> SoFar:
    sides = told["progress"][1:]
    done = sum(one["replayed"] + one["failed"] + one["skipped"] for one in sides)
    return SoFar(f"{told['spent']} of {told['max_cost']} USD", done, told["total_items"] * len(sides) or None)
