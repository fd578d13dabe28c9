"""The official OpenAI client on the OpenAI-compatible endpoint, with providers that speak OpenAI's format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import openai
import pytest

from support.server import Answer, Server, running_server
from support.upstream import WORDS, Upstream, running_upstream

MESSAGES: Any = [{"role": "user", "content": "Say hello."}]
KEY = "sk-the-providers-own-key"
_numbers = count(1)


@pytest.fixture(scope="module")
def taker() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, taker: Upstream) -> Iterator[Server]:
    slugs = ("openai", "groq", "mistral", "perplexity-ai", "grok", "cohere", "workers-ai", "replicate")
    with running_server(
        tmp_path_factory.mktemp("compat"),
        GAUGEWAY_UPSTREAMS=json.dumps({slug: f"{taker.url}/{slug}" for slug in slugs}),
        GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1",
    ) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"compat-{next(_numbers)}")


@pytest.fixture
def client(running: Server, place: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        api_key=KEY, base_url=f"{running.gateway_url(place)}/compat", max_retries=0, timeout=30
    ) as made:
        yield made


def ask(server: Server, gateway: str, body: Any, path: str = "chat/completions", method: str = "POST") -> Answer:
    headers = {"authorization": f"Bearer {KEY}"}
    return server.call(method, f"{server.gateway_url(gateway)}/compat/{path}", body, headers)


def test_chat(client: openai.OpenAI, running: Server, place: str, taker: Upstream) -> None:
    raw = client.chat.completions.with_raw_response.create(model="openai/ok", messages=MESSAGES)
    assert raw.parse().choices[0].message.content == "".join(WORDS)
    assert (raw.headers["cf-aig-provider"], raw.headers["cf-aig-model"]) == ("openai", "ok")
    assert taker.seen[-1].header["authorization"] == f"Bearer {KEY}"
    log = running.logs(place)[0]
    assert log["id"] == raw.headers["cf-aig-log-id"]
    assert (log["provider"], log["model"], log["path"]) == ("openai", "ok", "compat/chat/completions")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (20, 10, "success")


def test_the_log_keeps_what_the_client_sent(client: openai.OpenAI, running: Server, place: str) -> None:
    client.chat.completions.create(model="openai/ok", messages=MESSAGES)
    log = running.logs(place)[0]
    path = f"/client/v4/accounts/{running.account_id}/ai-gateway/gateways/{place}/logs/{log['id']}/request"
    assert running.call("GET", path).json["model"] == "openai/ok"


def test_stream(client: openai.OpenAI, running: Server, place: str) -> None:
    stream = client.chat.completions.create(
        model="groq/ok", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert [chunk.choices[0].delta.content for chunk in chunks if chunk.choices] == WORDS
    log = running.logs(place)[0]
    assert (log["provider"], log["tokens_in"], log["tokens_out"]) == ("groq", 20, 10)


def test_a_cut_stream_stays_cut(client: openai.OpenAI, running: Server, place: str) -> None:
    stream = client.chat.completions.create(model="openai/cut", messages=MESSAGES, stream=True)
    with pytest.raises(Exception, match=r"incomplete|peer closed|disconnected|Connection"):
        list(stream)
    assert running.logs(place)[0]["outcome"] == "stream_cut"


def test_a_providers_error_passes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="as asked"):
        client.chat.completions.create(model="openai/error-429", messages=MESSAGES)


@pytest.mark.parametrize(
    ("model", "named", "target"),
    [
        ("openai/ok", "ok", "/openai/chat/completions"),
        ("groq/openai/ok", "openai/ok", "/groq/chat/completions"),
        ("mistral/ok", "ok", "/mistral/v1/chat/completions"),
        ("perplexity/ok", "ok", "/perplexity-ai/chat/completions"),
        ("perplexity-ai/ok", "ok", "/perplexity-ai/chat/completions"),
        ("xai/ok", "ok", "/grok/v1/chat/completions"),
        ("grok/ok", "ok", "/grok/v1/chat/completions"),
        ("workers-ai/@cf/meta/ok", "@cf/meta/ok", "/workers-ai/{account}/ai/v1/chat/completions"),
    ],
)
def test_where_a_model_goes(
    client: openai.OpenAI, running: Server, taker: Upstream, model: str, named: str, target: str
) -> None:
    client.chat.completions.create(model=model, messages=MESSAGES)
    assert taker.seen[-1].target == target.replace("{account}", running.account_id)
    assert taker.seen[-1].json["model"] == named


def test_everything_else_stays_as_it_was(running: Server, place: str, taker: Upstream) -> None:
    rest = (
        b'"messages" :[ {"role":"user","content":"\\u00e9 \xc3\xa9"}],"temperature":1.0,"n":1e0,"x":{"b":1,"a":[ ]}'
    )
    assert ask(running, place, b'{ "model":"openai\\/ok", ' + rest + b"}").status == 200
    sent = taker.seen[-1].body
    assert json.loads(sent)["model"] == "ok"
    for value in (b'[ {"role":"user","content":"\\u00e9 \xc3\xa9"}]', b"1.0", b"1e0", b'{"b":1,"a":[ ]}'):
        assert value in sent


@pytest.mark.parametrize(
    ("base", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/api/paas/v4/", "/api/paas/v4/chat/completions"),
        ("/v1beta/openai", "/v1beta/openai/chat/completions"),
        ("/llm", "/llm/v1/chat/completions"),
    ],
)
def test_a_custom_provider(
    client: openai.OpenAI, running: Server, place: str, taker: Upstream, base: str, target: str
) -> None:
    slug = f"own-{next(_numbers)}"
    body = {"name": slug, "slug": slug, "base_url": taker.url + base, "enable": True}
    made = running.call("POST", f"/client/v4/accounts/{running.account_id}/ai-gateway/custom-providers", body)
    assert made.status in (200, 201), made.body
    client.chat.completions.create(model=f"custom-{slug}/llama/ok", messages=MESSAGES)
    assert (taker.seen[-1].target, taker.seen[-1].json["model"]) == (target, "llama/ok")
    assert running.logs(place)[0]["provider"] == f"custom-{slug}"


def test_embeddings(running: Server, place: str, taker: Upstream) -> None:
    assert ask(running, place, {"model": "openai/ok", "input": "x"}, "embeddings").status == 200
    assert (taker.seen[-1].target, taker.seen[-1].json) == ("/openai/embeddings", {"model": "ok", "input": "x"})
    assert running.logs(place)[0]["model_type"] == "embeddings"


@pytest.mark.parametrize("path", ["v1/chat/completions", "v1/v1/chat/completions", "chat/completions/"])
def test_other_spellings_of_the_path(running: Server, place: str, path: str) -> None:
    assert ask(running, place, {"model": "openai/ok", "messages": MESSAGES}, path).status == 200


def test_models(client: openai.OpenAI, running: Server, place: str) -> None:
    names = [model.id for model in client.models.list()]
    assert {"openai/gpt-4o", "groq/llama-3.3-70b-versatile", "anthropic/claude-sonnet-4-5"} <= set(names)
    assert not any(name.startswith("fal/") for name in names)
    assert running.logs(place) == []


REFUSED = [
    ({"model": "gpt-4o"}, 2008, "'gpt-4o' does not begin with a provider; there are: "),
    ({"model": "nobody/gpt-4o"}, 2008, "'nobody/gpt-4o' does not begin with a provider"),
    ({"model": "azure-openai/x"}, 2008, "azure-openai is not served at compat/chat/completions; there are: "),
    ({"model": "openai/"}, 2008, "does not begin with a provider"),
    ({"model": "/gpt-4o"}, 2008, "does not begin with a provider"),
    ({"model": "custom-nobody/x"}, 2008, "There is no custom provider 'nobody'"),
    ({"model": "replicate/x"}, 2008, "replicate is not served at compat/chat/completions; there are: "),
    ({"model": "dynamic/"}, 2008, "does not begin with a provider"),
    ({"model": 7}, 2019, "model: expected a text"),
    ({"model": "openai/" + "x" * 300}, 2019, "model: expected at most 256"),
    ({"messages": []}, 2019, "model: is missing"),
    ([], 2019, "must be a JSON object"),
    (b"", 2019, "must be a JSON object"),
    (b"\xff", 2019, "must be a JSON object"),
    (b"[" * 5000, 2019, "must be a JSON object"),
]


@pytest.mark.parametrize(("body", "code", "message"), REFUSED, ids=[str(body)[:40] for body, _, _ in REFUSED])
def test_what_is_refused(running: Server, place: str, taker: Upstream, body: Any, code: int, message: str) -> None:
    before = len(taker.seen)
    answer = ask(running, place, body)
    assert (answer.status, answer.json["error"][0]["code"]) == (400, code)
    assert message in answer.json["message"]
    assert len(taker.seen) == before
    log = running.logs(place)[0]
    assert (log["outcome"], log["status_code"]) == ("refused", 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "chat/completions", 405), ("POST", "models", 405), ("POST", "", 404)],
)
def test_other_paths_and_methods(running: Server, place: str, method: str, path: str, status: int) -> None:
    body = None if method == "GET" else {"model": "openai/ok"}
    answer = ask(running, place, body, path, method)
    assert answer.status == status
    assert "compat/" in answer.json["message"]


def test_a_gateway_token_as_the_key_never_goes_upstream(running: Server, taker: Upstream) -> None:
    gateway = running.make_gateway(f"compat-{next(_numbers)}", authentication=True)
    with openai.OpenAI(
        api_key=running.token, base_url=f"{running.gateway_url(gateway)}/compat", max_retries=0
    ) as made:
        made.chat.completions.create(model="openai/ok", messages=MESSAGES)
    assert "authorization" not in taker.seen[-1].header
