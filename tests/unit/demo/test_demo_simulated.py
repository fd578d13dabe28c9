"""The simulated upstream speaks OpenAI's language, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gaugeway.demo.simulated import application

MESSAGES = [{"role": "user", "content": "one two three"}]


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with TestServer(application()) as server, aiohttp.ClientSession(server.make_url("/")) as session:
        yield session


async def test_an_answer_at_once(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/chat/completions", json={"messages": MESSAGES, "max_tokens": 5}) as answer:
        body = await answer.json()
    assert answer.status == 200
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    assert len(body["choices"][0]["message"]["content"].split()) == 5


@pytest.mark.parametrize("include_usage", [True, False])
async def test_a_stream(client: aiohttp.ClientSession, include_usage: bool) -> None:
    body = {
        "messages": MESSAGES,
        "max_tokens": 4,
        "stream": True,
        "stream_options": {"include_usage": include_usage},
    }
    async with client.post("/v1/chat/completions", json=body) as answer:
        assert answer.content_type == "text/event-stream"
        events = [event.removeprefix("data: ") for event in (await answer.text()).split("\n\n") if event]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    words = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]).split()
    assert len(words) == 4
    usages = [chunk["usage"] for chunk in chunks if "usage" in chunk]
    assert usages == ([{"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}] if include_usage else [])


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": "hello"}', b"{}"])
async def test_a_bad_request(client: aiohttp.ClientSession, body: bytes) -> None:
    async with client.post("/v1/chat/completions", data=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["type"] == "invalid_request_error"


async def test_an_unknown_path(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/nothing", json={}) as answer:
        assert answer.status == 404
        assert "/v1/nothing" in (await answer.json())["error"]["message"]


async def test_an_answer_has_an_end(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/chat/completions", json={"messages": MESSAGES, "max_tokens": 0}) as answer:
        assert (await answer.json())["usage"]["completion_tokens"] == 0
