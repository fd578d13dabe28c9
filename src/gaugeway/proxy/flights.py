"""Single flight: of the requests that ask the same at once, one asks the provider, and the others wait for it.

Within a process they are told how its flight ends. Of several processes one has the lead, by a lock that the others
look at, and finds its way into the store (see caching.py).
"""

from __future__ import annotations

import asyncio
from enum import Enum

from msgspec import Struct

from gaugeway.core.model import Scope
from gaugeway.core.ports import CachedAnswer, FlightLocks

Name = tuple[bytes, int]
"""A cache key and the gateway's `modified_at`: whoever comes after a change does not join those from before it."""


class End(Enum):
    """Why a flight brought its followers no answer."""

    LEADER_GONE = "its client hung up: the next in line asks"
    EACH_ALONE = "there is no answer for others, or not soon: each asks for itself"


class Flight:
    """One request's call, on behalf of all that ask the same meanwhile."""

    __slots__ = ("_ended", "_flights", "_name")

    def __init__(self, flights: Flights, name: Name) -> None:
        self._flights = flights
        self._name = name
        self._ended: asyncio.Future[CachedAnswer | End] = asyncio.get_running_loop().create_future()

    async def follow(self) -> CachedAnswer | End:
        """Wait for its end."""
        return await asyncio.shield(self._ended)  # a follower that is cancelled takes nobody along

    def land(self, answer: CachedAnswer) -> None:
        """Give the answer to all followers; and to those who still come, until `leave`."""
        if not self._ended.done():
            self._ended.set_result(answer)

    def end(self, why: End) -> None:
        """Let the followers go without an answer, where there is none yet."""
        if not self._ended.done():
            self._ended.set_result(why)
            self.leave()

    def leave(self) -> None:
        """Take no more followers."""
        self._flights.remove(self._name, self)


class Flights:
    """Those under way in this process."""

    def __init__(self, locks: FlightLocks) -> None:
        self._locks = locks
        self._under_way: dict[Name, Flight] = {}

    def find(self, name: Name) -> Flight | None:
        """The one that asks the same."""
        return self._under_way.get(name)

    def start(self, name: Name) -> Flight:
        """A new one that others can follow."""
        flight = self._under_way[name] = Flight(self, name)
        return flight

    def alone(self, name: Name) -> Flight:
        """A new one that nobody follows."""
        return Flight(self, name)

    def take_lead(self, name: Name) -> bool:
        """Whether no other process asks the same: this one has the lead until its flight leaves, or `free_lead`.

        Raises StoreUnusable.
        """
        return self._locks.take(_lock_name(name))

    def free_lead(self, name: Name) -> None:
        """Let other processes have the lead."""
        self._locks.free(_lock_name(name))

    def remove(self, name: Name, flight: Flight) -> None:
        """See Flight.leave."""
        if self._under_way.get(name) is flight:
            del self._under_way[name]
            self.free_lead(name)


def _lock_name(name: Name) -> bytes:
    key, modified_at = name
    return key + modified_at.to_bytes(8)


class Filling(Struct, kw_only=True):
    """What is to be done with the answer to a request that the cache could not answer."""

    key: bytes
    scope: Scope
    flight: Flight
    lifetime: int  # seconds
    streams: bool
    turn: int  # the target whose answer it is; another one's must not take its place
    asked_at: int  # ms
    timer: asyncio.TimerHandle | None = None
