"""REST inference: models by their authors, at `/client/v4/accounts/{account}/ai/…`; the official client too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import openai
import pytest

from support.foreign_upstream import KEY as FOREIGN_KEY
from support.foreign_upstream import ForeignUpstream
from support.own_account import make_token
from support.routes import END, conditional, model, rate, start
from support.server import Answer, Server, running_server
from support.upstream import WORDS, running_upstream

MESSAGES: Any = [{"role": "user", "content": "Say hello."}]
KEY = "sk-the-providers-own-key"
_numbers = count(1)


@pytest.fixture(scope="module")
def taker() -> Iterator[ForeignUpstream]:
    with running_upstream(ForeignUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, taker: ForeignUpstream) -> Iterator[Server]:
    bases = {slug: f"{taker.url}/{slug}" for slug in ("openai", "grok", "workers-ai", "anthropic")}
    bases["google-ai-studio"] = f"{taker.url}/google"
    with running_server(tmp_path_factory.mktemp("rest"), GAUGEWAY_UPSTREAMS=json.dumps(bases)) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"rest-{next(_numbers)}")


def ask(
    server: Server, gateway: str | None, path: str, body: Any, headers: dict[str, str] | None = None, **more: Any
) -> Answer:
    sent = {"authorization": f"Bearer {server.token}", **(headers or {})}
    if gateway is not None:
        sent["cf-aig-gateway-id"] = gateway
    method = more.pop("method", "POST")
    account = more.pop("account", server.account_id)
    return server.call(method, f"/client/v4/accounts/{account}/ai/{path}", body, sent)


def own_key(server: Server, **more: str) -> dict[str, str]:
    """OpenAI's key in its own header, and the gateway's token in the gateway's."""
    return {"cf-aig-authorization": f"Bearer {server.token}", "authorization": f"Bearer {KEY}", **more}


def test_the_openai_client(running: Server, place: str, taker: ForeignUpstream) -> None:
    headers = {"cf-aig-gateway-id": place, "cf-aig-authorization": f"Bearer {running.token}"}
    base_url = f"{running.base_url}/accounts/{running.account_id}/ai/v1"
    with openai.OpenAI(api_key=KEY, base_url=base_url, default_headers=headers, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="openai/ok", messages=MESSAGES)
        assert raw.parse().choices[0].message.content == "".join(WORDS)
        stream = client.chat.completions.create(model="xai/ok", messages=MESSAGES, stream=True)
        assert [chunk.choices[0].delta.content for chunk in stream if chunk.choices] == WORDS
    assert taker.seen[-2].header["authorization"] == f"Bearer {KEY}"
    assert taker.seen[-1].target == "/grok/v1/chat/completions"
    assert not any(name.startswith("cf-") for name in taker.seen[-1].header)
    streamed, log = running.logs(place)
    assert (log["id"], log["outcome"]) == (raw.headers["cf-aig-log-id"], "success")
    assert (log["provider"], log["model"], log["path"]) == ("openai", "ok", "ai/v1/chat/completions")
    assert (log["authentication"], log["tokens_in"], streamed["provider"]) == (True, 20, "grok")


def test_a_model_of_another_format(running: Server, place: str, taker: ForeignUpstream) -> None:
    """The token travels in Authorization, the provider's key in the provider's own header."""
    for named, header in (("anthropic/claude-text", "x-api-key"), ("google/gemini-2.5-text", "x-goog-api-key")):
        body = {"model": named, "messages": MESSAGES}
        answer = ask(running, place, "v1/chat/completions", body, {header: FOREIGN_KEY})
        assert answer.json["object"] == "chat.completion", answer.body
        assert "authorization" not in taker.seen[-1].header
    assert [log["provider"] for log in running.logs(place)] == ["google-ai-studio", "anthropic"]


RUNS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("openai/ok", {"messages": MESSAGES}, "/openai/chat/completions", {"messages": MESSAGES, "model": "ok"}),
    ("xai/ok", {"messages": MESSAGES}, "/grok/v1/chat/completions", {"messages": MESSAGES, "model": "ok"}),
    ("openai/ok", {"input": "x"}, "/openai/responses", {"input": "x", "model": "ok"}),
    ("openai/ok-embedding", {"input": "x"}, "/openai/embeddings", {"input": "x", "model": "ok-embedding"}),
    ("@cf/meta/ok", {"prompt": "x"}, "/workers-ai/{account}/ai/run/@cf/meta/ok", {"prompt": "x"}),
]


