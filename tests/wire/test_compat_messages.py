"""The official Anthropic client's `messages` on providers of every format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import anthropic
import pytest

from support.chat_upstream import ChatUpstream
from support.dialects import FIGURES, server_before
from support.foreign_upstream import CALLS, KEY, PERSON, WORDS
from support.server import Answer, Server
from support.upstream import running_upstream

TOOL: Any = {
    "name": "weather",
    "description": "of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
HELLO: Any = [{"role": "user", "content": "Say hello."}]
_numbers = count(1)
EACH = [("groq", "chat"), ("google-ai-studio", "gemini"), ("cohere", "command")]
each = pytest.mark.parametrize(("slug", "family"), EACH, ids=[slug for slug, _ in EACH])


@pytest.fixture(scope="module")
def provider() -> Iterator[ChatUpstream]:
    with running_upstream(ChatUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, provider: ChatUpstream) -> Iterator[Server]:
    with server_before(provider, tmp_path_factory.mktemp("messages")) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"messages-{next(_numbers)}")


@pytest.fixture
def client(running: Server, place: str) -> Iterator[anthropic.Anthropic]:
    url = f"{running.gateway_url(place)}/compat"
    with anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0, timeout=30) as made:
        yield made


def ask(server: Server, gateway: str, body: Any) -> Answer:
    return server.call("POST", f"{server.gateway_url(gateway)}/compat/messages", body, {"x-api-key": KEY})


def fresh(slug: str) -> tuple[int, int, int]:
    """Tokens as Anthropic counts them: what came from the cache apart."""
    into, out, cached = FIGURES[slug]
    return into - cached, out, cached


@each
def test_an_answer(
    client: anthropic.Anthropic, running: Server, place: str, provider: ChatUpstream, slug: str, family: str
) -> None:
    raw = client.messages.with_raw_response.create(
        model=f"{slug}/{family}-text", max_tokens=50, system="Be kind.", messages=HELLO
    )
    answer = raw.parse()
    assert [(block.type, getattr(block, "text", "")) for block in answer.content] == [("text", "".join(WORDS))]
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert answer.id.startswith("msg_")
    into, out, cached = fresh(slug)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (into, out)
    assert (answer.usage.cache_read_input_tokens or 0) == cached
    assert not any(name.startswith("anthropic-") or name == "x-api-key" for name in provider.seen[-1].header)
    log = running.logs(place)[0]
    assert (log["provider"], log["model"], log["path"]) == (slug, f"{family}-text", "compat/v1/messages")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into + cached, out, "success")


@each
def test_a_stream(client: anthropic.Anthropic, running: Server, place: str, slug: str, family: str) -> None:
    with client.messages.stream(model=f"{slug}/{family}-text", max_tokens=50, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == "".join(WORDS)
        final = stream.get_final_message()
    into, out, cached = fresh(slug)
    assert (final.usage.input_tokens, final.usage.output_tokens) == (into, out)
    assert (final.usage.cache_read_input_tokens or 0) == cached
    assert final.stop_reason == "end_turn"
    log = running.logs(place)[0]
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into + cached, out, "success")


@each
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(
    client: anthropic.Anthropic, provider: ChatUpstream, slug: str, family: str, streamed: bool
) -> None:
    conversation: Any = [{"role": "user", "content": "And in Bern and Chur?"}]
    asked: Any = {
        "model": f"{slug}/{family}-tools",
        "max_tokens": 50,
        "tools": [TOOL],
        "tool_choice": {"type": "any"},
    }
    if streamed:
        with client.messages.stream(messages=conversation, **asked) as stream:
            answer: Any = stream.get_final_message()
    else:
        answer = client.messages.create(messages=conversation, **asked)
    calls = [block for block in answer.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == CALLS
    assert (answer.stop_reason, len({call.id for call in calls})) == ("tool_use", 2)
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps({"degrees": number})}
        for number, call in enumerate(calls)
    ]
    conversation += [
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [*results, {"type": "text", "text": "Well?"}]},
    ]
    asked["model"] = f"{slug}/{family}-text"
    assert client.messages.create(messages=conversation, **asked).content[0].text == "".join(WORDS)  # type: ignore[union-attr]
    sent = json.dumps(provider.seen[-1].json)
    assert sent.count("degrees") == 2
    assert "Well?" in sent


@each
def test_a_schema(client: anthropic.Anthropic, slug: str, family: str) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    output: Any = {"format": {"type": "json_schema", "schema": schema}}
    answer = client.messages.create(
        model=f"{slug}/{family}-json", max_tokens=50, messages=HELLO, output_config=output
    )
    assert json.loads(answer.content[0].text) == json.loads(PERSON)  # type: ignore[union-attr]


@each
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking(client: anthropic.Anthropic, slug: str, family: str, streamed: bool) -> None:
    asked: Any = {"model": f"{slug}/{family}-think", "max_tokens": 50}
    if streamed:
        with client.messages.stream(messages=HELLO, **asked) as stream:
            answer: Any = stream.get_final_message()
    else:
        answer = client.messages.create(messages=HELLO, **asked)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert (answer.content[0].thinking, answer.content[1].text) == ("Hm, so.", "".join(WORDS))
    conversation = [*HELLO, {"role": "assistant", "content": answer.content}, {"role": "user", "content": "Go on."}]
    assert client.messages.create(model=f"{slug}/{family}-text", max_tokens=50, messages=conversation).content


def test_reasons_to_stop(client: anthropic.Anthropic) -> None:
    def ask_for(model: str) -> Any:
        return client.messages.create(model=model, max_tokens=50, messages=HELLO)

    refused = ask_for("groq/chat-refuse")
    assert (refused.stop_reason, refused.content[0].text) == ("refusal", "I would rather not.")
    assert ask_for("groq/chat-length").stop_reason == "max_tokens"
    assert ask_for("groq/chat-no-usage").usage.input_tokens is None


def test_parameters_and_their_counterparts(running: Server, place: str, provider: ChatUpstream) -> None:
    block = {"cache_control": {"type": "ephemeral"}}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    body = {
        "model": "groq/chat-text",
        "max_tokens": 77,
        "system": [{"type": "text", "text": "Be kind.", **block}, {"type": "text", "text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look:", **block},
                    {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
                    {"type": "document", "source": pdf, "title": "a.pdf"},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Words."}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such", "is_error": True}
                ],
            },
        ],
        "tools": [{**TOOL, **block}],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "top_p": 0.9,
        "thinking": {"type": "enabled", "budget_tokens": 8000},
        "metadata": {"user_id": "u-1"},
        "service_tier": "standard_only",
    }
    assert ask(running, place, body).status == 200
    function = {"name": "weather", "parameters": TOOL["input_schema"], "description": "of a city"}
    call = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
    assert provider.seen[-1].json == {
        "model": "chat-text",
        "max_tokens": 77,
        "messages": [
            {"role": "system", "content": "Be kind.\n\nBe brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
                    {
                        "type": "file",
                        "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
                    },
                    {"type": "text", "text": "Words."},
                ],
            },
            {"role": "assistant", "tool_calls": [call], "content": "Let me see."},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "Error: no such"},
        ],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "stop": ["END"],
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning_effort": "medium",
        "service_tier": "default",
    }


def test_openai_is_asked_with_its_own_name_for_the_limit(
    running: Server, place: str, provider: ChatUpstream
) -> None:
    body = {"model": "openai/ok", "max_tokens": 77, "messages": HELLO}
    assert ask(running, place, body).json["content"][0]["type"] == "text"
    assert provider.seen[-1].json == {"model": "ok", "messages": HELLO, "max_completion_tokens": 77}
    assert provider.seen[-1].header["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("streamed", [False, True])
def test_who_speaks_it_gets_it_as_it_is(
    client: anthropic.Anthropic, provider: ChatUpstream, streamed: bool
) -> None:
    system: Any = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]
    asked: Any = {"model": "anthropic/claude-text", "max_tokens": 9, "system": system, "extra_body": {"top_k": 3}}
    asked["extra_headers"] = {"anthropic-version": "2023-06-01"}
    if streamed:
        with client.messages.stream(messages=HELLO, **asked) as stream:
            answer: Any = stream.get_final_message()
    else:
        answer = client.messages.create(messages=HELLO, **asked)
    assert (answer.id, answer.usage.cache_read_input_tokens) == ("msg_1", 6)
    sent = provider.seen[-1].json
    assert (sent["model"], sent["max_tokens"], sent["system"], sent["top_k"]) == ("claude-text", 9, system, 3)
    assert provider.seen[-1].header["x-api-key"] == KEY


def test_anthropics_version_is_there_for_who_does_not_say_it(running: Server, place: str) -> None:
    assert ask(running, place, {"model": "anthropic/claude-text", "max_tokens": 9, "messages": HELLO}).status == 200


def test_a_providers_error(client: anthropic.Anthropic) -> None:
    for model, kind, message in (
        ("groq/chat-error", "rate_limit_error", "Too many"),
        ("google-ai-studio/gemini-error", "api_error", "Overloaded"),
    ):
        with pytest.raises(anthropic.APIStatusError, match=message) as raised:
            client.messages.create(model=model, max_tokens=9, messages=HELLO)
        body: Any = raised.value.body
        assert (body["type"], body["error"]["type"]) == ("error", kind)


@pytest.mark.parametrize("model", ["groq/chat", "google-ai-studio/gemini"])
def test_a_cut_stream_stays_cut(client: anthropic.Anthropic, running: Server, place: str, model: str) -> None:
    with pytest.raises(Exception, match=r"incomplete|peer closed|disconnected|Connection"):
        list(client.messages.create(model=f"{model}-cut", max_tokens=9, messages=HELLO, stream=True))
    assert running.logs(place)[0]["outcome"] == "stream_cut"


def test_an_error_within_a_stream(client: anthropic.Anthropic, running: Server, place: str) -> None:
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as raised:
        list(client.messages.create(model="groq/chat-late-error", max_tokens=9, messages=HELLO, stream=True))
    body: Any = raised.value.body
    assert body["error"]["type"] == "overloaded_error"
    assert running.wait_for_logs(place, 1)[0]["outcome"] in ("stream_cut", "client_gone")


CHAT = {"model": "groq/chat-text", "max_tokens": 9, "messages": HELLO}


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(blocks)}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"top_k": 3}, "top_k: chat completions have no counterpart"),
    ({"container": "c"}, "container: belongs to Anthropic"),
    ({"mcp_servers": [{}]}, "mcp_servers: belongs to Anthropic"),
    ({"context_management": {}}, "context_management: belongs to Anthropic"),
    ({"service_tier": "fast"}, "service_tier: expected auto or standard_only"),
    (
        {"tools": [{"type": "web_search_20250305", "name": "w"}]},
        "a tool of type 'web_search_20250305' is Anthropic's",
    ),
    ({"tools": [{"name": "w"}]}, "tools[0].input_schema: expected a JSON schema"),
    ({"tool_choice": {"type": "some"}}, "tool_choice: expected auto, any, none"),
    ({"thinking": {"type": "enabled"}}, "thinking: expected disabled, adaptive"),
    ({"output_config": {"format": {"type": "xml"}}}, "output_config.format: expected a json_schema"),
    (said({"type": "search_result"}), "messages[0].content[0]: a block of type 'search_result'"),
    (said({"type": "server_tool_use"}, role="assistant"), "a block of type 'server_tool_use'"),
    (said({"type": "text", "text": "x", "citations": [{"a": 1}]}), "citations: citations are not translated"),
    (said({"type": "image", "source": {"type": "file", "file_id": "f"}}), "source: expected a url, or base64"),
    (said({"type": "document", "source": {"type": "url", "url": "u"}}), "source: expected base64"),
    ({"messages": [{"role": "nobody", "content": "x"}]}, "messages[0].role: expected user"),
    ({"system": [{"type": "image"}]}, "system[0]: only text"),
    ({"nonsense": 1}, "nonsense: is not known"),
    ({"max_tokens": "9"}, "max_tokens: Expected"),
]


@pytest.mark.parametrize(("more", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_has_no_counterpart_is_refused(
    running: Server, place: str, provider: ChatUpstream, more: dict[str, Any], message: str
) -> None:
    before = len(provider.seen)
    answer = ask(running, place, CHAT | more)
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2019)
    assert message in answer.json["message"]
    assert len(provider.seen) == before


def test_rest(running: Server, place: str, provider: ChatUpstream) -> None:
    """Both base URLs that are in use; the gateway's token and the provider's key, each in either place."""
    for base, key, more in (
        ("ai", running.token, {"x-api-key": KEY}),
        ("ai/v1", KEY, {"cf-aig-authorization": f"Bearer {running.token}"}),
    ):
        url = f"{running.base_url}/accounts/{running.account_id}/{base}"
        headers = {"cf-aig-gateway-id": place, **more}
        with anthropic.Anthropic(api_key=key, base_url=url, default_headers=headers, max_retries=0) as client:
            answer = client.messages.create(model="groq/chat-text", max_tokens=9, messages=HELLO)
        assert answer.content[0].text == "".join(WORDS)  # type: ignore[union-attr]
    assert [log["provider"] for log in running.logs(place)] == ["groq", "groq"]
