"""`gaugeway analytics`: the sums that analytics are made of, checked against the logs and made anew from them."""

from __future__ import annotations

import typer

from gaugeway.cli.folder import opened
from gaugeway.cli.options import AsJson, ConfigFile, DataFolder, load_settings
from gaugeway.cli.output import Column, print_json, print_note, print_table, reading
from gaugeway.core.analytics import Difference
from gaugeway.core.timestamps import to_rfc3339

SOME_DIFFER = 1


def verify(data: DataFolder = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Compare the sums of every hour and day with the logs. Exit code 1 where some differ.

    Changes nothing, and may run beside a server.
    """
    with opened(load_settings(config, data=data)) as (stores, _), reading("compared") as counted:
        found = list(stores.analytics.differences(counted))
    if as_json:
        print_json([_shown(one) for one in found])
    elif found:
        print_table(_COLUMNS, [list(_shown(one).values()) for one in found])
    else:
        print_note("every hour and day is what its logs say")
    if found:
        raise typer.Exit(SOME_DIFFER)


def rebuild(data: DataFolder = None, config: ConfigFile = None) -> None:
    """Make the sums of every hour and day anew from the logs. May run beside a server."""
    with opened(load_settings(config, data=data)) as (stores, _), reading("counted") as counted:
        stores.analytics.recount(counted)
    print_note("every hour and day was counted anew")


_COLUMNS = (Column("account", whole=True), Column("gateway", style="bold"), Column("span"), Column("start"))


def _shown(one: Difference) -> dict[str, str]:
    return {
        "account_id": one.scope.account_id,
        "gateway_id": one.scope.gateway_id,
        "span": one.bucket.value,
        "start": to_rfc3339(one.start_ms),
    }