@pytest.mark.parametrize(("model", "given", "target", "sent"), RUNS, ids=[target for _, _, target, _ in RUNS])
def test_run_sends_a_providers_own_request(
    running: Server,
    place: str,
    taker: ForeignUpstream,
    model: str,
    given: dict[str, Any],
    target: str,
    sent: dict[str, Any],
) -> None:
    answer = ask(running, place, "run", {"model": model, "input": given}, own_key(running))
    assert answer.status == 200, answer.body
    assert taker.seen[-1].target == target.replace("{account}", running.account_id)
    assert taker.seen[-1].json == sent
    log = running.logs(place)[0]
    assert (log["path"], log["tokens_in"], log["outcome"]) == ("ai/run", 20, "success")
    if model.startswith("@cf/"):
        assert "result" not in answer.json, "Workers AI gives the envelope itself"
    else:
        assert answer.json["success"] is True
        assert answer.json["result"]["choices"][0]["message"]["content"] == "".join(WORDS)


def test_run_in_formats_of_others(running: Server, place: str, taker: ForeignUpstream) -> None:
    messages = {"messages": MESSAGES, "max_tokens": 9}
    answer = ask(
        running, place, "run", {"model": "anthropic/claude-text", "input": messages}, {"x-api-key": FOREIGN_KEY}
    )
    assert answer.json["result"]["type"] == "message", answer.body
    assert taker.seen[-1].json == messages | {"model": "claude-text"}
    contents = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    gemini = {"model": "google/gemini-2.5-text", "input": contents}
    answer = ask(running, place, "run", gemini, {"x-goog-api-key": FOREIGN_KEY})
    assert answer.json["result"]["candidates"], answer.body
    streamed = {"model": "google/gemini-2.5-text", "input": contents | {"stream": True}}
    answer = ask(running, place, "run", streamed, {"x-goog-api-key": FOREIGN_KEY})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b"usageMetadata" in answer.body
    assert [log["tokens_in"] is not None for log in running.logs(place)] == [True] * 3


