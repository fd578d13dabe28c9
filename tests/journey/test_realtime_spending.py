"""Realtime sessions under spend limits, through a real server of two processes to a real loopback provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from support.server import Server, running_server
from support.socket_upstream import SocketUpstream, running_socket_upstream

_numbers = count(1)
WAIT = 60
ANSWER = Decimal("0.0096896")
"""Dollars that a response of the provider's costs: gpt-realtime, by what it reports."""
MOST = Decimal("3.072")
"""What one may cost at most: a context window of 32,000 tokens at 32 dollars a million, and one at 64."""


@pytest.fixture(scope="module")
def provider() -> Iterator[SocketUpstream]:
    with running_socket_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory, provider: SocketUpstream) -> Iterator[Server]:
    upstreams = json.dumps(dict.fromkeys(("openai", "google-ai-studio", "elevenlabs"), provider.url))
    folder = tmp_path_factory.mktemp("sessions")
    with running_server(folder, workers=2, GAUGEWAY_UPSTREAMS=upstreams) as server:
        yield server


def limited(server: Server, limit: Decimal) -> str:
    rules = [{"id": "all", "limitType": "cost", "limit": float(limit), "window": 86_400_000, "technique": "fixed"}]
    return server.make_gateway(f"gateway-{next(_numbers)}", spend_limits={"enabled": True, "rules": rules})


def dial(server: Server, gateway: str, path: str = "openai?model=gpt-realtime&do=openai") -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/v1/{server.account_id}/{gateway}/{path}"
    headers = {"authorization": "Bearer sk-the-providers-own-key"}
    return connect(url, additional_headers=headers, open_timeout=WAIT, close_timeout=5, proxy=None, legacy=True)


def until(ws: ClientConnection, kind: str) -> None:
    while json.loads(ws.recv(WAIT))["type"] != kind:
        pass


def ask(ws: ClientConnection, **more: Any) -> None:
    ws.send(json.dumps({"type": "response.create", **more}))


def closed(ws: ClientConnection) -> tuple[int | None, str]:
    """The code and reason that the session is closed with."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            ws.recv(WAIT)
    received = caught.value.rcvd
    return (None, "") if received is None else (received.code, received.reason)


def log_of(server: Server, gateway: str, number: int = 1) -> dict[str, Any]:
    return server.wait_for_logs(gateway, number, timeout=WAIT)[0]


def budget(server: Server, gateway: str) -> tuple[Decimal, Decimal]:
    """What is spent and what is reserved; once the session's log is there, it is settled."""
    (shown,) = server.manage("GET", f"/gateways/{gateway}/spend_limits")
    return Decimal(shown["spent"]), Decimal(shown["reserved"])


def test_each_response_is_reserved_and_settled_as_it_ends(sockets: Server) -> None:
    gateway = limited(sockets, Decimal(10))
    with dial(sockets, gateway) as ws:
        until(ws, "session.created")
        assert budget(sockets, gateway) == (0, MOST)
        for number in (1, 2):
            ask(ws)
            until(ws, "response.done")
            assert ws.ping().wait(WAIT), "an answer to this comes after what that message has led to"
            assert budget(sockets, gateway) == (number * ANSWER, MOST)
    log = log_of(sockets, gateway)
    assert (log["outcome"], Decimal(log["cost_exact"])) == ("success", 2 * ANSWER)
    assert log["priced_by"].startswith("genai-prices")
    assert budget(sockets, gateway) == (2 * ANSWER, 0)


def test_a_session_ends_where_the_next_response_has_no_room(sockets: Server, provider: SocketUpstream) -> None:
    gateway = limited(sockets, MOST + ANSWER * Decimal("1.5"))
    with dial(sockets, gateway, f"openai?model=gpt-realtime&do=openai&mark={gateway}") as ws:
        for _ in range(2):
            ask(ws)
            until(ws, "response.done")
        code, reason = closed(ws)
    assert code == 1008
    assert reason.startswith("Spend limit exceeded: rule 'all'")
    seen = provider.wait_for(f"mark={gateway}")
    assert seen.ended.wait(WAIT)
    assert seen.close_code == 1008
    log = log_of(sockets, gateway)
    assert (log["outcome"], Decimal(log["cost_exact"])) == ("spend_limited", 2 * ANSWER)
    assert "a response may cost up to $3.072" in log["error"]
    assert budget(sockets, gateway) == (2 * ANSWER, 0)
    with pytest.raises(InvalidStatus) as refused:
        dial(sockets, gateway)
    assert refused.value.response.status_code == 429


