"""Hosts that requests name: built from checked names, never taken as they are; signatures that stay valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Headers, Request, placing_of
from gaugeway.providers import load

PROVIDERS = load()
PLACED = [slug for slug, provider in PROVIDERS.items() if placing_of(provider) is not None]
OWN_DOMAINS = {
    "aws-bedrock": (".amazonaws.com", ".amazonaws.com.cn", ".api.aws"),
    "azure-openai": (".openai.azure.com",),
    "baseten": (".baseten.co",),
    "fal": (".fal.run", ".fal.ai"),
    "google-vertex-ai": (".googleapis.com",),
}


def place(
    slug: str, rest: str, headers: Headers | None = None, sent: Headers | None = None, query: bytes = b""
) -> Request:
    placing = placing_of(PROVIDERS[slug])
    assert placing is not None
    headers = headers or []
    return placing.place(Request(rest=rest, query=query, headers=headers), headers if sent is None else sent)


HOSTS = [
    ("aws-bedrock", "bedrock-runtime/us-east-1/model/m/invoke", "bedrock-runtime.us-east-1.amazonaws.com"),
    ("aws-bedrock", "bedrock-runtime/us-gov-west-1/model/m/invoke", "bedrock-runtime.us-gov-west-1.amazonaws.com"),
    ("aws-bedrock", "bedrock-runtime/cn-north-1/model/m/invoke", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ("aws-bedrock", "bedrock-mantle/eu-west-1/anthropic/v1/messages", "bedrock-mantle.eu-west-1.api.aws"),
    ("azure-openai", "my-resource/gpt/chat/completions", "my-resource.openai.azure.com"),
    ("azure-openai", "My-Resource/openai/v1/responses", "my-resource.openai.azure.com"),
    ("baseten", "v1/chat/completions", "inference.baseten.co"),
    ("baseten", "model/abcd1234", "model-abcd1234.api.baseten.co"),
    ("google-vertex-ai", "v1/projects/p/locations/us-central1/x", "us-central1-aiplatform.googleapis.com"),
    ("google-vertex-ai", "v1/projects/p/locations/global/x", "aiplatform.googleapis.com"),
    ("google-vertex-ai", "v1/projects/p/locations/eu/x", "aiplatform.eu.rep.googleapis.com"),
    ("google-vertex-ai", "v1beta1/publishers/google/models", "aiplatform.googleapis.com"),
    ("fal", "fal-ai/flux/dev", "fal.run"),
]


@pytest.mark.parametrize(("slug", "rest", "host"), HOSTS)
def test_host(slug: str, rest: str, host: str) -> None:
    assert place(slug, rest).host == host


NOT_PLACES = [
    ("aws-bedrock", "bedrock-runtime/evil.example#/model/m/invoke"),
    ("aws-bedrock", "bedrock-runtime/us-east-1.evil.example/model/m/invoke"),
    ("aws-bedrock", "bedrock-runtime/US-EAST-1/model/m/invoke"),
    ("aws-bedrock", "bedrock-runtime//model/m/invoke"),
    ("aws-bedrock", "bedrock-runtime/us-east-1\n/model/m/invoke"),
    ("aws-bedrock", "s3/us-east-1/bucket"),
    ("aws-bedrock", "model/m/invoke"),
    ("aws-bedrock", ""),
    ("azure-openai", "evil.example/gpt/chat/completions"),
    ("azure-openai", "a@evil/gpt/chat/completions"),
    ("azure-openai", "-a/gpt/chat/completions"),
    ("azure-openai", "x" * 65 + "/gpt/chat/completions"),
    ("azure-openai", "evil%2Eexample/gpt/chat/completions"),
    ("azure-openai", "resource/gpt"),
    ("azure-openai", "resource"),
    ("baseten", "model/evil.example/predict"),
    ("baseten", "model/ABC"),
    ("baseten", "model/"),
    ("google-vertex-ai", "v1/projects/p/locations/evil.example/x"),
    ("google-vertex-ai", "v1/projects/p/locations/us-central1.evil.example%2f/x"),
    ("google-vertex-ai", "v1/projects/p/locations//x"),
]


@pytest.mark.parametrize(("slug", "rest"), NOT_PLACES)
def test_what_names_no_place_is_refused(slug: str, rest: str) -> None:
    with pytest.raises(BadInput):
        place(slug, rest)


@given(rest=st.text(alphabet="abz09-./:@#%?_ \\\n", max_size=40), slug=st.sampled_from(PLACED))
def test_no_path_leads_to_a_host_of_somebody_else(rest: str, slug: str) -> None:
    prefixes = {
        "aws-bedrock": "bedrock-runtime/",
        "baseten": "model/",
        "google-vertex-ai": "v1/projects/p/locations/",
    }
    for candidate in (rest, prefixes.get(slug, "") + rest, prefixes.get(slug, "") + rest + "/x/y"):
        try:
            host = place(slug, candidate).host
        except BadInput:
            continue
        assert ("." + host).endswith(OWN_DOMAINS[slug])
        assert all(letter.isalnum() or letter in "-." for letter in host)


def target_url(*urls: str) -> Headers:
    return [(b"x-fal-target-url", url.encode("latin-1")) for url in urls]


def test_fals_target_url_is_the_whole_url() -> None:
    request = place("fal", "", [*target_url("https://queue.fal.run/fal-ai/x/status?logs=1"), (b"x-own", b"1")])
    assert (request.host, request.rest, request.query) == ("queue.fal.run", "fal-ai/x/status", b"logs=1")
    assert request.headers == [(b"x-own", b"1")]


@pytest.mark.parametrize(
    "url",
    [
        "http://queue.fal.run/x",
        "https://fal.run.evil.example/x",
        "https://evilfal.run/x",
        "https://fal.run@evil.example/x",
        "https://user@fal.run/x",
        "https://fal.run:8443/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[/x",
        "https://fal.run\\@evil.example/x",
        "https://fal.run /x",
        "//fal.run/x",
        "fal.run/x",
        "",
    ],
)
def test_a_target_url_that_is_not_fals_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="x-fal-target-url"):
        place("fal", "", target_url(url))


def test_a_target_url_stands_alone() -> None:
    one = "https://queue.fal.run/x"
    for rest, query, urls in (("fal-ai/x", b"", (one,)), ("", b"a=1", (one,)), ("", b"", (one, one))):
        with pytest.raises(BadInput, match="once"):
            place("fal", rest, target_url(*urls), query=query)


RUNTIME = "bedrock-runtime/us-east-1/model/m/invoke"


def signed(names: str) -> tuple[bytes, bytes]:
    text = f"AWS4-HMAC-SHA256 Credential=AKID/20261126/us-east-1/bedrock/aws4_request, SignedHeaders={names}, "
    return (b"authorization", text.encode() + b"Signature=abc")


def test_a_signed_header_goes_on_as_it_was_signed() -> None:
    authorization = signed("accept-encoding;content-length;host;x-amz-date")
    sent = [authorization, (b"accept-encoding", b"br, gzip"), (b"x-amz-date", b"1"), (b"host", b"h")]
    request = place(
        "aws-bedrock", RUNTIME, [authorization, (b"accept-encoding", b"gzip"), (b"x-amz-date", b"1")], sent
    )
    assert dict(request.headers) == dict(sent[:3])


def test_a_signed_header_that_ends_here_is_refused_by_name() -> None:
    sent = [signed("cf-aig-metadata;host;x-amz-date"), (b"cf-aig-metadata", b"{}"), (b"x-amz-date", b"1")]
    with pytest.raises(BadInput, match="cf-aig-metadata, which ends at the gateway"):
        place("aws-bedrock", RUNTIME, [sent[0], sent[2]], sent)


MANTLE = "bedrock-mantle/us-east-1/anthropic/v1/messages"
BEARER = (b"authorization", b"Bearer key-of-bedrock")


@pytest.mark.parametrize(
    ("rest", "headers", "expected"),
    [
        (MANTLE, [BEARER], [(b"x-api-key", b"key-of-bedrock")]),
        (MANTLE, [BEARER, (b"x-api-key", b"own")], [(b"x-api-key", b"own")]),
        (MANTLE, [(b"x-api-key", b"own")], [(b"x-api-key", b"own")]),
        ("bedrock-mantle/us-east-1/v1/chat/completions", [BEARER], [BEARER]),
        (RUNTIME, [BEARER], [BEARER]),
    ],
)
def test_mantles_key(rest: str, headers: Headers, expected: Headers) -> None:
    assert place("aws-bedrock", rest, headers).headers == expected
