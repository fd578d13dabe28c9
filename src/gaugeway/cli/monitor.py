"""`gaugeway monitor`: live traffic evaluated window by window, on a running server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli.client import Management
from gaugeway.cli.compare import parse_margin
from gaugeway.cli.filters import parse_filter
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, connect
from gaugeway.cli.output import Column, print_json, print_note, print_table
from gaugeway.cli.runs import FAILED, Run, telling_what_is_left
from gaugeway.cli.waiting import SoFar, wait_for_end
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.monitors import Finding
from gaugeway.core.query import as_sent

_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_SHOWN_WINDOWS = 10
Gateway = Annotated[str, typer.Option(metavar="ID", help="The gateway whose logs are watched.")]
Named = Annotated[str, typer.Argument(metavar="NAME|ID", help="The monitor.", show_default=False)]


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)],
    *,
    gateway: Gateway,
    every: Annotated[str, typer.Option(metavar="TIME", help="How often, in UTC: 15m, 1h, 1d; at most 7d.")],
    evaluator: Annotated[
        list[str],
        typer.Option(metavar="NAME|ID", help="What every window is judged by; may be repeated."),
    ],
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME|ID", help="Which logs; may be repeated. Default: --filter.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="EXPRESSION", help="Which logs; may be repeated. Default: all."),
    ] = None,
    settle: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="Evaluate a window so long after its end.")
    ] = 60,
    share: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Of a window's logs, for evaluators of single logs: 0.1.")
    ] = None,
    max_items: Annotated[int | None, typer.Option(min=1, metavar="N", help="And how many of them at most.")] = None,
    daily_max_cost: Annotated[
        float | None, typer.Option(metavar="DOLLARS", help="What its judges never pass in a day of UTC.")
    ] = None,
    cluster_by: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Logs with the same are alike: metadata.KEY, model or provider."),
    ] = None,
    reference: Annotated[
        int, typer.Option(min=1, metavar="N", help="Compare with so many windows before, together.")
    ] = 7,
    baseline: Annotated[
        str | None, typer.Option(metavar="ID", help="Compare with this evaluation instead.")
    ] = None,
    min_logs: Annotated[int, typer.Option(min=2, metavar="N", help="With a figure, on both sides.")] = 30,
    weekly_alpha: Annotated[float, typer.Option(metavar="CHANCE", help="Of any false alarm in a week.")] = 0.05,
    margin: Annotated[
        list[str] | None,
        typer.Option(metavar="EVALUATOR=AMOUNT", help="How much worse is no alert; may be repeated."),
    ] = None,
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="Who is told.")] = None,
    notify_on_failure: Annotated[
        bool, typer.Option("--notify-on-failure", help="Also of windows that could not be judged.")
    ] = False,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate live traffic on a schedule, and tell a webhook of drops that are more than chance.

    The webhook's secret is made and shown once.
    """
    checked = [parse_filter(text) for text in filters or []]
    if dataset and checked:
        raise BadInput("--dataset and --filter cannot be joined")
    minutes = parse_every(every)
    management, path = connect(base_url, token, account), _path(gateway)
    with telling_what_is_left({}):
        run = Run(management, path, {})
        body: dict[str, Any] = {
            "name": name,
            "interval_minutes": minutes,
            "settle_seconds": settle,
            "evaluation_type_ids": [kind["id"] for kind in run.choose_types(evaluator)],
            "filters": [as_sent(one) for one in checked],
            "cluster_by": cluster_by,
            "reference_windows": reference,
            "min_logs": min_logs,
            "weekly_alpha": weekly_alpha,
            "margins": dict(map(parse_margin, margin or [])),
            "notify_on_failure": notify_on_failure,
            "baseline_evaluation_id": baseline,
            "daily_max_cost": daily_max_cost,
            "max_items": max_items,
            "webhook": None if webhook is None else {"url": webhook},
        }
        if share is not None:
            body["share"] = share
        if dataset:
            with run.datasets(dataset, [], name) as found:
                body["dataset_ids"] = found
        made = management.post(f"{path}/monitors", body)
    if as_json:
        print_json(made)
        return
    print_table(_COLUMNS, [_row(made)])
    if made["webhook"] is not None:
        print_note(f"The webhook's secret, shown only now: {made['webhook']['secret']}")


