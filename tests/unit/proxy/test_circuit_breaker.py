"""An upstream that keeps failing is left alone, tried once, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from gaugeway.core.errors import CircuitOpen, ConnectFailed, ProtocolBroken, Side, UpstreamFailure, UpstreamTimeout
from gaugeway.proxy.connectors.breaking import Breaker, BreakingConnector
from gaugeway.proxy.connectors.seam import Incoming, Outgoing, Timers


class Answer:
    whole: bytes | None = b""

    def __init__(self, status: int) -> None:
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = []

    async def read(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class Scripted:
    """Answers with a status or fails, as `says` tells at that moment."""

    def __init__(self) -> None:
        self.says: int | UpstreamFailure | asyncio.Event = 200
        self.asked = 0

    async def open(self, request: Outgoing) -> Incoming:
        self.asked += 1
        says = self.says
        if isinstance(says, asyncio.Event):
            await says.wait()
            return Answer(200)
        if isinstance(says, UpstreamFailure):
            raise says
        return Answer(says)

    async def aclose(self) -> None:
        pass


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def request(host: str = "one.example") -> Outgoing:
    timers = Timers(connect=1, first_byte=1, idle=1)
    return Outgoing(b"POST", "https", host, 443, b"/", [], b"", timers)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def connector(scripted: Scripted, time: Callable[[], float]) -> BreakingConnector:
    return BreakingConnector(scripted, Breaker(3, 10.0, time))


async def fail(connector: BreakingConnector, times: int) -> None:
    for _ in range(times):
        with suppress(ConnectFailed, UpstreamTimeout, ProtocolBroken):
            await connector.open(request())


@pytest.mark.parametrize(
    "failure", [500, 503, ConnectFailed("refused"), UpstreamTimeout("late"), ProtocolBroken("nonsense")]
)
async def test_after_enough_failures_nothing_is_sent(
    connector: BreakingConnector, scripted: Scripted, failure: int | UpstreamFailure
) -> None:
    scripted.says = failure
    await fail(connector, 3)
    with pytest.raises(CircuitOpen, match=r"one\.example:443 .* 3 times .* 10\.0 s"):
        await connector.open(request())
    assert scripted.asked == 3
    await fail_elsewhere(connector, scripted)


async def fail_elsewhere(connector: BreakingConnector, scripted: Scripted) -> None:
    """Another upstream is none of its concern."""
    scripted.says = 200
    assert (await connector.open(request("two.example"))).status == 200


async def test_a_good_answer_between_begins_the_count_anew(
    connector: BreakingConnector, scripted: Scripted
) -> None:
    for _ in range(3):
        scripted.says = 500
        await fail(connector, 2)
        scripted.says = 404
        await connector.open(request())
    assert scripted.asked == 9


@pytest.mark.parametrize("harmless", [429, 408, 401, ConnectFailed("not allowed", side=Side.POLICY)])
async def test_what_is_no_failure_of_the_upstream(
    connector: BreakingConnector, scripted: Scripted, harmless: int | UpstreamFailure
) -> None:
    scripted.says = harmless
    await fail(connector, 10)
    assert scripted.asked == 10


async def test_one_request_finds_out_whether_it_has_recovered(
    connector: BreakingConnector, scripted: Scripted, time: Time
) -> None:
    scripted.says = 500
    await fail(connector, 3)
    time.now = 10.0
    assert (await connector.open(request())).status == 500  # the probe; it failed
    with pytest.raises(CircuitOpen):
        await connector.open(request())
    time.now = 20.0
    answer = scripted.says = asyncio.Event()
    probe = asyncio.create_task(connector.open(request()))
    await asyncio.sleep(0)
    with pytest.raises(CircuitOpen, match="under way"):
        await connector.open(request())
    answer.set()
    assert (await probe).status == 200
    scripted.says = 500
    await fail(connector, 2)
    assert scripted.asked == 7, "it is taken back, and counts from the start"


async def test_a_probe_that_was_given_up_leaves_its_place_to_the_next(
    connector: BreakingConnector, scripted: Scripted, time: Time
) -> None:
    scripted.says = 500
    await fail(connector, 3)
    time.now = 10.0
    scripted.says = asyncio.Event()
    probe = asyncio.create_task(connector.open(request()))
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    scripted.says = 200
    assert (await connector.open(request())).status == 200