def test_run_streams_as_the_provider_does(running: Server, place: str) -> None:
    asked = {"messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    answer = ask(running, place, "run", {"model": "openai/ok", "input": asked}, own_key(running))
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert running.logs(place)[0]["tokens_out"] == 10


def test_a_providers_error_is_the_providers(running: Server, place: str) -> None:
    answer = ask(
        running, place, "run", {"model": "openai/error-429", "input": {"messages": MESSAGES}}, own_key(running)
    )
    assert (answer.status, answer.json) == (429, {"error": {"message": "as asked", "code": 429}})


def test_without_a_header_it_is_the_default_gateway(running: Server) -> None:
    answer = ask(
        running, None, "v1/chat/completions", {"model": "openai/ok", "messages": MESSAGES}, own_key(running)
    )
    assert answer.status == 200, answer.body
    assert running.logs("default")[0]["id"] == answer.headers["cf-aig-log-id"]


def test_a_dynamic_route(running: Server, place: str) -> None:
    outputs = {"success": {"elementId": "end"}, "fallback": {"elementId": "end"}}
    properties = {"provider": "openai", "model": "ok", "timeout": 9000, "retries": 0}
    elements = [
        {"id": "start", "type": "start", "outputs": {"next": {"elementId": "m"}}},
        {"id": "m", "type": "model", "properties": properties, "outputs": outputs},
        {"id": "end", "type": "end", "outputs": {}},
    ]
    running.manage("POST", f"/gateways/{place}/routes", {"name": "r", "elements": elements})
    body = {"model": "dynamic/r", "messages": MESSAGES}
    assert ask(running, place, "v1/chat/completions", body, own_key(running)).headers["cf-aig-model"] == "ok"
    keyless = ask(running, place, "v1/chat/completions", body)
    assert (keyless.status, keyless.json["errors"][0]["code"]) == (402, 2021)


def a_route(server: Server, gateway: str, *elements: dict[str, Any]) -> None:
    whole = [start(elements[0]["id"]), *elements, END]
    server.manage("POST", f"/gateways/{gateway}/routes", {"name": "r", "elements": whole})


@pytest.mark.parametrize(
    ("more", "chosen", "provider"),
    [({}, "ok", "grok"), ({"temperature": 1, "max_tokens": 9}, "claude-text", "anthropic")],
)
def test_a_route_at_run_answers_in_the_envelope_whichever_model_it_comes_to(
    running: Server, place: str, more: dict[str, Any], chosen: str, provider: str
) -> None:
    """OpenAI's chat both ways: a client cannot know which provider's format would come."""
    a_route(
        running,
        place,
        conditional("c", {"body.temperature": 1}, "foreign", "native"),
        model("foreign", provider="anthropic", name="claude-text"),
        model("native", provider="xai"),
    )
    keys = own_key(running, **{"x-api-key": FOREIGN_KEY, "accept-encoding": "gzip"})
    given = {"messages": MESSAGES, **more}
    answer = ask(running, place, "run", {"model": "dynamic/r", "input": given}, keys)
    assert (answer.status, answer.json["success"]) == (200, True), answer.body
    assert answer.json["result"]["object"] == "chat.completion"
    assert (answer.headers["cf-aig-provider"], answer.headers["cf-aig-model"]) == (provider, chosen)
    log = running.wait_for_logs(place, 1)[0]
    assert (log["path"], log["provider"], log["model"]) == ("ai/run", provider, chosen)
    assert (log["outcome"], log["dynamic_route"]["name"]) == ("success", "r")
    assert log["tokens_in"] > 0
    kept = running.call(
        "GET", f"/client/v4/accounts/{running.account_id}/ai-gateway/gateways/{place}/logs/{log['id']}/request"
    )
    assert kept.json == {"model": "dynamic/r", "input": given}
    stream = ask(running, place, "run", {"model": "dynamic/r", "input": {"stream": True, **given}}, keys)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert b'"chat.completion.chunk"' in stream.body
    assert stream.body.endswith(b"data: [DONE]\n\n")


def test_a_route_at_run_holds_its_rates_and_needs_keys_and_messages(running: Server, place: str) -> None:
    a_route(running, place, rate("rate", "m", "end", limit=1), model("m"))
    body = {"model": "dynamic/r", "input": {"messages": MESSAGES}}
    other = ask(running, place, "run", {"model": "dynamic/r", "input": {"input": "x"}}, own_key(running))
    assert (other.status, other.json["errors"][0]["code"]) == (400, 7003)
    assert "input: a dynamic route takes messages at ai/run" in other.json["errors"][0]["message"]
    assert ask(running, place, "run", body, own_key(running, **{"cf-aig-cache-ttl": "60"})).status == 200
    limited = ask(running, place, "run", body, own_key(running))
    assert (limited.status, limited.json["errors"][0]["code"]) == (429, 2003)
    assert 0 < int(limited.headers["retry-after"]) <= 3600
    bare = running.make_gateway(f"rest-{next(_numbers)}")
    a_route(running, bare, model("m"))
    keyless = ask(running, bare, "run", body)
    assert (keyless.status, keyless.json["errors"][0]["code"]) == (402, 2021)
    cached = own_key(running, **{"cf-aig-cache-ttl": "60"})
    answers = [ask(running, bare, "run", body, cached) for _ in range(2)]
    assert [answer.headers["cf-aig-cache-status"] for answer in answers] == ["MISS", "HIT"]
    assert answers[0].body == answers[1].body


CHAT = {"model": "openai/ok", "messages": MESSAGES}
REFUSED: list[tuple[str, Any, int, int, str]] = [
    ("v1/chat/completions", {"messages": MESSAGES}, 400, 7003, "model: is missing"),
    (
        "v1/chat/completions",
        {"model": "nobody/x", "messages": MESSAGES},
        404,
        7003,
        "does not begin with a provider",
    ),
    ("v1/chat/completions", b"{", 400, 7003, "must be a JSON object"),
    ("v1/images", CHAT, 404, 7003, "There is no ai/v1/images"),
    ("nothing", CHAT, 404, 7003, "Could not route to ai/nothing"),
    ("run", CHAT, 400, 7003, "`input`"),
    ("run", {"model": "openai/ok", "input": "x"}, 400, 7003, "Expected `object`"),
    ("run", {"model": "openai/ok", "input": {"prompt": "x"}}, 400, 7003, "belong to no request of openai"),
    ("run", {"model": "@cf/ok", "input": {"prompt": "x"}}, 402, 2021, "There is no key for workers-ai"),
    ("v1/chat/completions", CHAT, 402, 2021, "Store one in it, or send the provider's own (authorization"),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "message"), REFUSED)
