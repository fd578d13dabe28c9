"""A connection to an upstream, of whatever protocol: addresses from the guard, one after the other, and TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from gaugeway.core.errors import ConnectFailed, Side, UpstreamTimeout
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.pool import Origin


class Dialled(Protocol):
    """What the dialler needs to know of an asyncio.Protocol beside."""

    def is_usable(self) -> bool:
        """Whether its connection is still there."""
        ...

    def connection_lost(self, exc: Exception | None) -> None: ...
    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


P = TypeVar("P", bound=Dialled)


class Dialler:
    """Makes connections to origins, only to addresses that the guard lets through."""

    def __init__(self, guard: AddressGuard, ssl_context: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._ssl = ssl_context

    async def dial(self, origin: Origin, seconds: float, make: Callable[[], P]) -> P:
        """A connection with the protocol that `make` makes. Raises ConnectFailed and UpstreamTimeout."""
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._guard.resolve(origin.host, origin.port, guarded=origin.guarded)
                return await self._connect_to_one_of(addresses, origin, seconds, make)
        except TimeoutError as problem:
            raise UpstreamTimeout(
                f"No connection to {origin.host}:{origin.port} within {seconds:g} s.",
                side=Side.NETWORK,
                safe_to_retry=True,
            ) from problem

    async def _connect_to_one_of(
        self, addresses: list[str], origin: Origin, seconds: float, make: Callable[[], P]
    ) -> P:
        """The first address that can be connected to; each gets its share of the time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        failure: ConnectFailed | None = None
        for position, address in enumerate(addresses):
            left = len(addresses) - position
            share = (deadline - loop.time()) / left
            try:
                if left == 1:
                    return await self._connect_to(address, origin, make)
                async with asyncio.timeout(share):
                    return await self._connect_to(address, origin, make)
            except TimeoutError:
                failure = ConnectFailed(f"{origin.host}:{origin.port} ({address}) did not answer in its time.")
            except ConnectFailed as problem:
                failure = problem
        raise failure or ConnectFailed(f"{origin.host} has no address.")

    async def _connect_to(self, address: str, origin: Origin, make: Callable[[], P]) -> P:
        loop = asyncio.get_running_loop()
        where = f"{origin.host}:{origin.port} ({address})"
        protocol = make()
        as_asyncio_s = cast("asyncio.Protocol", protocol)
        try:
            if origin.scheme == "https":
                await loop.create_connection(
                    lambda: as_asyncio_s,
                    address,
                    origin.port,
                    ssl=self._tls(),
                    server_hostname=origin.host,
                )
            else:
                await loop.create_connection(lambda: as_asyncio_s, address, origin.port)
        except ssl.SSLError as problem:
            reason = getattr(problem, "verify_message", "") or problem.reason or problem
            raise ConnectFailed(f"TLS with {where} failed: {reason}.", side=Side.PROVIDER) from problem
        except OSError as problem:
            raise ConnectFailed(f"No connection to {where}: {problem.strerror or problem}.") from problem
        if not protocol.is_usable():
            raise ConnectFailed(f"The connection to {where} was closed before anything was sent.")
        return protocol

    def _tls(self) -> ssl.SSLContext:
        if self._ssl is None:
            self._ssl = ssl.create_default_context()
            self._ssl.set_alpn_protocols(["http/1.1"])
        return self._ssl
