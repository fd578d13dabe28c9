"""The guard: from a host to the addresses that a connection may be made to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable

from gaugeway.core.addresses import AllowedPrivate, Network
from gaugeway.core.errors import ConnectFailed, Side

_MOST_ADDRESSES = 8  # tried for one connection, however many a resolver names

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to literal addresses, in the order to try them; raises OSError where the name is unknown."""


async def ask_system(host: str, port: int) -> list[str]:
    """What the system's resolver says. It also reads addresses, in all their spellings."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    internet = (socket.AF_INET, socket.AF_INET6)
    return [str(entry[4][0]) for entry in found if entry[0] in internet]


class AddressGuard:
    """Resolves a host, and yields only addresses that one may connect to.

    The check is on the very address that the connection is then made to. So neither an odd spelling of an
    address, nor a name whose answers change from one look-up to the next, gets past it.
    """

    def __init__(
        self, networks: Iterable[Network] = (), hosts: Iterable[str] = (), look_up: LookUp = ask_system
    ) -> None:
        """`networks` and `hosts`: the private ones that are allowed (Settings.private_networks, private_hosts)."""
        self._allowed = AllowedPrivate(networks, hosts)
        self._look_up = look_up

    def check_literal(self, host: str) -> str | None:
        """Why a host can be refused by its spelling alone; None where only its addresses can tell."""
        return self._allowed.check_literal(host)

    async def resolve(self, host: str, port: int, *, guarded: bool) -> list[str]:
        """Literal addresses of `host` to try in this order, at least one.

        Raises ConnectFailed: there is none, or (POLICY) a guarded request may go to none of them.
        """
        try:
            found = await self._look_up(host, port)
        except (OSError, UnicodeError) as problem:
            raise ConnectFailed(f"The host {host!r} cannot be resolved: {problem}.") from problem
        addresses = list(dict.fromkeys(found))[:_MOST_ADDRESSES]
        if not addresses:
            raise ConnectFailed(f"The host {host!r} has no internet address.")
        if not guarded:
            return addresses
        refusals = {address: self._allowed.refusal(host, address) for address in addresses}
        allowed = [address for address, refusal in refusals.items() if refusal is None]
        if not allowed:
            raise ConnectFailed(refusals[addresses[0]] or "", side=Side.POLICY)
        return allowed
