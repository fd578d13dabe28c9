"""`gaugeway columns`: the columns that figures over many logs come from, shown and made anew from the logs."""

from __future__ import annotations

from gaugeway.cli.folder import opened
from gaugeway.cli.options import AsJson, ConfigFile, DataFolder, load_settings
from gaugeway.cli.output import Column, print_json, print_note, print_table, reading
from gaugeway.core.ports import Coverage


def show(data: DataFolder = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """How far the columns of every gateway's logs go. Logs beyond them are read one by one."""
    with opened(load_settings(config, data=data)) as (stores, _):
        found = [_shown(one) for one in stores.columns.coverage()]
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, [[str(value) for value in one.values()] for one in found])


def rebuild(data: DataFolder = None, config: ConfigFile = None) -> None:
    """Make all columns anew from the logs. May run beside a server."""
    with opened(load_settings(config, data=data)) as (stores, _), reading("read") as counted:
        stores.columns.rebuild(counted)
        print_note(f"{sum(one.projected for one in stores.columns.coverage())} logs are in columns")


_COLUMNS = (
    Column("account", whole=True),
    Column("gateway", style="bold"),
    Column("logs", right=True),
    Column("in columns", right=True),
    Column("changed", right=True),
    Column("bytes", right=True),
)


def _shown(one: Coverage) -> dict[str, str | int]:
    return {
        "account_id": one.scope.account_id,
        "gateway_id": one.scope.gateway_id,
        "logs": one.logs,
        "projected": one.projected,
        "changed": one.changed,
        "bytes": one.bytes,
    }
