"""The guard: from a host to the addresses that a connection may be made to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from gaugeway.core.addresses import AllowedPrivate, Network
from gaugeway.core.errors import ConnectFailed, Side

_MOST_ADDRESSES = 8  # tried for one connection, however many a resolver names


class AddressGuard:
    """Resolves a host, and yields only addresses that one may connect to.

    The check is on the very address that the connection is then made to. So neither an odd spelling of an
    address, nor a name whose answers change from one look-up to the next, gets past it.
    """

    def __init__(self, networks: Iterable[Network] = (), hosts: Iterable[str] = ()) -> None:
        """`networks` and `hosts`: the private ones that are allowed (Settings.private_networks, private_hosts)."""
        self._allowed = AllowedPrivate(networks, hosts)

    def check_literal(self, host: str) -> str | None:
        """Why a host can be refused by its spelling alone; None where only its addresses can tell."""
        return self._allowed.check_literal(host)

    def check_address(self, host: str, address: str) -> None:
        """Raise ConnectFailed (POLICY) where a guarded request to `host` may not go to `address`."""
        refusal = self._allowed.refusal(host, address)
        if refusal is not None:
            raise ConnectFailed(refusal, side=Side.POLICY)

    async def resolve(self, host: str, port: int, *, guarded: bool) -> list[str]:
        """Literal addresses of `host` to try in this order, at least one; raises ConnectFailed."""
        addresses = await _look_up(host, port)
        if not guarded:
            return addresses
        allowed: list[str] = []
        refused: ConnectFailed | None = None
        for address in addresses:
            try:
                self.check_address(host, address)
            except ConnectFailed as refusal:
                refused = refused or refusal
            else:
                allowed.append(address)
        if not allowed and refused is not None:
            raise refused
        return allowed


async def _look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as problem:
        raise ConnectFailed(f"The host {host!r} cannot be resolved: {problem}") from problem
    internet = (socket.AF_INET, socket.AF_INET6)
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found if entry[0] in internet)
    if not addresses:
        raise ConnectFailed(f"The host {host!r} has no internet address")
    return list(addresses)[:_MOST_ADDRESSES]
