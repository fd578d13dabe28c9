"""`gaugeway evaluate`: one evaluation, from filters to a table, on a running server."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli.client import Management, Refused, Unreachable
from gaugeway.cli.filters import parse_filter
from gaugeway.cli.options import AsJson
from gaugeway.cli.output import (
    Column,
    console,
    print_error,
    print_json,
    print_note,
    print_table,
    print_warning,
    printable,
)
from gaugeway.core.errors import BadInput, GaugewayError, NotFound
from gaugeway.core.model import RawFilter, ResultStatus
from gaugeway.core.money import readable

FIRST_POLL_SECONDS = 0.05
POLL_SECONDS = 1.0
"""Between two looks at the evaluation: soon at first, then ever more seldom, up to this."""
MAX_DATASETS = 5
MAX_NAME = 256
FAILED = 1
REFUSED = 2
INTERRUPTED = 130
LOCAL = "http://127.0.0.1:8787/client/v4"


def evaluate(
    *,
    gateway: Annotated[str, typer.Option(metavar="ID", help="The gateway whose logs are judged.")],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|ID", help=f"A saved dataset; may be repeated, up to {MAX_DATASETS} (their union)."
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
        typer.Option(metavar="NAME|ID", help="cost, speed, human_feedback, ...; may be repeated. Default: all."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The evaluation's name. Default: one made of the time.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the results.")
    ] = 600.0,
    base_url: Annotated[
        str,
        typer.Option(
            envvar=["GAUGEWAY_BASE_URL", "CLOUDFLARE_BASE_URL"], metavar="URL", help="The management API."
        ),
    ] = LOCAL,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=["GAUGEWAY_API_TOKEN", "CLOUDFLARE_API_TOKEN"],
            metavar="TEXT",
            help="An API token with the permission write.",
            show_default=False,
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            envvar=["GAUGEWAY_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID"],
            metavar="ID",
            help="The account, as `gaugeway serve` shows it.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run an evaluation over a gateway's logs and show what each number was computed from.

    Exit code 1 when a result failed or did not come in time. Filters make a dataset for the moment, which is
    deleted again; the evaluation stays and keeps a copy of it.
    """
    checked = [parse_filter(text) for text in filters or []]
    if dataset and checked:
        raise BadInput("--dataset and --filter cannot be joined: several datasets are a union")
    if not token:
        raise BadInput("--token is missing; or set GAUGEWAY_API_TOKEN (`gaugeway token create` makes one)")
    if not account:
        raise BadInput("--account is missing; or set GAUGEWAY_ACCOUNT_ID (`gaugeway serve` shows it)")
    left: dict[str, str] = {}
    try:
        run = Run(Management(base_url, token, account), f"/gateways/{quote(gateway, safe='')}", left)
        types = run.choose_types(evaluator or [])
        label = name or f"evaluate {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        with run.datasets(dataset or [], checked, label) as dataset_ids:
            evaluation = run.create(label, dataset_ids, [kind["id"] for kind in types])
        evaluation = run.follow(evaluation, timeout)
    except KeyboardInterrupt as interrupt:
        print_note("; ".join(["interrupted", *left.values()]))
        raise typer.Exit(INTERRUPTED) from interrupt
    except (Unreachable, TimeoutError) as problem:
        print_error(str(problem))
        for trace in left.values():
            print_note(trace)
        raise typer.Exit(FAILED if left else REFUSED) from problem
    _report(evaluation, types, as_json=as_json)
    if any(result["status"] in (ResultStatus.FAILED, ResultStatus.CANCELLED) for result in evaluation["results"]):
        raise typer.Exit(FAILED)


