"""Providers whose hosts requests name, through a real server: AWS's own client, Azure, Vertex AI, fal."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

import botocore.session
import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.cloud_upstream import (
    ACCESS_KEY,
    MANTLE_HOST,
    REGION,
    RUNTIME_HOST,
    SECRET_KEY,
    VECTOR,
    CloudUpstream,
    converse_events,
)
from support.server import Answer, Server, running_server
from support.service_account import a_private_key, a_service_account
from support.upstream import running_upstream

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
CUT = MODEL + ".cut"
_numbers = count(1)


@pytest.fixture(scope="module")
def clouds() -> Iterator[CloudUpstream]:
    with running_upstream(CloudUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, clouds: CloudUpstream) -> Iterator[Server]:
    upstreams = {
        "aws-bedrock": f"{clouds.url}/aws",
        "azure-openai": f"{clouds.url}/azure",
        "google-vertex-ai": f"{clouds.url}/vertex",
        "google-oauth2": f"{clouds.url}/oauth",
        "fal": f"{clouds.url}/fal",
    }
    with running_server(tmp_path_factory.mktemp("clouds"), GAUGEWAY_UPSTREAMS=json.dumps(upstreams)) as server:
        yield server


@pytest.fixture
def place(running: Server) -> str:
    return running.make_gateway(f"clouds-{next(_numbers)}")


def bedrock(server: Server, gateway: str, opened: ExitStack) -> Any:
    """AWS's own client: it signs for AWS's host, and only then is the request sent to the gateway."""
    session = botocore.session.Session()
    client = session.create_client(
        "bedrock-runtime", REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )

    def redirect(request: Any, **_: Any) -> None:
        service = f"{server.gateway_url(gateway)}/aws-bedrock/bedrock-runtime/{REGION}"
        request.url = request.url.replace(f"https://{RUNTIME_HOST}", service)

    client.meta.events.register("before-send.bedrock-runtime", redirect)
    return opened.enter_context(closing(client))


MESSAGES: Any = [{"role": "user", "content": [{"text": "Say hello."}]}]


def the_log(server: Server, gateway: str) -> dict[str, Any]:
    return server.wait_for_logs(gateway, 1)[0]


def test_converse(running: Server, place: str, opened: ExitStack) -> None:
    answer = bedrock(running, place, opened).converse(modelId=MODEL, messages=MESSAGES)
    assert answer["output"]["message"]["content"] == [{"text": "Hello"}]
    log = the_log(running, place)
    assert (log["provider"], log["model"], log["model_type"]) == ("aws-bedrock", MODEL, "chat")
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (26, 10, "success")
    assert log["cost_exact"] == "0.00007766"  # 20 * 1.1 + 6 * 0.11 + 10 * 5.5, in millionths of a dollar


def test_a_stream_of_converse_passes_untouched(running: Server, place: str, opened: ExitStack) -> None:
    answer = bedrock(running, place, opened).converse_stream(modelId=MODEL, messages=MESSAGES)
    events = list(answer["stream"])
    text = "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)
    assert text == "Hello"
    assert events[-1]["metadata"]["usage"]["cacheReadInputTokens"] == 6
    log = the_log(running, place)
    assert (log["tokens_in"], log["tokens_out"], log["outcome"]) == (26, 10, "success")
    logs = f"/client/v4/accounts/{running.account_id}/ai-gateway/gateways/{place}/logs"
    assert running.call("GET", f"{logs}/{log['id']}/response").body == b"".join(converse_events())


def test_invoke_streamed_and_not(running: Server, place: str, opened: ExitStack) -> None:
    client = bedrock(running, place, opened)
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
    whole = client.invoke_model(modelId=MODEL, body=body)
    assert json.loads(whole["body"].read())["content"][0]["text"] == "Hello"
    chunks = [json.loads(event["chunk"]["bytes"]) for event in client.invoke_model_with_response_stream(
        modelId=MODEL, body=body
    )["body"]]  # fmt: skip
    assert chunks[1]["delta"]["text"] == "Hello"
    assert {(log["tokens_in"], log["tokens_out"], log["model"]) for log in running.wait_for_logs(place, 2)} == {
        (26, 10, MODEL)
    }


def test_a_stream_that_broke_off_is_estimated_from_what_its_frames_hold(
    running: Server, place: str, opened: ExitStack
) -> None:
    client = bedrock(running, place, opened)
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
    with pytest.raises(Exception):  # noqa: B017  the client has no name of its own for it
        list(client.invoke_model_with_response_stream(modelId=CUT, body=body)["body"])
    log = the_log(running, place)
    assert (log["outcome"], log["usage_estimated"]) == ("stream_cut", True)
    assert (log["tokens_in"], log["tokens_out"]) == (26, 2)  # as reported; and "Hello" by four letters a token
    assert log["cost"] is not None


def store(server: Server, gateway: str, slug: str, secret: Any) -> None:
    config = {"alias": "default", "default_config": True, "provider_slug": slug, "secret": json.dumps(secret)}
    server.manage("POST", f"/gateways/{gateway}/provider_configs", config)


def test_a_stored_access_key_signs_requests(running: Server, place: str, clouds: CloudUpstream) -> None:
    store(
        running, place, "aws-bedrock", {"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY, "region": REGION}
    )
    headers = {"cf-aig-authorization": f"Bearer {running.token}"}
    path = f"/aws-bedrock/bedrock-runtime/{REGION}/model/m/invoke"
    assert running.call("POST", running.gateway_url(place) + path, {"messages": []}, headers).status == 200
    body = {"model": f"aws-bedrock/{MODEL}", "messages": [{"role": "user", "content": "Say hello."}]}
    answer = running.call("POST", f"{running.gateway_url(place)}/compat/chat/completions", body, headers)
    assert answer.json["choices"][0]["message"]["content"] == "Hello"
    assert running.token not in str(clouds.seen[-1].headers)
    unknown = running.call("POST", running.gateway_url(place) + path, {"messages": []}, {})
    assert unknown.status != 200  # a stored key is spent only for who carries a token


def test_figures_that_stand_in_headers_only(running: Server, place: str, opened: ExitStack) -> None:
    client = bedrock(running, place, opened)
    client.invoke_model(modelId="mistral.mistral-large-2402-v1:0", body=json.dumps({"prompt": "x"}))
    log = the_log(running, place)
    assert (log["tokens_in"], log["tokens_out"]) == (20, 10)
    assert log["cost"] is not None


def test_a_wrong_signature_is_the_providers_own_answer(running: Server, place: str, clouds: CloudUpstream) -> None:
    path = f"/aws-bedrock/bedrock-runtime/{REGION}/model/m/invoke"
    answer = running.call(
        "POST", running.gateway_url(place) + path, {}, {"authorization": "Bearer wrong-key-of-mine"}
    )
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})


def signed(host: str, service: str, path: str, body: bytes, **headers: str) -> dict[str, str]:
    request = AWSRequest("POST", f"https://{host}{path}", headers, body)
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, REGION).add_auth(request)
    return dict(request.headers.items())


def test_signed_headers_are_not_touched(running: Server, place: str, clouds: CloudUpstream) -> None:
    path, body = "/model/m/invoke", b'{"messages": []}'
    headers = signed(RUNTIME_HOST, "bedrock", path, body, **{"Accept-Encoding": "br", "X-Own": "a  b"})
    url = f"{running.gateway_url(place)}/aws-bedrock/bedrock-runtime/{REGION}{path}"
    assert running.call("POST", url, body, headers).status == 200
    assert clouds.seen[-1].header["accept-encoding"] == "br"


def test_a_signed_header_of_the_gateway_is_refused(running: Server, place: str) -> None:
    path, body = "/model/m/invoke", b"{}"
    headers = signed(RUNTIME_HOST, "bedrock", path, body, **{"cf-aig-event-id": "e"})
    url = f"{running.gateway_url(place)}/aws-bedrock/bedrock-runtime/{REGION}{path}"
    answer = running.call("POST", url, body, headers)
    assert (answer.status, answer.json["internalCode"]) == (400, 2008)
    assert "cf-aig-event-id" in answer.json["message"]


def test_mantle(running: Server, place: str, clouds: CloudUpstream) -> None:
    path = "/anthropic/v1/messages"
    url = f"{running.gateway_url(place)}/aws-bedrock/bedrock-mantle/{REGION}{path}"
    body = json.dumps({"model": "anthropic.claude-opus-5", "max_tokens": 9, "messages": []}).encode()
    assert running.call("POST", url, body, {"authorization": "Bearer key-of-bedrock"}).status == 200
    assert "authorization" not in clouds.seen[-1].header
    assert running.call("POST", url, body, signed(MANTLE_HOST, "bedrock-mantle", path, body)).status == 200
    for log in running.wait_for_logs(place, 2):
        assert (log["model"], log["tokens_in"]) == ("anthropic.claude-opus-5", 26)


def test_a_step_of_a_universal_request(running: Server, place: str, clouds: CloudUpstream) -> None:
    query: dict[str, Any] = {"messages": []}
    raw = json.dumps(query, separators=(",", ":")).encode()
    step = {
        "provider": "aws-bedrock",
        "endpoint": f"bedrock-runtime/{REGION}/model/m/invoke",
        "headers": signed(RUNTIME_HOST, "bedrock", "/model/m/invoke", raw),
        "query": query,
    }
    body = json.dumps([step], separators=(",", ":")).encode()
    assert running.call("POST", running.gateway_url(place), body, {}).status == 200
    wrong = step | {"endpoint": "bedrock-runtime/evil.example/model/m/invoke"}
    refused = running.call("POST", running.gateway_url(place), [wrong], {})
    assert (refused.status, "region" in refused.json["message"]) == (400, True)


def azure(server: Server, gateway: str, **headers: str) -> Answer:
    url = f"{server.gateway_url(gateway)}/azure-openai/my-resource/my-gpt/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": "Say hello."}]}
    return server.call("POST", url, body, {name.replace("_", "-"): value for name, value in headers.items()})


def test_azure(running: Server, place: str, clouds: CloudUpstream) -> None:
    assert azure(running, place, api_key="key-of-azure").status == 200
    assert clouds.seen[-1].target == "/azure/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    log = the_log(running, place)
    assert (log["provider"], log["model"], log["tokens_in"]) == ("azure-openai", "my-gpt", 20)
    assert log["cost"] is not None  # by the model that the answer names


@pytest.mark.parametrize(
    ("location", "publisher", "model", "verb", "is_priced"),
    [
        ("us-central1", "google", "gemini-2.5-flash", "generateContent", True),
        ("global", "google", "gemini-3.5-flash", "generateContent", True),
        ("us-central1", "google", "gemini-3.5-flash", "generateContent", False),
        ("global", "anthropic", "claude-haiku-4-5@20251001", "rawPredict", True),
        ("us-east5", "anthropic", "claude-haiku-4-5@20251001", "rawPredict", False),
    ],
)
def test_vertex(
    running: Server, place: str, location: str, publisher: str, model: str, verb: str, is_priced: bool
) -> None:
    path = f"v1/projects/p/locations/{location}/publishers/{publisher}/models/{model}:{verb}"
    answer = running.call(
        "POST", f"{running.gateway_url(place)}/google-vertex-ai/{path}", {}, {"authorization": "Bearer ya29.own"}
    )
    assert answer.status == 200
    log = the_log(running, place)
    assert (log["model"], log["tokens_out"]) == (model, 10)
    assert (log["cost"] is not None) is is_priced
    assert is_priced or location in log["cost_reason"]


@pytest.fixture(scope="module")
def account(clouds: CloudUpstream) -> dict[str, Any]:
    """A service account that the upstream knows, with its region."""
    private_key = a_private_key()
    clouds.account_key = private_key.public_key()
    return a_service_account(private_key) | {"region": "global"}


def encoded(account: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(account).encode()).decode()


def exchanges(clouds: CloudUpstream) -> int:
    return sum(seen.target == "/oauth/token" for seen in list(clouds.seen))


@pytest.mark.parametrize("model", ["google/gemini-2.5-flash", "anthropic/claude-haiku-4-5@20251001"])
def test_openais_client_on_vertex_with_a_service_account(
    running: Server, place: str, clouds: CloudUpstream, account: dict[str, Any], model: str
) -> None:
    with openai.OpenAI(
        api_key=encoded(account), base_url=f"{running.gateway_url(place)}/compat", max_retries=0
    ) as client:
        for _ in range(2):
            answer = client.chat.completions.create(
                model=f"google-vertex-ai/{model}", messages=[{"role": "user", "content": "Say hello."}]
            )
            assert answer.choices[0].message.content == "Hello"
    publisher, _, name = model.partition("/")
    path = f"/vertex/v1/projects/my-project-1/locations/global/publishers/{publisher}/models/{name}"
    assert clouds.seen[-1].target.startswith(path)
    assert exchanges(clouds) == 1  # one token, for all of the module's requests with this account
    for log in running.wait_for_logs(place, 2):
        assert (log["provider"], log["model"], log["tokens_out"]) == ("google-vertex-ai", name, 10)
        assert log["cost"] is not None
        shown = json.dumps(running.manage("GET", f"/gateways/{place}/logs/{log['id']}"))
        assert encoded(account) not in shown
        assert clouds.token not in shown


def test_a_service_account_on_vertex_own_paths(
    running: Server, place: str, clouds: CloudUpstream, account: dict[str, Any]
) -> None:
    path = "v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent"
    url = f"{running.gateway_url(place)}/google-vertex-ai/{path}"
    assert running.call("POST", url, {}, {"authorization": f"Bearer {encoded(account)}"}).status == 200
    assert clouds.seen[-1].header["authorization"] == f"Bearer {clouds.token}"


def test_a_service_account_that_google_does_not_know(running: Server, place: str, account: dict[str, Any]) -> None:
    stranger = a_service_account(a_private_key()) | {"region": "global"}
    body = {"model": "google-vertex-ai/google/gemini-2.5-flash", "messages": [{"role": "user", "content": "x"}]}
    answer = running.call(
        "POST", f"{running.gateway_url(place)}/compat/chat/completions", body, {"authorization": encoded(stranger)}
    )
    assert (answer.status, answer.json["internalCode"]) == (401, 2047)
    assert "invalid_grant: Invalid JWT Signature." in answer.json["message"]
    log = the_log(running, place)
    assert (log["outcome"], log["attempts"][0]["status_code"]) == ("refused", None)
    own = running.call(
        "POST", f"{running.gateway_url(place)}/compat/chat/completions", body, {"authorization": "Bearer ya29.own"}
    )
    assert (own.status, "a project and a location" in own.json["message"]) == (400, True)


def test_a_stored_service_account(
    running: Server, place: str, clouds: CloudUpstream, account: dict[str, Any]
) -> None:
    store(running, place, "google-vertex-ai", account)
    headers = {"cf-aig-authorization": f"Bearer {running.token}"}
    body = {"model": "google-vertex-ai/google/gemini-2.5-flash", "messages": [{"role": "user", "content": "Hi"}]}
    answer = running.call("POST", f"{running.gateway_url(place)}/compat/chat/completions", body, headers)
    assert answer.json["choices"][0]["message"]["content"] == "Hello"
    assert clouds.seen[-1].header["authorization"] == f"Bearer {clouds.token}"


def test_fals_target_url(running: Server, place: str, clouds: CloudUpstream) -> None:
    url = f"{running.gateway_url(place)}/fal"
    target = "https://queue.fal.run/fal-ai/flux/dev?fal_webhook=x"
    answer = running.call("POST", url, {}, {"x-fal-target-url": target, "authorization": "Key key-of-fal"})
    assert answer.json["target"] == "/fal/fal-ai/flux/dev?fal_webhook=x"
    log = the_log(running, place)
    assert (log["model"], log["path"]) == ("fal-ai/flux/dev", "fal-ai/flux/dev")
    refused = running.call("POST", url, {}, {"x-fal-target-url": "https://evil.example/x"})
    assert (refused.status, refused.json["internalCode"]) == (400, 2008)


def test_a_place_of_its_own_is_really_asked(tmp_path: Any) -> None:
    """Without an operator's upstream the host is the request's, and the guard looks at its addresses."""
    with running_server(tmp_path, GAUGEWAY_UPSTREAMS="{}", GAUGEWAY_CONNECT_TIMEOUT="2") as server:
        gateway = server.make_gateway()
        path = "/aws-bedrock/bedrock-runtime/zz-nowhere-9/model/m/invoke"
        answer = server.call("POST", server.gateway_url(gateway) + path, {}, {"authorization": "Bearer key"})
        assert answer.status in (502, 504)
        assert "aws-bedrock" in answer.json["message"]
        assert answer.status == 504 or "bedrock-runtime.zz-nowhere-9.amazonaws.com" in answer.json["message"]


def embedder(server: Server, gateway: str, key: str, opened: ExitStack) -> openai.OpenAI:
    url = f"{server.gateway_url(gateway)}/compat"
    return opened.enter_context(openai.OpenAI(api_key=key, base_url=url, max_retries=0))


def a_bedrock_key(server: Server, gateway: str) -> None:
    secret = json.dumps({"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY, "region": REGION})
    config = {"provider_slug": "aws-bedrock", "alias": "default", "default_config": True, "secret": secret}
    server.manage("POST", f"/gateways/{gateway}/provider_configs", config)


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_titans_embeddings_by_openais_client(
    running: Server, clouds: CloudUpstream, place: str, encoding: Any, opened: ExitStack
) -> None:
    a_bedrock_key(running, place)
    more = {} if encoding is None else {"encoding_format": encoding}
    answer = embedder(running, place, running.token, opened).embeddings.create(
        model="aws-bedrock/amazon.titan-embed-text-v2:0", input="Hello", dimensions=256, **more
    )
    found = answer.data[0].embedding
    assert (len(found) == 16) if encoding == "base64" else (found == VECTOR)
    assert (answer.model, answer.usage.prompt_tokens) == ("amazon.titan-embed-text-v2:0", 7)
    assert clouds.seen[-1].json == {"inputText": "Hello", "dimensions": 256}
    log = the_log(running, place)
    assert (log["model_type"], log["tokens_in"], log["path"]) == ("embeddings", 7, "compat/embeddings")
    assert log["cost_exact"] == "0.00000014"  # 7 x 0.02 dollars a million


@pytest.mark.parametrize("model", ["cohere.embed-english-v3", "cohere.embed-v4:0"])
def test_coheres_embeddings_on_bedrock(
    running: Server, clouds: CloudUpstream, place: str, model: str, opened: ExitStack
) -> None:
    a_bedrock_key(running, place)
    answer = embedder(running, place, running.token, opened).embeddings.create(
        model=f"aws-bedrock/{model}", input=["a", "b"], extra_body={"input_type": "search_query"}
    )
    assert [one.embedding for one in answer.data] == [VECTOR, VECTOR]
    assert answer.usage is None, "its body does not say, and 0 would be a lie"
    assert clouds.seen[-1].json == {"texts": ["a", "b"], "input_type": "search_query", "truncate": "NONE"}
    assert the_log(running, place)["tokens_in"] == 9


@pytest.mark.parametrize(
    ("model", "texts", "tokens"), [("gemini-embedding-001", ["a", "b"], 8), ("gemini-embedding-2", "a", 7)]
)
def test_googles_embeddings_on_vertex(
    running: Server,
    clouds: CloudUpstream,
    place: str,
    account: dict[str, Any],
    model: str,
    texts: Any,
    tokens: int,
    opened: ExitStack,
) -> None:
    answer = embedder(running, place, encoded(account), opened).embeddings.create(
        model=f"google-vertex-ai/google/{model}", input=texts, dimensions=3
    )
    assert [one.embedding for one in answer.data] == [VECTOR] * len(texts)
    assert answer.usage.total_tokens == tokens
    sent = clouds.seen[-1].json
    assert (sent.get("parameters") or sent)["outputDimensionality"] == 3
    assert (sent.get("parameters") or sent)["autoTruncate"] is False
    log = the_log(running, place)
    assert (log["model_type"], log["tokens_in"], log["model"]) == ("embeddings", tokens, model)
