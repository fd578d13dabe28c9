"""OpenAI's own client for realtime sessions, through a real server to a provider on loopback.

Its extra for them asks for older websockets than the tests have; what it uses of them is the same in both.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import openai
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from support.server import Server, running_server
from support.socket_upstream import SocketUpstream, running_socket_upstream

pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")
"""The client keeps a connection that it opens by itself, which websockets 17.1 began to advise against."""

KEY = "sk-the-providers-own-key"
_numbers = count(1)


@pytest.fixture(scope="module")
def provider() -> Iterator[SocketUpstream]:
    with running_socket_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, provider: SocketUpstream) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("realtime"), GAUGEWAY_UPSTREAMS=json.dumps({"openai": provider.url})
    ) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"realtime-{next(_numbers)}")


def asked(server: Server, gateway: str) -> dict[str, Any]:
    return {"api_key": KEY, "base_url": f"{server.gateway_url(gateway)}/openai"}


def test_a_session(running: Server, place: str, provider: SocketUpstream) -> None:
    said = {"cf-aig-metadata": '{"team": "voice"}', "cf-aig-authorization": f"Bearer {running.token}"}
    with openai.OpenAI(**asked(running, place)) as client:
        query = {"do": "openai", "mark": place}
        with client.realtime.connect(model="gpt-realtime", extra_query=query, extra_headers=said) as session:
            session.session.update(session={"type": "realtime", "instructions": "Be brief."})
            session.response.create()
            kinds: list[str] = []
            for event in session:
                kinds.append(event.type)
                if event.type == "response.done":
                    assert event.response.usage is not None and event.response.usage.output_tokens == 130
                    break
    assert kinds == [
        "session.created",
        "session.updated",
        "response.created",
        "response.output_audio.delta",
        "response.done",
    ]
    seen = provider.wait_for(f"mark={place}")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in seen.headers if name.startswith("cf-")]
    log = running.wait_for_logs(place, 1, timeout=60)[0]
    assert (log["outcome"], log["model"], log["cost_exact"]) == ("success", "gpt-realtime", "0.0096896")
    assert (log["metadata"], log["authentication"]) == ({"team": "voice"}, True)


def test_the_asynchronous_client(running: Server, place: str) -> None:
    async def converse() -> list[str]:
        kinds: list[str] = []
        async with (
            openai.AsyncOpenAI(**asked(running, place)) as client,
            client.realtime.connect(model="gpt-realtime", extra_query={"do": "openai"}) as session,
        ):
            await session.response.create()
            async for event in session:
                kinds.append(event.type)
                if event.type == "response.done":
                    break
        return kinds

    assert asyncio.run(converse())[-1] == "response.done"
    assert running.wait_for_logs(place, 1, timeout=60)[0]["tokens_out"] == 130


def test_a_refusal_and_a_session_that_a_budget_ends(running: Server) -> None:
    rules = [{"id": "all", "limitType": "cost", "limit": 3.08, "window": 86_400_000}]
    limits = {"enabled": True, "rules": rules}
    place = running.make_gateway(f"realtime-{next(_numbers)}", spend_limits=limits)
    query = {"do": "openai"}
    with openai.OpenAI(**asked(running, place), max_retries=0) as client:
        with client.realtime.connect(model="gpt-realtime", extra_query=query) as session:
            session.response.create()
            with pytest.raises(ConnectionClosedError) as closed:
                while True:
                    session.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert closed.value.rcvd.reason.startswith("Spend limit exceeded")
        with (
            pytest.raises(InvalidStatus) as refused,
            client.realtime.connect(model="gpt-realtime", extra_query=query),
        ):
            pass
        assert refused.value.response.status_code == 429
