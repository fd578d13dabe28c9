"""`gaugeway shadow`: a share of live requests is also sent to other models, on a running server."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gaugeway.cli import comparison_report as report
from gaugeway.cli import shadow_report
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
from gaugeway.cli.client import Management
from gaugeway.cli.compare import EXIT_CODES, parse_margin, write_report
from gaugeway.cli.filters import parse_filter
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, MarkdownFile, connect
from gaugeway.cli.output import print_json, print_note
from gaugeway.cli.runs import REFUSED, Run, telling_what_is_left
from gaugeway.core.comparisons import Gate
from gaugeway.core.errors import BadInput, NotFound

GatewayId = Annotated[str, typer.Option("--gateway", metavar="ID", help="The gateway that is shadowed.")]
ShadowName = Annotated[str, typer.Argument(metavar="SHADOW", help="Its name or id.")]


def create(
    *,
    gateway: GatewayId,
    through: Through,
    share: Annotated[float, typer.Option(metavar="PERCENT", help="How many of the requests, by lot.")],
    daily_cap: Annotated[float, typer.Option(metavar="DOLLARS", help="What the calls never pass in a day of UTC.")],
    model: Models = None,
    candidate: CandidateFiles = None,
    system: SystemFile = None,
    append_system: AppendedFile = None,
    parameter: Parameters = None,
    price: Price = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME|ID", help="Only what this dataset selects. Default: --filter.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="EXPRESSION", help="Which requests, e.g. 'model=gpt-5'; may be repeated."),
    ] = None,
    evaluator: JudgedBy = None,
    margin: Margins = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends, e.g. 2026-12-24. Default: in 30 days.")
    ] = None,
    max_items: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="It ends when so many requests were sent.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=32, metavar="N", help="Requests at a time.")] = 4,
    accept_unknown_cost: UnknownCostToo = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Only say what a day would cost; nothing is begun.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The shadow's name. Default: one made of the time.")
    ] = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Begin to send a share of a gateway's live requests to other models as well.

    Says what a day would cost, by the gateway's last days, before it begins. The server does so by itself, after
    each request was answered. Nobody's answer waits for it, or changes.
    """
    checked = [parse_filter(text) for text in filters or []]
    if dataset and checked:
        raise BadInput("--dataset and --filter cannot be joined")
    label = name or f"shadow {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    body: dict[str, Any] = {
        "name": label,
        "through": through,
        "candidates": read_candidates(
            models=model,
            files=candidate,
            system=system,
            append_system=append_system,
            parameters=parameter,
            price=price,
        ),
        "share": share,
        "daily_cap": daily_cap,
        "margins": dict(map(parse_margin, margin or [])),
        "concurrency": concurrency,
        "accept_unknown_cost": accept_unknown_cost,
    }
    more = {"until": until, "max_items": max_items}
    body |= {key: value for key, value in more.items() if value is not None}
    management = connect(base_url, token, account)
    path = f"/gateways/{quote(gateway, safe='')}"
    left: dict[str, str] = {}
    with telling_what_is_left(left), ExitStack() as made_for_it:
        run = Run(management, path, left)
        body["evaluation_type_ids"] = [kind["id"] for kind in run.choose_types(evaluator)] if evaluator else []
        if dataset or checked:
            datasets = run.datasets([dataset] if dataset else [], checked, label)
            [body["dataset_id"]] = made_for_it.enter_context(datasets)
        if forecast or not as_json:
            said = management.post(f"{path}/shadows/forecast", body)
            print_json(said) if as_json else shadow_report.print_forecast(said)
        if forecast:
            return
        left["shadow"] = f"the shadow {label!r} may be there now"
        told = management.post(f"{path}/shadows", body)
        left["shadow"] = f"the shadow {told['id']} goes on in the server"
    _tell(told, as_json=as_json)


def show_all(
    *,
    gateway: GatewayId,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """List a gateway's shadows, the newest first."""
    found = _Here(connect(base_url, token, account), gateway).all()
    print_json(found) if as_json else shadow_report.print_list(found)


def show(
    shadow: ShadowName,
    *,
    gateway: GatewayId,
    gate: ForGate = False,
    markdown: MarkdownFile = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of the requests, and how the candidates compare so far."""
    told = _Here(connect(base_url, token, account), gateway).find(shadow)
    comparison = told["comparison"]
    if comparison is not None:
        write_report(markdown, shadow_report.markdown(told) + "\n" + report.markdown(comparison))
    _tell(told, as_json=as_json)
    if gate:
        raise typer.Exit(REFUSED if comparison is None else EXIT_CODES[Gate(comparison["gate"])])


def stop(
    shadow: ShadowName,
    *,
    gateway: GatewayId,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing more. Calls under way are broken off, and the verdicts are drawn up; `resume` goes on."""
    here = _Here(connect(base_url, token, account), gateway)
    found = here.find(shadow)
    _tell(here.management.post(f"{here.path}/{found['id']}/stop", {}), as_json=as_json)


def resume(
    shadow: ShadowName,
    *,
    gateway: GatewayId,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="When it ends. Default: as it was.")] = None,
    max_items: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="It ends when so many requests were sent, all in all.")
    ] = None,
    daily_cap: Annotated[
        float | None, typer.Option(metavar="DOLLARS", help="What the calls never pass in a day of UTC.")
    ] = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a shadow that has ended: requests that arrive from now on count."""
    here = _Here(connect(base_url, token, account), gateway)
    found = here.find(shadow)
    wanted = {"until": until, "max_items": max_items, "daily_cap": daily_cap}
    body = {key: value for key, value in wanted.items() if value is not None}
    _tell(here.management.post(f"{here.path}/{found['id']}/resume", body), as_json=as_json)


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        shadow_report.print_shadow(told)
        print_note(f"shadow {told['id']}: {told['status_description']}")


class _Here:
    """The shadows of one gateway."""

    def __init__(self, management: Management, gateway: str) -> None:
        self.management = management
        self.path = f"/gateways/{quote(gateway, safe='')}/shadows"

    def all(self) -> list[dict[str, Any]]:
        return self.management.get_all(self.path)

    def find(self, word: str) -> dict[str, Any]:
        found = [one for one in self.all() if word in (one["id"], one["name"])]
        if not found:
            raise NotFound(f"there is no shadow {word!r} in this gateway")
        return found[0]
