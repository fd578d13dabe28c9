"""Fixtures that every kind of test shares: a loopback upstream and a real server process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

from support.chaos_upstream import ChaosUpstream
from support.server import Server, running_server
from support.upstream import Upstream, running_upstream

_numbers = count(1)

# How long an example takes says something of the machine, and nothing of the program.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the storm of `tests/journey/test_chaos.py` is."""
    parser.addoption(
        "--chaos-requests", type=int, default=400, help="requests of the storm in tests/journey/test_chaos.py"
    )


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    """One upstream for the whole run. Do not count what it has seen; look at what is new."""
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, shared_upstream: Upstream) -> Iterator[Server]:
    """One server process for the whole run, with two workers. Make a gateway of your own in it."""
    folder = tmp_path_factory.mktemp("server")
    with running_server(
        folder, shared_upstream.url, workers=2, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1,localhost"
    ) as running:
        yield running


@pytest.fixture
def gateway(server: Server) -> str:
    """A fresh gateway in the shared server."""
    return server.make_gateway(f"gateway-{next(_numbers)}")


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes at the test's end whatever enters it: a client's sockets must not wait for the garbage collector."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An upstream of the test's own."""
    with running_upstream() as own:
        yield own


@pytest.fixture(scope="session")
def chaos() -> Iterator[ChaosUpstream]:
    """One upstream that fails as each request asks it to."""
    with running_upstream(ChaosUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def chaos_server(tmp_path_factory: pytest.TempPathFactory, chaos: ChaosUpstream) -> Iterator[Server]:
    """A server in front of it, with short timers; the provider `groq` refuses every connection."""
    upstreams = {"openai": chaos.url + "/v1", "anthropic": chaos.url, "groq": "http://127.0.0.1:1"}
    with running_server(
        tmp_path_factory.mktemp("chaos-server"),
        GAUGEWAY_UPSTREAMS=json.dumps(upstreams),
        GAUGEWAY_FIRST_BYTE_TIMEOUT="1.5",
        GAUGEWAY_IDLE_TIMEOUT="1",
    ) as running:
        yield running


@pytest.fixture
def chaos_gateway(chaos_server: Server) -> str:
    """A fresh gateway in that server."""
    return chaos_server.make_gateway(f"gateway-{next(_numbers)}")