def show_all(
    *,
    gateway: Gateway,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """List a gateway's monitors."""
    with telling_what_is_left({}):
        monitors = _Here(connect(base_url, token, account), gateway).all()
    print_json(monitors) if as_json else print_table(_COLUMNS, [_row(one) for one in monitors])


def show(
    name: Named,
    *,
    gateway: Gateway,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Show a monitor, its last windows with what they say, and what was told."""
    here = _Here(connect(base_url, token, account), gateway)
    with telling_what_is_left({}):
        monitor, path = here.find(name)
        windows = here.management.get(f"{path}/windows", per_page=_SHOWN_WINDOWS)
        notices = here.management.get(f"{path}/notices", per_page=_SHOWN_WINDOWS)
    if as_json:
        print_json({"monitor": monitor, "windows": windows, "notices": notices})
        return
    print_table(_COLUMNS, [_row(monitor)])
    print_windows(windows)
    if notices:
        told = [
            (one["created_at"], one["event"], one["state"], str(one["tries"]), _last_error(one)) for one in notices
        ]
        print_table(
            [Column(each) for each in ("told at", "event", "state", "tries", "last")], told, title="\nNotices"
        )


def delete(
    name: Named,
    *,
    gateway: Gateway,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
) -> None:
    """Delete a monitor with its windows. Its evaluations stay."""
    here = _Here(connect(base_url, token, account), gateway)
    with telling_what_is_left({}):
        monitor, path = here.find(name)
        here.management.delete(path)
    print_note(f"The monitor {monitor['name']!r} is deleted.")


def run_now(
    name: Named,
    *,
    gateway: Gateway,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for what the window says.")
    ] = 600.0,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Make a window of the logs since the last one, now, and show what it says.

    Exit code 1 when something is worse, could not be judged, or did not end in time.
    """
    here = _Here(connect(base_url, token, account), gateway)
    left: dict[str, str] = {}
    with telling_what_is_left(left):
        _, path = here.find(name)
        look = _looking(here.management, path)
        before = look()
        here.management.post(f"{path}/run", {})
        left["window"] = "the window is made by the server all the same"
        window = wait_for_end(
            before,
            look,
            lambda _told: SoFar("window", 0, None),
            timeout,
            lambda told: told.get("id") != before.get("id") and told.get("finding") is not None,
        )
    print_json(window) if as_json else print_windows([window])
    if window["finding"] in (Finding.WORSE, Finding.FAILED, Finding.CAPPED):
        raise typer.Exit(FAILED)


def parse_every(text: str) -> int:
    """`15m`, `1h`, `1d` as minutes; BadInput."""
    number, unit = text[:-1], text[-1:]
    if unit not in _MINUTES or not number.isascii() or not number.isdigit() or not 0 < int(number) <= 10080:
        raise BadInput(f"--every {text!r}: expected a number of minutes, hours or days, such as 15m, 1h or 1d")
    return int(number) * _MINUTES[unit]


def print_windows(windows: list[dict[str, Any]]) -> None:
    """What windows say, one evaluation type a line."""
    rows: list[tuple[str, ...]] = []
    for one in windows:
        logs = str(one["total_logs"]) + (f" (+{one['late_logs']} late)" if one["late_logs"] else "")
        if one["finding"] is None:
            rows.append((one["until"], logs, "-", "under way", ""))
        rows += [
            (one["until"], logs, check["evaluation_type_id"], check["finding"], check["words"])
            for check in one["checks"]
        ]
        if one["note"]:
            rows.append((one["until"], logs, "-", "-", one["note"]))
    names = [Column("until"), Column("logs", right=True), Column("evaluator"), Column("finding"), Column("words")]
    print_table(names, rows, title="\nWindows")


def _looking(management: Management, path: str) -> Callable[[], dict[str, Any]]:
    def look() -> dict[str, Any]:
        newest = management.get(f"{path}/windows", per_page=1)
        return newest[0] if newest else {}

    return look


class _Here:
    """The monitors of one gateway."""

    def __init__(self, management: Management, gateway: str) -> None:
        self.management = management
        self._gateway = gateway
        self._path = f"{_path(gateway)}/monitors"

    def all(self) -> list[dict[str, Any]]:
        return self.management.get_all(self._path)

    def find(self, name: str) -> tuple[dict[str, Any], str]:
        """The monitor of that name or id, and its path."""
        found = [one for one in self.all() if name in (one["name"], one["id"])]
        if not found:
            raise NotFound(f"the gateway {self._gateway!r} has no monitor {name!r}")
        return found[0], f"{self._path}/{found[0]['id']}"


def _path(gateway: str) -> str:
    return f"/gateways/{quote(gateway, safe='')}"


_COLUMNS = [
    Column("name"),
    Column("id", whole=True),
    Column("every", right=True),
    Column("next at (UTC)"),
    Column("spent today (USD)", right=True),
    Column("raised"),
]


def _row(monitor: dict[str, Any]) -> tuple[str, ...]:
    spent = "-" if monitor["spent_today"] is None else f"{monitor['spent_today']} of {monitor['daily_max_cost']}"
    return (
        monitor["name"],
        monitor["id"],
        f"{monitor['interval_minutes']} min",
        monitor["next_at"] or "not enabled",
        spent,
        ", ".join(monitor["raised"]) or "-",
    )


def _last_error(notice: dict[str, Any]) -> str:
    if not notice["tried"]:
        return "-"
    last = notice["tried"][-1]
    return last["error"] or f"status {last['status_code']}"