class Run:
    """One evaluation on a server. `left` says at each moment what would stay behind if we went away."""

    def __init__(self, management: Management, path: str, left: dict[str, str]) -> None:
        self._management = management
        self._path = path
        self._left = left

    def choose_types(self, wanted: Sequence[str]) -> list[dict[str, Any]]:
        """The evaluation types of these names or ids; all where none is named. BadInput for an unknown one."""
        known = [kind for kind in self._management.get_all("/evaluation-types") if kind["enable"]]
        if not wanted:
            return known
        chosen: list[dict[str, Any]] = []
        for word in wanted:
            matches = [kind for kind in known if word in (kind["id"], kind["name"])]
            if not matches:
                names = ", ".join(kind["id"] for kind in known)
                raise BadInput(f"--evaluator: there is no evaluator {word!r} here; there is: {names}")
            chosen += [kind for kind in matches[:1] if kind not in chosen]
        return chosen

    @contextmanager
    def datasets(self, names: Sequence[str], filters: Sequence[RawFilter], label: str) -> Generator[list[str]]:
        """The ids of the datasets to use; one made for the moment is deleted again, whatever happens."""
        if names:
            yield self._find(names)
            return
        called = f"for {label}"[:MAX_NAME]
        self._left["dataset"] = f"the dataset {called!r} may be there now"
        body = [{"key": f.key, "operator": f.operator, "value": f.value} for f in filters]
        made = self._post("dataset", "/datasets", {"name": called, "enable": True, "filters": body})
        self._left["dataset"] = f"the dataset {called!r} ({made['id']}) is still there"
        try:
            yield [made["id"]]
        finally:
            try:
                self._management.delete(f"{self._path}/datasets/{made['id']}")
                del self._left["dataset"]
            except GaugewayError as problem:
                print_warning(f"{self._left.pop('dataset')}: {problem}")

    def create(self, label: str, dataset_ids: list[str], type_ids: list[str]) -> dict[str, Any]:
        """The evaluation, begun."""
        self._left["evaluation"] = f"the evaluation {label!r} may be there now"
        body = {"name": label, "dataset_ids": dataset_ids, "evaluation_type_ids": type_ids}
        made: dict[str, Any] = self._post("evaluation", "/evaluations", body)
        url = self._management.url(f"{self._path}/evaluations/{made['id']}")
        self._left["evaluation"] = f"the evaluation {label!r} goes on in the server: GET {url}"
        return made

    def follow(self, evaluation: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The evaluation when every result is terminal; shows how far it is. TimeoutError."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        deadline = time.monotonic() + timeout
        target = console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns, TimeElapsedColumn(), console=target, transient=True, disable=not target.is_terminal
        ) as progress:
            task = progress.add_task(_now_running(evaluation), total=len(evaluation["results"]) or None)
            pause = FIRST_POLL_SECONDS
            while not evaluation["processed"]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no results after {timeout:g} s")
                time.sleep(pause)
                pause = min(pause * 1.5, POLL_SECONDS)
                evaluation = self._management.get(f"{self._path}/evaluations/{evaluation['id']}")
                done = [ResultStatus(result["status"]).is_terminal for result in evaluation["results"]]
                progress.update(task, completed=sum(done), description=_now_running(evaluation))
        return evaluation

    def _post(self, what: str, path: str, body: dict[str, Any]) -> Any:
        try:
            return self._management.post(self._path + path, body)
        except Refused:
            del self._left[what]  # the server said that it made nothing
            raise

    def _find(self, names: Sequence[str]) -> list[str]:
        if len(names) > MAX_DATASETS:
            raise BadInput(f"--dataset: at most {MAX_DATASETS}, not {len(names)}")
        known = self._management.get_all(f"{self._path}/datasets")
        found: list[str] = []
        for word in names:
            matches = [item["id"] for item in known if word in (item["id"], item["name"])]
            if not matches:
                shown = ", ".join(repr(item["name"]) for item in known[:20]) or "none"
                raise NotFound(f"--dataset: there is no dataset {word!r} in this gateway; there is: {shown}")
            found += matches[:1]
        return found


def _now_running(evaluation: dict[str, Any]) -> str:
    running = [
        result["evaluation_type_id"] for result in evaluation["results"] if result["status"] == ResultStatus.RUNNING
    ]
    return f"{evaluation['total_logs']} logs" + (f", {running[0]}" if running else "")


def _report(evaluation: dict[str, Any], types: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(evaluation)
        return
    by_id = {kind["id"]: kind for kind in types}
    selected = evaluation["total_logs"]
    rows = [_row(result, by_id.get(result["evaluation_type_id"], {}), selected) for result in evaluation["results"]]
    print_table(_COLUMNS, rows, title=f"{evaluation['name']}: {selected} logs selected")
    for row, result in zip(rows, evaluation["results"], strict=True):
        note = result["status_description"].partition(": ")[2]
        if note:
            console().out(f"{row[0]}: {printable(note)}", highlight=False)
    print_note(f"evaluation {evaluation['id']}")


_COLUMNS = (
    Column("evaluator", style="bold"),
    Column("value", right=True, style="cyan"),
    Column("unit"),
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
        f"{result['total_logs']} of {selected}",
        _count(result, "skipped"),
        _count(result, "failed"),
        result["status_description"].partition(": ")[0],
    ]


def _count(result: dict[str, Any], field: str) -> str:
    return str(result[field]) if field in result else "?"