def test_sessions_at_once_share_the_budget(sockets: Server) -> None:
    gateway = limited(sockets, MOST * 2)
    with dial(sockets, gateway) as first, dial(sockets, gateway) as second:
        with pytest.raises(InvalidStatus) as refused:
            dial(sockets, gateway)
        assert refused.value.response.status_code == 429
        ask(first)
        until(first, "response.done")
        assert closed(first)[0] == 1008, "what it has used leaves no room for two such responses"
        ask(second)
        until(second, "response.done")
    assert budget(sockets, gateway)[0] <= MOST * 2


def test_a_response_beside_another_without_room_counts_in_full_and_ends_the_session(sockets: Server) -> None:
    gateway = limited(sockets, MOST + ANSWER)
    with dial(sockets, gateway) as ws:
        ask(ws, parallel=True, unfinished=True)
        assert closed(ws)[0] == 1008
    log = log_of(sockets, gateway)
    assert (log["outcome"], log["cost"]) == ("spend_limited", None)
    assert log["cost_reason"].endswith("; the spend limits count 6.144 dollars")
    assert budget(sockets, gateway) == (2 * MOST, 0)


def test_responses_at_once_that_have_room_are_each_reserved(sockets: Server) -> None:
    gateway = limited(sockets, MOST * 3)
    with dial(sockets, gateway) as ws:
        ask(ws, parallel=True)
        until(ws, "response.done")
        assert ws.ping().wait(WAIT)
        assert budget(sockets, gateway) == (ANSWER, 2 * MOST)
    assert "counts" not in (log_of(sockets, gateway)["error"] or "")
    assert budget(sockets, gateway) == (ANSWER + MOST, 0), "the one under way counts in full"


def test_a_response_that_a_hang_up_cuts_counts_in_full(sockets: Server) -> None:
    gateway = limited(sockets, Decimal(10))
    with dial(sockets, gateway) as ws:
        ask(ws)
        until(ws, "response.done")
        ask(ws, unfinished=True)
        until(ws, "response.output_audio.delta")
    log = log_of(sockets, gateway)
    assert log["cost"] is None
    assert log["cost_reason"].endswith(f"; the spend limits count {ANSWER + MOST} dollars")
    assert budget(sockets, gateway) == (ANSWER + MOST, 0)


@pytest.mark.parametrize(
    "session",
    [
        {"audio": {"input": {"transcription": {"model": "whisper-1"}}}},
        {"input_audio_transcription": {"model": "whisper-1"}},
        {"type": "transcription"},
    ],
)
def test_a_session_that_is_to_be_transcribed_ends_before_it_costs(sockets: Server, session: dict[str, Any]) -> None:
    gateway = limited(sockets, Decimal(10))
    with dial(sockets, gateway) as ws:
        ask(ws)
        until(ws, "response.done")
        ws.send(json.dumps({"type": "session.update", "session": session}))
        code, reason = closed(ws)
    assert code == 1008
    assert "its input is to be transcribed by another model" in reason
    log = log_of(sockets, gateway)
    assert (log["outcome"], Decimal(log["cost_exact"])) == ("spend_limited", ANSWER)
    assert budget(sockets, gateway) == (ANSWER, 0)


def test_a_response_that_reports_nothing_counts_in_full_and_ends_the_session(sockets: Server) -> None:
    gateway = limited(sockets, Decimal(10))
    with dial(sockets, gateway) as ws:
        ask(ws, silent=True)
        assert closed(ws) == (
            1008,
            "Spend limits cannot count the session: a response of the session reported no usage",
        )
    log = log_of(sockets, gateway)
    assert log["cost"] is None
    assert "reported no usage; the spend limits count 3.072 dollars" in log["cost_reason"]
    assert budget(sockets, gateway) == (MOST, 0)


def test_a_session_that_uses_nothing_gives_everything_back(sockets: Server) -> None:
    gateway = limited(sockets, MOST)
    for number in (1, 2):
        with dial(sockets, gateway) as ws:
            until(ws, "session.created")
        assert log_of(sockets, gateway, number)["outcome"] == "success"
        assert budget(sockets, gateway) == (0, 0)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("openai", "cannot count"),
        ("openai?model=gpt-unheard-of", "no price is known"),
        ("openai/responses?model=gpt-realtime", "what it costs cannot be told beforehand"),
        ("google-ai-studio?model=gemini-2.5-flash", "what it costs cannot be told beforehand"),
        ("elevenlabs?agent_id=a", "what it costs cannot be told beforehand"),
    ],
)
def test_what_nothing_bounds_is_refused(sockets: Server, path: str, said: str) -> None:
    gateway = limited(sockets, Decimal(10))
    with pytest.raises(InvalidStatus) as refused:
        dial(sockets, gateway, path)
    body = json.loads(refused.value.response.body)
    assert (refused.value.response.status_code, body["error"][0]["code"]) == (400, 7001)
    assert said in body["message"]
