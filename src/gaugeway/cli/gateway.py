"""`gaugeway gateway`: the gateways of the account."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from gaugeway.cli.folder import opened
from gaugeway.cli.options import AsJson, ConfigFile, DataFolder, load_settings
from gaugeway.cli.output import Column, print_json, print_table, shown_time
from gaugeway.core.errors import BadInput, Conflict
from gaugeway.core.ids import MAX_GATEWAY_ID, is_gateway_id
from gaugeway.core.model import Gateway
from gaugeway.core.timestamps import to_rfc3339

PAGE = 100


class Strategy(StrEnum):
    """What happens when a gateway holds as many logs as it may."""

    DELETE_OLDEST = "DELETE_OLDEST"
    STOP_INSERTING = "STOP_INSERTING"


def create(
    gateway_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Its name in URLs: a-z, 0-9, _ and single -.", show_default=False),
    ],
    *,
    authentication: Annotated[
        bool,
        typer.Option(
            "--authentication/--no-authentication",
            help="Whether requests need a token with the permission run.",
        ),
    ] = False,
    collect_logs: Annotated[
        bool, typer.Option("--collect-logs/--no-collect-logs", help="Whether requests are logged.")
    ] = True,
    log_management: Annotated[
        int, typer.Option(min=10_000, max=10_000_000, metavar="N", help="How many logs are kept.")
    ] = 10_000_000,
    log_management_strategy: Annotated[
        Strategy, typer.Option(metavar="DELETE_OLDEST|STOP_INSERTING", help="What happens when that many are kept.")
    ] = Strategy.DELETE_OLDEST,
    data: DataFolder = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a gateway."""
    if not is_gateway_id(gateway_id):
        raise BadInput(
            f"ID: {gateway_id!r} cannot be a gateway's id: expected a-z, 0-9, _ and single - between them,"
            f" at most {MAX_GATEWAY_ID} characters"
        )
    now = time.time_ns() // 1_000_000
    with opened(load_settings(config, data=data)) as (stores, account):
        made = Gateway(
            account_id=account.id,
            id=gateway_id,
            created_at=now,
            modified_at=now,
            authentication=authentication,
            collect_logs=collect_logs,
            log_management=log_management,
            log_management_strategy=log_management_strategy.value,
        )
        try:
            stores.gateways.create(made)
        except Conflict as problem:
            raise BadInput(f"ID: there is a gateway {gateway_id!r} already") from problem
    if as_json:
        print_json(_shown(made))
    else:
        print_table(_COLUMNS, [_row(made)])


def show(data: DataFolder = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the gateways, newest first."""
    found: list[Gateway] = []
    with opened(load_settings(config, data=data)) as (stores, account):
        while True:
            page = stores.gateways.list(account.id, search=None, offset=len(found), limit=PAGE).items
            found += page
            if len(page) < PAGE:
                break
    if as_json:
        print_json([_shown(gateway) for gateway in found])
    else:
        print_table(_COLUMNS, [_row(gateway) for gateway in found])


_COLUMNS = (
    Column("id", style="bold"),
    Column("authentication"),
    Column("logs"),
    Column("keeps", right=True),
    Column("when full"),
    Column("created"),
    Column("modified"),
)


def _row(gateway: Gateway) -> list[str]:
    return [
        gateway.id,
        "on" if gateway.authentication else "off",
        "on" if gateway.collect_logs else "off",
        "all" if gateway.log_management is None else str(gateway.log_management),
        gateway.log_management_strategy or "",
        shown_time(gateway.created_at),
        shown_time(gateway.modified_at),
    ]


def _shown(gateway: Gateway) -> dict[str, Any]:
    return {
        "id": gateway.id,
        "account_id": gateway.account_id,
        "authentication": gateway.authentication,
        "collect_logs": gateway.collect_logs,
        "log_management": gateway.log_management,
        "log_management_strategy": gateway.log_management_strategy,
        "created_at": to_rfc3339(gateway.created_at),
        "modified_at": to_rfc3339(gateway.modified_at),
    }
