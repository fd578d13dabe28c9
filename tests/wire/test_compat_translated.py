"""The official OpenAI client on providers that speak another format: Anthropic, Google, Amazon Bedrock, Cohere."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from pydantic import BaseModel

from support.foreign_upstream import KEY, WORDS, ForeignUpstream
from support.server import Answer, Server, running_server
from support.upstream import running_upstream

MESSAGES: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say hello."}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
FIGURES = {
    "anthropic": (30, 10, 6),
    "google-ai-studio": (20, 10, 4),
    "aws-bedrock": (30, 10, 6),
    "cohere": (20, 10, None),
}
EARLY = {"anthropic", "google-ai-studio"}
"""Those whose streams report the prompt's tokens with their first events."""
_numbers = count(1)

each = pytest.mark.parametrize(
    ("slug", "family"),
    [("anthropic", "claude"), ("google-ai-studio", "gemini"), ("aws-bedrock", "converse"), ("cohere", "command")],
    ids=["anthropic", "google", "bedrock", "cohere"],
)


class Person(BaseModel):
    """What a structured answer is parsed into."""

    name: str
    age: int


@pytest.fixture(scope="module")
def provider() -> Iterator[ForeignUpstream]:
    with running_upstream(ForeignUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, provider: ForeignUpstream) -> Iterator[Server]:
    upstreams = {
        "anthropic": f"{provider.url}/anthropic",
        "google-ai-studio": f"{provider.url}/google",
        "aws-bedrock": f"{provider.url}/aws",
        "cohere": f"{provider.url}/cohere",
    }
    with running_server(
        tmp_path_factory.mktemp("translated"),
        GAUGEWAY_UPSTREAMS=json.dumps(upstreams),
        GAUGEWAY_FIRST_BYTE_TIMEOUT="2",
    ) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"translated-{next(_numbers)}")


@pytest.fixture
def client(running: Server, place: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        api_key=KEY, base_url=f"{running.gateway_url(place)}/compat", max_retries=0, timeout=30
    ) as made:
        yield made


