"""Where sealed secrets stand in `state.db`, so that all of them can be sealed anew together."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.stores.sqlite.connection import Connection


class Sealed(Struct, frozen=True):
    """A sealed secret: in which table, of which row, and what it is bound to."""

    table: str
    id: str
    about: str
    sealed: bytes

    def put(self, connection: Connection, sealed: bytes) -> None:
        """Another seal in the place of this one."""
        sql = f"UPDATE {self.table} SET sealed = ? WHERE id = ?"  # noqa: S608  a constant of this file
        connection.execute(sql, (sealed, self.id))


def about_config(account_id: str, gateway_id: str, config_id: str) -> str:
    """What a provider key is bound to."""
    return f"{account_id}/{gateway_id}/{config_id}"


def about_monitor(account_id: str, gateway_id: str, monitor_id: str) -> str:
    """What the secret of a monitor's webhook is bound to."""
    return f"{account_id}/{gateway_id}/monitor/{monitor_id}"


def all_sealed(connection: Connection) -> list[Sealed]:
    """Every sealed secret."""
    found: list[Sealed] = []
    for table, about in (("provider_configs", about_config), ("monitors", about_monitor)):
        sql = f"SELECT id, account_id, gateway_id, sealed FROM {table} WHERE sealed IS NOT NULL"  # noqa: S608
        rows = connection.execute(sql).fetchall()
        found += [
            Sealed(table, id_, about(account, gateway, id_), sealed) for id_, account, gateway, sealed in rows
        ]
    return found
