"""The official OpenAI client's `responses` on providers of every format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from support.chat_upstream import ChatUpstream
from support.dialects import EACH, FIGURES, server_before
from support.foreign_upstream import CALLS, KEY, WORDS
from support.server import Answer, Server
from support.upstream import running_upstream

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
_numbers = count(1)
each = pytest.mark.parametrize(("slug", "family"), EACH, ids=[slug for slug, _ in EACH])


class Person(BaseModel):
    """What a structured answer is parsed into."""

    name: str
    age: int


@pytest.fixture(scope="module")
def provider() -> Iterator[ChatUpstream]:
    with running_upstream(ChatUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, provider: ChatUpstream) -> Iterator[Server]:
    with server_before(provider, tmp_path_factory.mktemp("responses")) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"responses-{next(_numbers)}")


@pytest.fixture
def client(running: Server, place: str) -> Iterator[openai.OpenAI]:
    url = f"{running.gateway_url(place)}/compat"
    with openai.OpenAI(api_key=KEY, base_url=url, max_retries=0, timeout=30) as made:
        yield made


def ask(server: Server, gateway: str, body: Any) -> Answer:
    url = f"{server.gateway_url(gateway)}/compat/responses"
    return server.call("POST", url, body, {"authorization": f"Bearer {KEY}"})


@each
def test_an_answer(
    client: openai.OpenAI, running: Server, place: str, provider: ChatUpstream, slug: str, family: str
) -> None:
    raw = client.responses.with_raw_response.create(
        model=f"{slug}/{family}-text", instructions="Be kind.", input="Say hello.", max_output_tokens=50
    )
    answer = raw.parse()
    into, out, cached = FIGURES[slug]
    assert (answer.output_text, answer.status, answer.object) == ("".join(WORDS), "completed", "response")
    assert [item.type for item in answer.output] == ["message"]
    assert answer.id.startswith("resp_")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (into, out)
    assert answer.usage.input_tokens_details.cached_tokens == cached
    assert (answer.instructions, answer.max_output_tokens, answer.tools) == ("Be kind.", 50, [])
    assert raw.headers["cf-aig-provider"] == slug
    log = running.logs(place)[0]
    assert (log["provider"], log["model"], log["path"]) == (slug, f"{family}-text", "compat/responses")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into, out, "success")


@each
def test_a_stream(client: openai.OpenAI, running: Server, place: str, slug: str, family: str) -> None:
    with client.responses.stream(model=f"{slug}/{family}-text", input="Say hello.") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert (final.output_text, final.status) == ("".join(WORDS), "completed")
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    into, out, _ = FIGURES[slug]
    assert final.usage is not None
    assert (final.usage.input_tokens, final.usage.output_tokens) == (into, out)
    log = running.logs(place)[0]
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (into, out, "success")


@each
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(
    client: openai.OpenAI, provider: ChatUpstream, slug: str, family: str, streamed: bool
) -> None:
    conversation: Any = [{"role": "user", "content": "And in Bern and Chur?"}]
    asked: Any = {"model": f"{slug}/{family}-tools", "tools": [TOOL], "tool_choice": "required"}
    if streamed:
        with client.responses.stream(input=conversation, **asked) as stream:
            for _ in stream:
                pass
            answer: Any = stream.get_final_response()
    else:
        answer = client.responses.create(input=conversation, **asked)
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == CALLS
    assert len({call.call_id for call in calls}) == 2
    conversation += answer.output
    conversation += [
        {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"degrees": number})}
        for number, call in enumerate(calls)
    ]
    asked["model"] = f"{slug}/{family}-text"
    assert client.responses.create(input=conversation, **asked).output_text == "".join(WORDS)
    sent = json.dumps(provider.seen[-1].json)
    for call in calls:
        assert "weather" in sent
        if slug != "google-ai-studio":
            assert call.call_id in sent
    assert sent.count("degrees") == 2


@each
def test_a_schema(client: openai.OpenAI, slug: str, family: str) -> None:
    answer = client.responses.parse(model=f"{slug}/{family}-json", input="Who?", text_format=Person)
    assert answer.output_parsed == Person(name="Ada", age=36)


@each
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_and_its_way_back(
    client: openai.OpenAI, provider: ChatUpstream, slug: str, family: str, streamed: bool
) -> None:
    conversation: Any = [{"role": "user", "content": "Think."}]
    model = f"{slug}/{family}-think"
    if streamed:
        with client.responses.stream(model=model, input=conversation) as stream:
            kinds = [event.type for event in stream]
            answer: Any = stream.get_final_response()
        assert "response.reasoning_summary_text.delta" in kinds
    else:
        answer = client.responses.create(model=model, input=conversation)
    first = answer.output[0]
    assert first.type == "reasoning"
    assert "".join(part.text for part in first.summary) == "Hm, so."
    assert answer.output_text == "".join(WORDS)
    conversation += [*answer.output, {"role": "user", "content": "Go on."}]
    client.responses.create(model=f"{slug}/{family}-text", input=conversation)
    sent = json.dumps(provider.seen[-1].json)
    assert ("sig" in sent) is (slug == "anthropic")


@pytest.mark.parametrize("streamed", [False, True])
def test_refusals_and_limits(client: openai.OpenAI, streamed: bool) -> None:
    def ask_for(model: str) -> Any:
        if not streamed:
            return client.responses.create(model=model, input="x")
        with client.responses.stream(model=model, input="x") as stream:
            for event in stream:
                last = event
        return last.response  # type: ignore[union-attr]

    refused = ask_for("groq/chat-refuse")
    assert refused.output[0].content[0].refusal == "I would rather not."
    assert (refused.status, refused.incomplete_details.reason) == ("incomplete", "content_filter")
    cut = ask_for("groq/chat-length")
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert ask_for("groq/chat-no-usage").usage is None


def test_images_files_and_roles(client: openai.OpenAI, provider: ChatUpstream) -> None:
    png = "data:image/png;base64,iVBORw0KGgo="
    content = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": png, "detail": "auto"},
    ]
    conversation: Any = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": content},
        {"role": "assistant", "content": "A dot."},
        {"role": "user", "content": "Sure?"},
    ]
    client.responses.create(model="groq/chat-text", input=conversation)
    assert provider.seen[-1].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": png}},
            ],
        },
        {"role": "assistant", "content": "A dot."},
        {"role": "user", "content": "Sure?"},
    ]
    client.responses.create(model="anthropic/claude-text", input=conversation)
    assert provider.seen[-1].json["messages"][0]["content"][1]["source"]["media_type"] == "image/png"


def test_parameters_and_their_counterparts(client: openai.OpenAI, provider: ChatUpstream) -> None:
    client.responses.create(
        model="groq/chat-text",
        input="x",
        max_output_tokens=77,
        temperature=0.5,
        top_p=0.9,
        reasoning={"effort": "low", "summary": "auto"},
        tools=[TOOL],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        metadata={"team": "blue"},
        store=False,
        truncation="disabled",
        include=["reasoning.encrypted_content"],
    )
    function = {name: TOOL[name] for name in ("name", "description", "parameters", "strict")}
    assert provider.seen[-1].json == {
        "model": "chat-text",
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 77,
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning_effort": "low",
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize(("slug", "target"), [("openai", "/openai/responses"), ("xai", "/grok/v1/responses")])
def test_who_speaks_it_gets_it_as_it_is(
    running: Server, place: str, provider: ChatUpstream, slug: str, target: str
) -> None:
    body = {"model": f"{slug}/ok", "input": "x", "previous_response_id": "resp_1", "anything": [1.0]}
    assert ask(running, place, body).status == 200
    assert (provider.seen[-1].target, provider.seen[-1].json) == (target, body | {"model": "ok"})


def test_usage_is_asked_for_only_where_it_is_known(running: Server, place: str, provider: ChatUpstream) -> None:
    for slug, wanted in (("groq", {"include_usage": True}), ("mistral", None)):
        ask(running, place, {"model": f"{slug}/chat-text", "input": "x", "stream": True})
        assert provider.seen[-1].json.get("stream_options") == wanted


def test_a_providers_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="Too many"):
        client.responses.create(model="groq/chat-error", input="x")
    with pytest.raises(openai.InternalServerError, match="Overloaded"):
        client.responses.create(model="anthropic/claude-error", input="x")


@pytest.mark.parametrize("model", ["groq/chat", "anthropic/claude"])
def test_a_cut_stream_stays_cut(client: openai.OpenAI, running: Server, place: str, model: str) -> None:
    with pytest.raises(Exception, match=r"incomplete|peer closed|disconnected|Connection"):
        list(client.responses.create(model=f"{model}-cut", input="x", stream=True))
    assert running.logs(place)[0]["outcome"] == "stream_cut"


@pytest.mark.parametrize("model", ["groq/chat", "anthropic/claude"])
def test_an_error_within_a_stream(client: openai.OpenAI, running: Server, place: str, model: str) -> None:
    kinds: list[str] = []
    with pytest.raises(Exception, match=r"incomplete|peer closed|disconnected|Connection"):
        for event in client.responses.create(model=f"{model}-late-error", input="x", stream=True):
            kinds.append(event.type)
            last: Any = event
    assert kinds[-1] == "response.failed"
    assert "Overloaded" in last.response.error.message
    assert running.logs(place)[0]["outcome"] == "stream_cut"


CHAT = {"model": "groq/chat-text", "input": "x"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"previous_response_id": "resp_1"}, "previous_response_id: nothing is stored here"),
    ({"conversation": "conv_1"}, "conversation: nothing is stored here"),
    ({"background": True}, "background: nothing is stored here"),
    ({"store": True}, "store: nothing is stored here"),
    ({"truncation": "auto"}, "truncation: inputs are not cut"),
    ({"top_logprobs": 2}, "top_logprobs: log probabilities"),
    ({"include": ["message.output_text.logprobs"]}, "include[0]: only reasoning.encrypted_content"),
    ({"tools": [{"type": "web_search"}]}, "tools[0]: a tool of type 'web_search' is OpenAI's own"),
    ({"tools": [TOOL | {"defer_loading": True}]}, "tools[0].defer_loading: cannot be translated"),
    ({"tool_choice": {"type": "mcp"}}, "tool_choice: the type 'mcp'"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]: nothing is stored here"),
    ({"input": [{"type": "computer_call_output"}]}, "input[0]: an item of type 'computer_call_output'"),
    (
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        "not in the request itself",
    ),
    ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role: expected user"),
    ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}]}, "was encrypted elsewhere"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema: expected a JSON schema"),
    ({"nonsense": 1}, "nonsense: is not known"),
    ({"input": 7}, "input: Expected"),
    ({"max_output_tokens": 0}, "max_output_tokens: must be at least 1"),
    ({"stream_options": {"include_obfuscation": True}}, "include_obfuscation: belongs to OpenAI"),
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


def test_what_the_provider_lacks_is_named_as_it_is_called_here(running: Server, place: str) -> None:
    body = {"model": "anthropic/claude-text", "input": "x", "text": {"format": {"type": "json_object"}}}
    answer = ask(running, place, body)
    assert answer.status == 400
    assert answer.json["message"].startswith("text.format"), answer.json["message"]


def test_an_answer_is_cached_as_it_was(running: Server, place: str) -> None:
    url = f"{running.gateway_url(place)}/compat/responses"
    headers = {"authorization": f"Bearer {KEY}", "cf-aig-cache-ttl": "60"}
    first, second = (running.call("POST", url, CHAT, headers) for _ in range(2))
    assert [each.headers["cf-aig-cache-status"] for each in (first, second)] == ["MISS", "HIT"]
    assert first.json == second.json


def test_rest_and_dynamic_routes(running: Server, place: str) -> None:
    outputs = {"success": {"elementId": "end"}, "fallback": {"elementId": "end"}}
    properties = {"provider": "groq", "model": "chat-text", "timeout": 9000, "retries": 0}
    elements = [
        {"id": "start", "type": "start", "outputs": {"next": {"elementId": "m"}}},
        {"id": "m", "type": "model", "properties": properties, "outputs": outputs},
        {"id": "end", "type": "end", "outputs": {}},
    ]
    running.manage("POST", f"/gateways/{place}/routes", {"name": "r", "elements": elements})
    headers = {"cf-aig-gateway-id": place, "cf-aig-authorization": f"Bearer {running.token}"}
    url = f"{running.base_url}/accounts/{running.account_id}/ai/v1"
    with openai.OpenAI(api_key=KEY, base_url=url, default_headers=headers, max_retries=0) as client:
        for model in ("dynamic/r", "groq/chat-text"):
            assert client.responses.create(model=model, input="x").output_text == "".join(WORDS)
    assert {log["path"] for log in running.logs(place)} == {"ai/v1/responses"}