def only_log(server: Server, gateway: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while not (logs := server.logs(gateway)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    [log] = logs
    return log


def ask(server: Server, gateway: str, body: dict[str, Any], **headers: str) -> Answer:
    sent = {"authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return server.call("POST", f"{server.gateway_url(gateway)}/compat/chat/completions", body, sent)


@each
@pytest.mark.parametrize("way", ["text", "drip", "gzip"])
def test_chat(
    client: openai.OpenAI, running: Server, place: str, provider: ForeignUpstream, slug: str, family: str, way: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(model=f"{slug}/{family}-{way}", messages=MESSAGES)
    answer = raw.parse()
    into, out, cached = FIGURES[slug]
    assert answer.choices[0].message.content == "".join(WORDS)
    assert (answer.choices[0].finish_reason, answer.object) == ("stop", "chat.completion")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (into, out)
    details = answer.usage.prompt_tokens_details
    assert (details and details.cached_tokens) == cached
    assert (raw.headers["cf-aig-provider"], raw.headers["cf-aig-model"]) == (slug, f"{family}-{way}")
    assert raw.headers["content-type"] == "application/json"
    assert "etag" not in raw.headers
    assert ("authorization" in provider.seen[-1].header) is (slug not in EARLY)
    log = only_log(running, place)
    assert (log["provider"], log["model"], log["path"]) == (slug, f"{family}-{way}", "compat/chat/completions")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into, out, "success")
    assert (log["model_type"], log["status_code"]) == ("chat", 200)


@each
def test_the_log_keeps_what_the_client_sent_and_got(
    client: openai.OpenAI, running: Server, place: str, slug: str, family: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(model=f"{slug}/{family}-text", messages=MESSAGES)
    logs = f"/client/v4/accounts/{running.account_id}/ai-gateway/gateways/{place}/logs"
    path = f"{logs}/{only_log(running, place)['id']}"
    assert running.call("GET", path + "/request").json == {"model": f"{slug}/{family}-text", "messages": MESSAGES}
    assert running.call("GET", path + "/response").body == raw.content


@each
@pytest.mark.parametrize("way", ["text", "drip"])
def test_stream(client: openai.OpenAI, running: Server, place: str, slug: str, family: str, way: str) -> None:
    stream = client.chat.completions.create(
        model=f"{slug}/{family}-{way}", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    into, out, _ = FIGURES[slug]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "".join(WORDS)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (into, out)
    log = only_log(running, place)
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into, out, "success")


@each
def test_figures_are_logged_though_the_client_does_not_want_them(
    client: openai.OpenAI, running: Server, place: str, slug: str, family: str
) -> None:
    chunks = list(client.chat.completions.create(model=f"{slug}/{family}-text", messages=MESSAGES, stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    assert (only_log(running, place)["tokens_in"], only_log(running, place)["tokens_out"]) == FIGURES[slug][:2]


@each
def test_tools_and_their_results(client: openai.OpenAI, provider: ForeignUpstream, slug: str, family: str) -> None:
    first = client.chat.completions.create(model=f"{slug}/{family}-tools", messages=MESSAGES, tools=TOOLS)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == [
        {"city": "Bern"},
        {"city": "Chur"},
    ]
    results: Any = [{"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in message.tool_calls]
    again = client.chat.completions.create(
        model=f"{slug}/{family}-text", messages=[*MESSAGES, message, *results], tools=TOOLS
    )
    assert again.choices[0].message.content == "".join(WORDS)
    sent = provider.seen[-1].json
    if slug == "google-ai-studio":
        assert sent["contents"][-2]["parts"][0]["thoughtSignature"] == "c2ln"
        assert [part["functionResponse"]["name"] for part in sent["contents"][-1]["parts"]] == ["weather"] * 2
        return
    last = sent["messages"][-1]["content"]
    ids = {
        "anthropic": lambda: [block["tool_use_id"] for block in last],
        "aws-bedrock": lambda: [block["toolResult"]["toolUseId"] for block in last],
        "cohere": lambda: [said["tool_call_id"] for said in sent["messages"][-2:]],
    }[slug]
    assert ids() == [call.id for call in message.tool_calls]
    if slug == "cohere":
        assert sent["messages"][2]["tool_plan"] == "I look."


@each
def test_tools_in_a_stream(client: openai.OpenAI, slug: str, family: str) -> None:
    with client.chat.completions.stream(model=f"{slug}/{family}-tools", messages=MESSAGES, tools=TOOLS) as stream:
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert final.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == [
        {"city": "Bern"},
        {"city": "Chur"},
    ]
    assert len({call.id for call in message.tool_calls}) == 2


@each
def test_a_structured_answer(client: openai.OpenAI, provider: ForeignUpstream, slug: str, family: str) -> None:
    answer = client.chat.completions.parse(model=f"{slug}/{family}-json", messages=MESSAGES, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)
    sent = provider.seen[-1].json
    schema: Any = {
        "anthropic": lambda: sent["output_config"]["format"]["schema"],
        "google-ai-studio": lambda: sent["generationConfig"]["responseJsonSchema"],
        "aws-bedrock": lambda: json.loads(sent["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]),
        "cohere": lambda: sent["response_format"]["json_schema"],
    }[slug]()
    assert set(schema["properties"]) == {"name", "age"}


@each
@pytest.mark.parametrize("stream", [False, True])
def test_thinking(client: openai.OpenAI, slug: str, family: str, stream: bool) -> None:
    answer: Any = client.chat.completions.create(
        model=f"{slug}/{family}-think", messages=MESSAGES, reasoning_effort="high", stream=stream
    )
    if stream:
        deltas = [chunk.choices[0].delta for chunk in answer if chunk.choices]
        thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    else:
        thought = answer.choices[0].message.reasoning_content
    assert thought == "Hm, so."


@each
@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_error(
    client: openai.OpenAI, running: Server, place: str, slug: str, family: str, stream: bool
) -> None:
    with pytest.raises(openai.InternalServerError, match="Overloaded") as failed:
        client.chat.completions.create(model=f"{slug}/{family}-error", messages=MESSAGES, stream=stream)
    assert failed.value.status_code == (529 if slug == "anthropic" else 503)
    assert failed.value.type in ("overloaded_error", "UNAVAILABLE", "upstream_error")
    log = only_log(running, place)
    assert (log["outcome"], log["status_code"]) == ("upstream_error", failed.value.status_code)


@each
@pytest.mark.parametrize("way", ["cut", "broken"])
def test_a_stream_that_lacks_its_end_is_an_error(
    running: Server, place: str, slug: str, family: str, way: str
) -> None:
    url = urlsplit(running.gateway_url(place))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    body = json.dumps({"model": f"{slug}/{family}-{way}", "messages": MESSAGES, "stream": True})
    connection.request("POST", f"{url.path}/compat/chat/completions", body, {"authorization": f"Bearer {KEY}"})
    with pytest.raises(http.client.IncompleteRead) as broken:
        connection.getresponse().read()
    connection.close()
    assert b'"content":"Gr' in broken.value.partial
    assert b"[DONE]" not in broken.value.partial
    log = only_log(running, place)
    assert (log["success"], log["outcome"]) == (False, "stream_cut")
    assert log["usage_estimated"] is (slug != "google-ai-studio")  # whose every event has all figures so far
    assert (log["tokens_in"] == FIGURES[slug][0]) is (slug in EARLY)


@each
def test_an_error_in_mid_stream_is_raised_by_the_client(
    client: openai.OpenAI, running: Server, place: str, slug: str, family: str
) -> None:
    stream = client.chat.completions.create(model=f"{slug}/{family}-late-error", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(stream)
    log = only_log(running, place)
    assert (log["success"], log["outcome"]) == (False, "stream_cut")
    assert "Overloaded" in log["error"]


@each
@pytest.mark.parametrize(
    ("way", "stream", "status", "code", "outcome"),
    [
        ("garbage", False, 502, 2002, "upstream_error"),
        ("garbage", True, 502, 2002, "upstream_error"),
        ("broken", False, 502, 2005, "upstream_error"),
        ("hang", False, 504, 2005, "timeout"),
    ],
)
def test_an_answer_that_is_none(
    running: Server,
    place: str,
    slug: str,
    family: str,
    way: str,
    stream: bool,
    status: int,
    code: int,
    outcome: str,
) -> None:
    answer = ask(running, place, {"model": f"{slug}/{family}-{way}", "messages": MESSAGES, "stream": stream})
    assert (answer.status, answer.json["error"][0]["code"]) == (status, code)
    assert only_log(running, place)["outcome"] == outcome


@each
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": MESSAGES, "logprobs": True}, "logprobs: log probabilities are not translated"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content: Expected `str | array`"),
        ({"messages": MESSAGES, "best_of": 3}, "best_of: is not known"),
        ({}, "missing required field `messages`"),
    ],
)
def test_what_is_refused(
    running: Server,
    place: str,
    provider: ForeignUpstream,
    slug: str,
    family: str,
    body: dict[str, Any],
    message: str,
) -> None:
    before = len(provider.seen)
    answer = ask(running, place, {"model": f"{slug}/{family}-text", **body})
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2019)
    assert message in answer.json["message"]
    assert len(provider.seen) == before
    assert only_log(running, place)["outcome"] == "refused"


def test_headers_of_a_translated_request(running: Server, place: str, provider: ForeignUpstream) -> None:
    body = {"model": "anthropic/claude-text", "messages": MESSAGES}
    ask(running, place, body, openai_organization="org-1", accept_encoding="gzip", anthropic_beta="b1", x_own="1")
    header = provider.seen[-1].header
    assert (header["x-api-key"], header["anthropic-version"], header["anthropic-beta"]) == (KEY, "2023-06-01", "b1")
    assert (header["content-type"], header["accept-encoding"], header["x-own"]) == (
        "application/json",
        "identity",
        "1",
    )
    assert not {"authorization", "openai-organization", "accept"} & set(header)


def test_a_native_key_goes_before_the_bearers(running: Server, place: str, provider: ForeignUpstream) -> None:
    body = {"model": "anthropic/claude-text", "messages": MESSAGES}
    answer = ask(running, place, body, x_api_key=KEY, authorization="Bearer another-key-of-a-client")
    assert answer.status == 200
    assert [value for name, value in provider.seen[-1].headers if name == "x-api-key"] == [KEY]


def test_a_gateway_token_never_goes_upstream(running: Server, provider: ForeignUpstream) -> None:
    gateway = running.make_gateway(f"translated-{next(_numbers)}", authentication=True)
    body = {"model": "anthropic/claude-text", "messages": MESSAGES}
    answer = ask(running, gateway, body, authorization=f"Bearer {running.token}")
    assert (answer.status, answer.json["error"]["message"]) == (400, "x-api-key is missing")
    assert running.token not in str(provider.seen[-1].headers)
    authorized = ask(running, gateway, body, cf_aig_authorization=f"Bearer {running.token}")
    assert authorized.status == 200


@each
def test_a_second_attempt_is_translated_too(running: Server, place: str, slug: str, family: str) -> None:
    body = {"model": f"{slug}/{family}-error", "messages": MESSAGES}
    answer = ask(running, place, body, cf_aig_max_attempts="2", cf_aig_retry_delay="1")
    assert answer.json["error"]["message"] == "Overloaded"
    assert len(only_log(running, place)["attempts"]) == 2


@each
@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_answer_is_cached(
    running: Server, place: str, provider: ForeignUpstream, slug: str, family: str, stream: bool
) -> None:
    body = {"model": f"{slug}/{family}-text", "messages": MESSAGES, "stream": stream}
    wishes = {"cf_aig_cache_ttl": "300", "cf_aig_cache_streams": "true"}
    first = ask(running, place, body, **wishes)
    before = len(provider.seen)
    second = ask(running, place, body, **wishes)
    assert (first.headers["cf-aig-cache-status"], second.headers["cf-aig-cache-status"]) == ("MISS", "HIT")
    assert (second.status, second.body, len(provider.seen)) == (200, first.body, before)
    assert second.headers["cf-aig-provider"] == slug
    hit = running.logs(place)[0]
    assert (hit["cached"], hit["cost"], hit["path"]) == (True, 0, "compat/chat/completions")


def test_a_cached_answer_is_given_in_its_own_format_only(running: Server, place: str) -> None:
    native = {"model": "claude-text", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "cf-aig-cache-key": "mine"}
    first = running.call("POST", f"{running.gateway_url(place)}/anthropic/v1/messages", native, headers)
    body = {"model": "anthropic/claude-text", "messages": MESSAGES}
    second = running.call("POST", f"{running.gateway_url(place)}/compat/chat/completions", body, headers)
    assert (first.json["type"], second.json["object"]) == ("message", "chat.completion")


@each
def test_a_step_of_a_universal_request(
    running: Server, place: str, provider: ForeignUpstream, slug: str, family: str
) -> None:
    """Each step has its own provider, key and format; the one that answers is on the log."""
    other = "google-ai-studio/gemini" if slug == "anthropic" else "anthropic/claude"
    steps = [
        {
            "provider": "compat",
            "endpoint": "chat/completions",
            "headers": {"authorization": f"Bearer {KEY}"},
            "query": {"model": f"{model}-{way}", "messages": MESSAGES},
        }
        for model, way in ((other, "error"), (f"{slug}/{family}", "text"))
    ]
    answer = running.call("POST", running.gateway_url(place), steps, {})
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    assert (answer.headers["cf-aig-step"], answer.headers["cf-aig-provider"]) == ("1", slug)
    assert ("authorization" in provider.seen[-1].header) is (slug not in EARLY)
    log = only_log(running, place)
    assert (log["provider"], log["model"], log["path"]) == (slug, f"{family}-text", "compat/chat/completions")
    assert (log["request_type"], log["tokens_in"], len(log["attempts"])) == ("Universal", FIGURES[slug][0], 2)


def test_a_gateway_token_in_a_step_never_goes_upstream(
    running: Server, place: str, provider: ForeignUpstream
) -> None:
    step = {
        "provider": "compat",
        "endpoint": "v1/chat/completions",
        "headers": {"authorization": f"Bearer {running.token}"},
        "query": {"model": "anthropic/claude-text", "messages": MESSAGES},
    }
    assert running.call("POST", running.gateway_url(place), [step], {}).status == 400
    assert running.token not in str(provider.seen[-1].headers)


@each
@pytest.mark.parametrize(("way", "stream"), [("hang", False), ("hang", True), ("stall", True)])
def test_a_client_that_hangs_up_ends_the_providers_work(
    running: Server, place: str, provider: ForeignUpstream, slug: str, family: str, way: str, stream: bool
) -> None:
    before = len(provider.seen)
    url = urlsplit(running.gateway_url(place))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    body = json.dumps({"model": f"{slug}/{family}-{way}", "messages": MESSAGES, "stream": stream})
    connection.request("POST", f"{url.path}/compat/chat/completions", body, {"authorization": f"Bearer {KEY}"})
    seen = provider.wait_for(before + 1)[-1]
    if way == "stall":
        with connection.getresponse() as answer:
            assert answer.read(20)
    connection.close()
    assert seen.abandoned.wait(20)
    assert only_log(running, place)["outcome"] == "client_gone"


def test_a_client_that_stops_at_the_last_event_had_its_whole_answer(
    client: openai.OpenAI, running: Server, place: str
) -> None:
    for _ in range(5):
        stream = client.chat.completions.create(model="anthropic/claude-text", messages=MESSAGES, stream=True)
        assert list(stream)
    deadline = time.monotonic() + 20
    while len(logs := running.logs(place)) < 5:
        assert time.monotonic() < deadline
    assert {log["outcome"] for log in logs} == {"success"}
