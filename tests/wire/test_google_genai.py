"""The official google-genai client in Google's own format, on Google AI Studio and on Vertex AI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from support.cloud_upstream import CloudUpstream
from support.foreign_upstream import CALLS, KEY, PERSON, WORDS, ForeignUpstream
from support.server import Server, running_server
from support.upstream import running_upstream

_numbers = count(1)
FIGURES = (20, 10)


@pytest.fixture(scope="module")
def provider() -> Iterator[ForeignUpstream]:
    with running_upstream(ForeignUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def clouds() -> Iterator[CloudUpstream]:
    with running_upstream(CloudUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, provider: ForeignUpstream, clouds: CloudUpstream
) -> Iterator[Server]:
    upstreams = {"google-ai-studio": f"{provider.url}/google", "google-vertex-ai": f"{clouds.url}/vertex"}
    with running_server(tmp_path_factory.mktemp("genai"), GAUGEWAY_UPSTREAMS=json.dumps(upstreams)) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"genai-{next(_numbers)}")


@pytest.fixture
def client(running: Server, place: str) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=f"{running.gateway_url(place)}/google-ai-studio", timeout=30_000)
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


def the_log(server: Server, gateway: str) -> dict[str, Any]:
    return server.wait_for_logs(gateway, 1)[0]


def test_generate_content(client: genai.Client, running: Server, place: str, provider: ForeignUpstream) -> None:
    answer = client.models.generate_content(model="gemini-text", contents="Say hello.")
    assert answer.text == "".join(WORDS)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.cached_content_token_count == 4
    assert provider.seen[-1].header["x-goog-api-key"] == KEY
    log = the_log(running, place)
    assert (log["provider"], log["model"], log["model_type"]) == ("google-ai-studio", "gemini-text", "chat")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (*FIGURES, "success")
    assert KEY not in json.dumps(log)


def test_a_stream(client: genai.Client, running: Server, place: str) -> None:
    pieces = [
        piece.text or "" for piece in client.models.generate_content_stream(model="gemini-text", contents="Hi")
    ]
    assert [piece for piece in pieces if piece] == WORDS
    log = the_log(running, place)
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (*FIGURES, "success")


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession")  # of the client's own
async def test_an_asynchronous_stream(running: Server, place: str) -> None:
    options = types.HttpOptions(base_url=f"{running.gateway_url(place)}/google-ai-studio", timeout=30_000)
    client = genai.Client(api_key=KEY, vertexai=False, http_options=options)
    try:
        stream = await client.aio.models.generate_content_stream(model="gemini-text", contents="Hi")
        assert "".join([piece.text or "" async for piece in stream]) == "".join(WORDS)
    finally:
        await client.aio.aclose()
        client.close()


def test_functions_thoughts_and_json(client: genai.Client) -> None:
    declared = types.FunctionDeclaration(name="weather", description="of a city")
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
    answer = client.models.generate_content(model="gemini-tools", contents="Hi", config=config)
    assert [(call.name, call.args) for call in answer.function_calls or ()] == CALLS
    thinking = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    thought = client.models.generate_content(model="gemini-think", contents="Hi", config=thinking)
    assert thought.parts
    assert (thought.parts[0].text, thought.parts[0].thought) == ("Hm, so.", True)
    as_json = types.GenerateContentConfig(response_mime_type="application/json")
    assert client.models.generate_content(model="gemini-json", contents="Hi", config=as_json).text == PERSON


def test_an_error_is_googles_own(client: genai.Client, running: Server, place: str) -> None:
    with pytest.raises(errors.ServerError, match="Overloaded") as failed:
        client.models.generate_content(model="gemini-error", contents="Hi")
    assert (failed.value.code, failed.value.status) == (503, "UNAVAILABLE")
    assert the_log(running, place)["outcome"] == "upstream_error"


def test_a_stream_that_is_cut_is_an_error(client: genai.Client, running: Server, place: str) -> None:
    came: list[str] = []
    with pytest.raises(Exception, match=r"(?i)incomplete|peer closed|chunked"):
        came += [
            piece.text or "" for piece in client.models.generate_content_stream(model="gemini-cut", contents="Hi")
        ]
    assert the_log(running, place)["outcome"] == "stream_cut"


def test_vertex(running: Server, place: str, clouds: CloudUpstream) -> None:
    options = types.HttpOptions(
        base_url=f"{running.gateway_url(place)}/google-vertex-ai", api_version="v1", timeout=30_000
    )
    token = Credentials(token="ya29.own")
    with genai.Client(
        vertexai=True, project="p", location="us-central1", credentials=token, http_options=options
    ) as client:
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.")
    assert answer.text == "Hello"
    target = "/vertex/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent"
    assert clouds.seen[-1].target == target
    log = the_log(running, place)
    assert (log["provider"], log["model"], log["tokens_in"]) == ("google-vertex-ai", "gemini-2.5-flash", 20)
    assert log["cost"] is not None
