"""The official clients of the providers, with only the base URL changed."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from support.server import Server
from support.upstream import WORDS

MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def client(server: Server, gateway: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        api_key="sk-own-key", base_url=f"{server.gateway_url(gateway)}/openai", max_retries=0, timeout=30
    ) as made:
        yield made


def test_openai_chat(client: openai.OpenAI, server: Server, gateway: str) -> None:
    raw = client.chat.completions.with_raw_response.create(model="ok", messages=MESSAGES)
    answer = raw.parse()
    assert answer.choices[0].message.content == "".join(WORDS)
    assert answer.usage is not None
    assert answer.usage.total_tokens == 30
    assert [log["id"] for log in server.logs(gateway)] == [raw.headers["cf-aig-log-id"]]


def test_openai_stream(client: openai.OpenAI, server: Server, gateway: str) -> None:
    stream = client.chat.completions.create(
        model="ok", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert words == WORDS
    assert chunks[-1].usage is not None
    log = server.logs(gateway)[0]
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (20, 10, "success")


def test_openai_sees_a_cut_stream_as_an_error(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="cut", messages=MESSAGES, stream=True)
    with pytest.raises(Exception, match=r"incomplete|peer closed|disconnected|Connection"):
        list(stream)


def test_openai_sees_a_providers_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="as asked"):
        client.chat.completions.create(model="error-429", messages=MESSAGES)


async def test_openai_async(server: Server, gateway: str) -> None:
    async with openai.AsyncOpenAI(
        api_key="sk-own-key", base_url=f"{server.gateway_url(gateway)}/openai", max_retries=0
    ) as client:
        answer = await client.chat.completions.create(model="ok", messages=MESSAGES)
    assert answer.choices[0].message.content == "".join(WORDS)


@pytest.fixture
def claude(server: Server, gateway: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        api_key="sk-ant-own-key", base_url=f"{server.gateway_url(gateway)}/anthropic", max_retries=0, timeout=30
    ) as made:
        yield made


def test_anthropic_message(claude: anthropic.Anthropic, server: Server, gateway: str) -> None:
    answer = claude.messages.create(model="claude-message", max_tokens=50, messages=MESSAGES)
    assert answer.content[0].text == "".join(WORDS)
    log = server.logs(gateway)[0]
    assert (log["provider"], log["model"], log["path"]) == ("anthropic", "claude-message", "v1/messages")
    # 20 new, 6 read from the cache, 4 written to it: Anthropic counts them apart, the log together
    assert (log["tokens_in"], log["tokens_out"]) == (30, 10)


def test_anthropic_stream(claude: anthropic.Anthropic, server: Server, gateway: str) -> None:
    with claude.messages.stream(model="claude-message", max_tokens=50, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream) == "".join(WORDS)
    log = server.logs(gateway)[0]
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (30, 10, "success")


def test_anthropic_sees_a_gateways_refusal(server: Server) -> None:
    gateway = server.make_gateway("anthropic-locked", authentication=True)
    url = f"{server.gateway_url(gateway)}/anthropic"
    with (
        anthropic.Anthropic(api_key="sk-ant-own-key", base_url=url, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(model="claude-message", max_tokens=50, messages=MESSAGES)


def test_anthropic_uses_a_gateway_token_as_its_key(server: Server) -> None:
    gateway = server.make_gateway("anthropic-token", authentication=True)
    url = f"{server.gateway_url(gateway)}/anthropic"
    with anthropic.Anthropic(api_key=server.token, base_url=url, max_retries=0) as client:
        assert client.messages.create(model="claude-message", max_tokens=50, messages=MESSAGES).content
