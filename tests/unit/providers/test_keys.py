"""Keys that the gateway uses itself: AWS's signatures, Bedrock's own keys, Google's service accounts."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.core.provider import Outbound, Request, placing_of
from gaugeway.providers import load
from gaugeway.providers.parts.aws import BedrockKey
from gaugeway.providers.parts.google import EXCHANGE_URL, ServiceAccountKey, account_in, account_in_header
from support.cloud_upstream import ACCESS_KEY, MANTLE_HOST, REGION, RUNTIME_HOST, SECRET_KEY, signature_problem
from support.service_account import a_private_key, a_service_account
from support.upstream import Seen

PROVIDERS = load()
NOW_MS = 1_790_000_000_000
STORED = {"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY, "region": REGION}
RUNTIME = "/model/us.anthropic.claude-x-v1%3A0/invoke"
BEDROCK, GOOGLE = BedrockKey(), ServiceAccountKey()


def outbound(host: str, rest: str, target: str, body: bytes = b"{}") -> Outbound:
    headers = [(b"content-type", b"application/json"), (b"accept", b"*/*")]
    return Outbound(
        method=b"POST", host=host, rest=rest, target=target.encode(), headers=headers, body=body, at_ms=NOW_MS
    )


def problem(key: dict[str, Any], request: Outbound, service: str, received: bytes | None = None) -> str | None:
    """What AWS would say of a request with the headers that the key makes."""
    headers = dict(request.headers) | dict(BEDROCK.headers(json.dumps(key), request))
    pairs = [(name.decode(), value.decode()) for name, value in headers.items()]
    seen = Seen("POST", request.target.decode(), pairs, request.body if received is None else received)
    return signature_problem(seen, request.target.decode(), request.host, service)


@pytest.mark.parametrize(
    ("host", "rest", "target", "service"),
    [
        (RUNTIME_HOST, f"bedrock-runtime/{REGION}{RUNTIME}", RUNTIME, "bedrock"),
        (RUNTIME_HOST, f"bedrock-runtime/{REGION}/x", "/x?b=2&a=1%20z", "bedrock"),
        (MANTLE_HOST, f"bedrock-mantle/{REGION}/anthropic/v1/messages", "/anthropic/v1/messages", "bedrock-mantle"),
        ("vpce.example:8443", f"bedrock-runtime/{REGION}{RUNTIME}", "/base" + RUNTIME, "bedrock"),
    ],
)
def test_signatures_are_awss(host: str, rest: str, target: str, service: str) -> None:
    request = outbound(host, rest, target)
    assert problem(STORED, request, service) is None
    assert problem(STORED, request, service, b"{ }") is not None
    assert problem(STORED | {"secretAccessKey": "another-secret-of-somebody"}, request, service) is not None


def test_temporary_credentials_send_their_token_signed() -> None:
    key = STORED | {"sessionToken": "a-session-token-of-sts"}
    headers = dict(BEDROCK.headers(json.dumps(key), outbound(RUNTIME_HOST, f"bedrock-runtime/{REGION}/x", "/x")))
    assert headers[b"x-amz-security-token"] == b"a-session-token-of-sts"
    assert b"x-amz-security-token" in headers[b"authorization"]
    assert headers[b"x-amz-date"] == b"20260921T141320Z"


def test_the_region_of_the_path_is_signed_for() -> None:
    request = outbound("h", "bedrock-runtime/eu-west-1/x", "/x")
    authorization = dict(BEDROCK.headers(json.dumps(STORED), request))[b"authorization"]
    assert b"/20260921/eu-west-1/bedrock/aws4_request" in authorization


@pytest.mark.parametrize(
    ("rest", "headers"),
    [
        (f"bedrock-runtime/{REGION}/x", [(b"authorization", b"Bearer key-of-bedrock")]),
        (f"bedrock-mantle/{REGION}/v1/chat/completions", [(b"authorization", b"Bearer key-of-bedrock")]),
        (f"bedrock-mantle/{REGION}/anthropic/v1/messages", [(b"x-api-key", b"key-of-bedrock")]),
    ],
)
def test_a_key_of_bedrocks_own(rest: str, headers: list[tuple[bytes, bytes]]) -> None:
    BEDROCK.check("key-of-bedrock")
    assert BEDROCK.headers("key-of-bedrock", outbound("h", rest, "/x")) == headers
    assert BEDROCK.secrets("key-of-bedrock") == ["key-of-bedrock"]


def test_what_must_not_be_seen_of_an_access_key() -> None:
    BEDROCK.check(json.dumps(STORED))
    assert BEDROCK.secrets(json.dumps(STORED | {"sessionToken": "a-session-token-of-sts"})) == [
        SECRET_KEY,
        "a-session-token-of-sts",
    ]


@pytest.mark.parametrize(
    "key",
    [
        "{}",
        "{",
        json.dumps(STORED | {"region": "nowhere"}),
        json.dumps(STORED | {"region": "us-east-1.evil.example"}),
        json.dumps(STORED | {"secretAccessKey": "short"}),
        json.dumps(STORED | {"accessKeyId": "AKIA\nx: y-and-so-on-and-on"}),
        json.dumps(STORED | {"more": 1}),
        json.dumps([STORED]),
        "two words",
        "",
    ],
)
def test_what_is_no_key_of_bedrocks(key: str) -> None:
    with pytest.raises(BadInput) as refused:
        BEDROCK.check(key)
    assert SECRET_KEY not in refused.value.message


# --- Google


@pytest.fixture(scope="module")
def private_key() -> RSAPrivateKey:
    return a_private_key()


def test_a_service_account_asks_for_a_token(private_key: RSAPrivateKey) -> None:
    account = a_service_account(private_key)
    GOOGLE.check(json.dumps(account))
    asked = GOOGLE.ask(json.dumps(account), NOW_MS)
    assert (asked.host, asked.target) == ("oauth2.googleapis.com", b"/token")
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    public = private_key.public_key()
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(form["assertion"][0], public, algorithms=["RS256"], audience=EXCHANGE_URL, options=options)
    assert claims == {
        "iss": account["client_email"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": EXCHANGE_URL,
        "iat": NOW_MS // 1000,
        "exp": NOW_MS // 1000 + 3600,
    }
    assert jwt.get_unverified_header(form["assertion"][0])["kid"] == account["private_key_id"]
    assert GOOGLE.secrets(json.dumps(account)) == [account["private_key"]]


def test_a_tokens_answer() -> None:
    assert GOOGLE.read(b'{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}') == ("ya29.x", 3599)
    assert GOOGLE.headers("ya29.x", outbound("h", "x", "/x")) == [(b"authorization", b"Bearer ya29.x")]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b'{"id_token":"x"}',
        b'{"access_token":"a\\nb: c","expires_in":9}',
        b'{"access_token":"a","expires_in":0}',
    ],
)
def test_what_is_no_token(answer: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        GOOGLE.read(answer)


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "authorized_user"},
        {"token_uri": "https://evil.example/token"},
        {"token_uri": "http://169.254.169.254/token"},
        {"project_id": "../x"},
        {"region": "evil.example"},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"},
        {"private_key": ""},
        {"private_key": "x" * 4000},
        {"client_email": None},
    ],
)
def test_what_is_no_service_account(private_key: RSAPrivateKey, changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        GOOGLE.check(json.dumps(a_service_account(private_key) | changed))
    assert "BEGIN" not in refused.value.message


def as_header(account: dict[str, Any], scheme: bytes = b"Bearer ") -> bytes:
    return scheme + base64.b64encode(json.dumps(account).encode())


@pytest.mark.parametrize("scheme", [b"", b"Bearer "])
def test_a_service_account_in_a_header(private_key: RSAPrivateKey, scheme: bytes) -> None:
    account = a_service_account(private_key)
    assert account_in(account_in_header(as_header(account, scheme)) or "").project_id == account["project_id"]


@pytest.mark.parametrize(
    "value", [b"", b"Bearer ya29.token", b"Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", b"Bearer ey\xff"]
)
def test_other_credentials_are_left_alone(value: bytes) -> None:
    assert account_in_header(value) is None


def vertex(rest: str, *headers: tuple[bytes, bytes], key: str = "") -> Request:
    placing = placing_of(PROVIDERS["google-vertex-ai"])
    assert placing is not None
    return placing.place(Request(rest=rest, query=b"", headers=list(headers), key=key), [])


MODEL = "publishers/google/models/gemini-2.5-pro:generateContent"


def test_vertex_takes_project_and_region_from_the_account(private_key: RSAPrivateKey) -> None:
    account = a_service_account(private_key) | {"region": "europe-west4"}
    placed = vertex(f"v1/{MODEL}", (b"authorization", as_header(account)), (b"x-own", b"1"))
    assert placed.rest == f"v1/projects/{account['project_id']}/locations/europe-west4/{MODEL}"
    assert (placed.host, placed.headers) == ("europe-west4-aiplatform.googleapis.com", [(b"x-own", b"1")])
    assert json.loads(placed.key) == account
    assert vertex(f"v1/{MODEL}", key=json.dumps(account)).rest == placed.rest


def test_vertex_needs_project_and_region_from_somewhere(private_key: RSAPrivateKey) -> None:
    with pytest.raises(BadInput, match="a project and a location"):
        vertex(f"v1/{MODEL}", (b"authorization", b"Bearer ya29.token"))
    with pytest.raises(BadInput, match="names no region"):
        vertex(f"v1/{MODEL}", (b"authorization", as_header(a_service_account(private_key))))
    own = f"v1/projects/p/locations/us-central1/{MODEL}"
    assert vertex(own, (b"authorization", as_header(a_service_account(private_key)))).rest == own
    assert vertex(f"v1/{MODEL}", (b"x-goog-api-key", b"AQ.key")).host == "aiplatform.googleapis.com"
    assert vertex("v1beta1/publishers/google/models", (b"authorization", b"Bearer t")).key == ""


def test_bedrock_takes_the_region_of_a_translated_request_from_the_key() -> None:
    placing = placing_of(PROVIDERS["aws-bedrock"])
    assert placing is not None
    for key, region in (
        ("", "us-east-1"),
        ("key-of-bedrock", "us-east-1"),
        (json.dumps(STORED | {"region": "eu-west-1"}), "eu-west-1"),
    ):
        placed = placing.place(
            Request(rest="bedrock-runtime/-/model/m/converse", query=b"", headers=[], key=key), []
        )
        assert (placed.rest, placed.host) == (
            f"bedrock-runtime/{region}/model/m/converse",
            f"bedrock-runtime.{region}.amazonaws.com",
        )
