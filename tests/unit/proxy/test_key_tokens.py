"""Tokens that keys are exchanged for: asked for once, and again shortly before their end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gaugeway.core.errors import ConnectFailed, CredentialRefused, ProtocolBroken
from gaugeway.core.provider import TokenRequest
from gaugeway.proxy.connectors.seam import Incoming, Outgoing, Timers
from gaugeway.proxy.exchange import Address
from gaugeway.proxy.key_tokens import MAX_ANSWER, MAX_KEPT, KeyTokens

TIMERS = Timers(connect=1, first_byte=1, idle=1)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def now_ms(self) -> int:
        return self.now


class Exchange:
    """Keys are named by their own text; an answer is `token lifetime`."""

    upstream = "their-oauth"

    def ask(self, key: str, at_ms: int) -> TokenRequest:
        return TokenRequest(host="oauth.example", target=b"/token", headers=[(b"x", b"y")], body=key.encode())

    def read(self, answer: bytes) -> tuple[str, int]:
        token, lifetime = answer.decode().split()
        return token, int(lifetime)


class Answered:
    """An answer that is there at once."""

    headers: list[tuple[bytes, bytes]]

    def __init__(self, status: int, body: bytes, pieces: int) -> None:
        self.status, self.headers = status, []
        self.whole = body if pieces == 1 else None
        self._rest = [
            body[at : at + -(-len(body) // pieces)] for at in range(0, len(body), -(-len(body) // pieces))
        ]
        self.closed = False

    async def read(self) -> bytes:
        return self._rest.pop(0) if self._rest else b""

    def close(self) -> None:
        self.closed = True


class Issuer:
    """A connector behind which tokens are given out, numbered."""

    def __init__(self) -> None:
        self.asked: list[Outgoing] = []
        self.gate: asyncio.Event | None = None
        self.status, self.body, self.pieces = 200, b"", 1
        self.failure: Exception | None = None

    async def open(self, request: Outgoing) -> Incoming:
        self.asked.append(request)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        body = self.body or b"token-%d 3600" % len(self.asked)
        return Answered(self.status, body, self.pieces)

    async def aclose(self) -> None:
        pass


def made(**upstreams: Address) -> tuple[KeyTokens, Issuer, Clock]:
    issuer, clock = Issuer(), Clock()
    return KeyTokens(issuer, TIMERS, clock, dict(upstreams)), issuer, clock


async def test_a_token_is_asked_for_once_and_again_before_its_end() -> None:
    tokens, issuer, clock = made()
    assert [await tokens.token(Exchange(), "k") for _ in range(3)] == ["token-1"] * 3
    [asked] = issuer.asked
    assert (asked.method, asked.scheme, asked.host, asked.port) == (b"POST", "https", "oauth.example", 443)
    assert (asked.target, asked.headers, asked.body, asked.guarded) == (b"/token", [(b"x", b"y")], b"k", True)
    clock.now += (3600 - 300) * 1000 - 1
    assert await tokens.token(Exchange(), "k") == "token-1"
    clock.now += 1
    assert await tokens.token(Exchange(), "k") == "token-2"


async def test_a_short_lived_token_is_kept_for_most_of_its_life() -> None:
    tokens, issuer, clock = made()
    issuer.body = b"short 100"
    await tokens.token(Exchange(), "k")
    clock.now += 89_999
    await tokens.token(Exchange(), "k")
    assert len(issuer.asked) == 1
    clock.now += 1
    await tokens.token(Exchange(), "k")
    assert len(issuer.asked) == 2


async def test_keys_have_tokens_of_their_own() -> None:
    tokens, issuer, _ = made()
    assert [await tokens.token(Exchange(), key) for key in ("a", "b", "a")] == ["token-1", "token-2", "token-1"]
    assert len(issuer.asked) == 2


async def test_many_at_once_make_one_exchange_that_no_leaving_client_ends() -> None:
    tokens, issuer, _ = made()
    issuer.gate = asyncio.Event()
    waiting = [asyncio.create_task(tokens.token(Exchange(), "k")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    issuer.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == ["token-1"] * 49
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, b'{"error":"invalid_grant","error_description":"Invalid JWT"}', "400 invalid_grant: Invalid JWT"),
        (401, b'{"error":"unauthorized_client"}', "401 unauthorized_client"),
        (503, b"<html>", "503"),
        (400, b'{"error":"a\\nb"}', "400"),
    ],
)
async def test_a_refusal_says_why_and_is_not_kept(status: int, body: bytes, message: str) -> None:
    tokens, issuer, _ = made()
    issuer.status, issuer.body = status, body
    with pytest.raises(CredentialRefused) as refused:
        await tokens.token(Exchange(), "k")
    assert refused.value.message == f"No token was given for the key: {message}"
    issuer.status, issuer.body = 200, b""
    assert await tokens.token(Exchange(), "k") == "token-2"


async def test_a_failure_reaches_everybody_who_waits() -> None:
    tokens, issuer, _ = made()
    issuer.gate, issuer.failure = asyncio.Event(), ConnectFailed("no way")
    waiting: Any = [asyncio.create_task(tokens.token(Exchange(), "k")) for _ in range(3)]
    await asyncio.sleep(0)
    issuer.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, ConnectFailed) for result in results)


async def test_an_answer_in_pieces_and_one_that_does_not_end() -> None:
    tokens, issuer, _ = made()
    issuer.pieces = 3
    assert await tokens.token(Exchange(), "k") == "token-1"
    issuer.body, issuer.pieces = b"x" * (MAX_ANSWER + 10), 4
    with pytest.raises(ProtocolBroken, match="too long"):
        await tokens.token(Exchange(), "other")


async def test_an_operator_may_have_it_made_elsewhere() -> None:
    tokens, issuer, _ = made(**{"their-oauth": Address.of("http://127.0.0.1:99/base")})
    await tokens.token(Exchange(), "k")
    [asked] = issuer.asked
    assert (asked.scheme, asked.host, asked.port, asked.target) == ("http", "127.0.0.1", 99, b"/base/token")
    assert asked.guarded is False


async def test_made_up_keys_do_not_fill_the_memory() -> None:
    tokens, issuer, _ = made()
    for number in range(MAX_KEPT + 1):
        await tokens.token(Exchange(), str(number))
    await tokens.token(Exchange(), "0")
    assert len(issuer.asked) == MAX_KEPT + 2
