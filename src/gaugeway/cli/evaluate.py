"""`gaugeway evaluate`: one evaluation, from filters to a table, on a running server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli.filters import parse_filter
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, connect
from gaugeway.cli.output import Column, console, print_json, print_note, print_table, printable
from gaugeway.cli.runs import FAILED, MAX_DATASETS, Run, telling_what_is_left
from gaugeway.core.errors import BadInput
from gaugeway.core.model import ResultStatus
from gaugeway.core.money import readable


def evaluate(
    *,
    gateway: Annotated[str, typer.Option(metavar="ID", help="The gateway whose logs are judged.")],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|ID",
            help=f"A saved dataset; may be repeated, up to {MAX_DATASETS} (their union). DATASET@SNAPSHOT: one of"
            " its snapshots, alone.",
        ),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="EXPRESSION",
            help="Only logs that match, e.g. 'provider eq openai', 'cost>0.01', 'model~gpt'; may be repeated"
            " (all must match). Without --dataset and --filter: every log of the gateway.",
        ),
    ] = None,
    evaluator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|ID",
            help="cost, exact_match, a custom type, ...; may be repeated. Default: all that need no look at single"
            " logs.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The evaluation's name. Default: one made of the time.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the results.")
    ] = 600.0,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Run an evaluation over a gateway's logs and show what each number was computed from.

    Exit code 1 when a result failed or did not come in time. Filters make a dataset for the moment, which is
    deleted again; the evaluation stays and keeps a copy of it.
    """
    checked = [parse_filter(text) for text in filters or []]
    if dataset and checked:
        raise BadInput("--dataset and --filter cannot be joined: several datasets are a union")
    management = connect(base_url, token, account)
    left: dict[str, str] = {}
    with telling_what_is_left(left):
        run = Run(management, f"/gateways/{quote(gateway, safe='')}", left)
        types = run.choose_types(evaluator or [])
        label = name or f"evaluate {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        with run.datasets(dataset or [], checked, label) as dataset_ids:
            evaluation = run.create(label, dataset_ids, [kind["id"] for kind in types])
        evaluation = run.follow(evaluation, timeout)
    _report(evaluation, types, as_json=as_json)
    if any(result["status"] in (ResultStatus.FAILED, ResultStatus.CANCELLED) for result in evaluation["results"]):
        raise typer.Exit(FAILED)


def _report(evaluation: dict[str, Any], types: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(evaluation)
        return
    by_id = {kind["id"]: kind for kind in types}
    selected = evaluation["total_logs"]
    rows = [_row(result, by_id.get(result["evaluation_type_id"], {}), selected) for result in evaluation["results"]]
    logs = "1 log" if selected == 1 else f"{selected} logs"
    print_table(_COLUMNS, rows, title=f"{evaluation['name']}: {logs} selected")
    for row, result in zip(rows, evaluation["results"], strict=True):
        notes = [result["status_description"].partition(": ")[2]]
        if result["result"] and result.get("interval_note"):
            notes.append(f"no interval: {result['interval_note']}")
        if any(notes):
            console().out(f"{row[0]}: {printable('; '.join(filter(None, notes)))}", highlight=False)
    print_note(f"evaluation {evaluation['id']}")


_COLUMNS = (
    Column("evaluator", style="bold"),
    Column("value", right=True, style="cyan"),
    Column("unit"),
    Column("95 % interval", right=True),
    Column("from logs", right=True),
    Column("skipped", right=True),
    Column("failed", right=True),
    Column("status"),
)


def _row(result: dict[str, Any], kind: dict[str, Any], selected: int) -> list[str]:
    return [
        kind.get("name") or result["evaluation_type_id"],
        readable(result["result"]) if result["result"] else "-",
        kind.get("unit") or "",
        _interval(result),
        f"{result['total_logs']} of {selected}",
        _count(result, "skipped"),
        _count(result, "failed"),
        result["status_description"].partition(": ")[0],
    ]


def _interval(result: dict[str, Any]) -> str:
    low, high = result.get("low"), result.get("high")
    return f"{readable(low)} … {readable(high)}" if low and high else "-"


def _count(result: dict[str, Any], field: str) -> str:
    return str(result[field]) if field in result else "?"