def test_what_is_refused(
    running: Server, place: str, taker: ForeignUpstream, path: str, body: Any, status: int, code: int, message: str
) -> None:
    before = len(taker.seen)
    answer = ask(running, place, path, body)
    assert (answer.status, answer.json["errors"][0]["code"]) == (status, code), answer.body
    assert message in answer.json["errors"][0]["message"]
    assert (answer.json["success"], answer.json["result"], answer.json["messages"]) == (False, None, [])
    assert len(taker.seen) == before
    assert (running.logs(place)[0]["outcome"], running.logs(place)[0]["cost"]) == ("refused", 0)


def test_who_may(running: Server, place: str) -> None:
    """Also where the gateway itself asks for no token."""
    reader = make_token(running, "read")
    for token in ("nonsense", reader, ""):
        headers = {"authorization": f"Bearer {token}", "x-api-key": FOREIGN_KEY}
        answer = ask(running, place, "v1/chat/completions", CHAT, headers)
        assert (answer.status, answer.json["errors"][0]["code"]) == (401, 2009)
        answer = ask(running, "no-gateway", "v1/chat/completions", CHAT, headers)
        assert (answer.status, answer.json["errors"][0]["code"]) == (401, 2009)
    runner = make_token(running, "run")
    answer = ask(running, "no-gateway", "v1/chat/completions", CHAT, {"authorization": f"Bearer {runner}"})
    assert (answer.status, answer.json["errors"][0]["code"]) == (400, 2001)
    answer = ask(running, place, "v1/chat/completions", CHAT, account="f" * 32)
    assert answer.status == 401
    assert ask(running, place, "v1/chat/completions", None, method="GET").status == 405


def test_a_header_that_cannot_be_read(running: Server, place: str) -> None:
    answer = ask(running, place, "v1/chat/completions", CHAT, own_key(running, **{"cf-aig-max-attempts": "many"}))
    assert (answer.status, answer.json["errors"][0]["code"]) == (400, 7001)
    assert "cf-aig-max-attempts" in answer.json["errors"][0]["message"]


def test_the_gateways_rate_holds(running: Server) -> None:
    gateway = running.make_gateway(f"rest-{next(_numbers)}", rate_limiting_limit=1, rate_limiting_interval=3600)
    assert ask(running, gateway, "v1/chat/completions", CHAT, own_key(running)).status == 200
    answer = ask(running, gateway, "v1/chat/completions", CHAT, own_key(running))
    assert (answer.status, answer.json["errors"]) == (429, [{"code": 2003, "message": "Rate limited"}])


def test_formats_do_not_share_answers_under_a_key_of_ones_own(running: Server, place: str) -> None:
    headers = own_key(running, **{"cf-aig-cache-key": "mine"})
    assert "choices" in ask(running, place, "v1/chat/completions", CHAT, headers).json
    run = {"model": "openai/ok", "input": {"messages": MESSAGES}}
    first, second = (ask(running, place, "run", run, headers) for _ in range(2))
    assert [each.headers["cf-aig-cache-status"] for each in (first, second)] == ["MISS", "HIT"]
    assert first.json == second.json
    assert "result" in first.json


def test_the_header_is_for_rest_only(running: Server, place: str) -> None:
    answer = running.chat(place, headers={"cf-aig-gateway-id": place})
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 7001)
    assert "cf-aig-gateway-id" in answer.json["message"]
