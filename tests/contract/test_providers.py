"""What holds for every provider, built in, custom, or brought by another package."""

from __future__ import annotations

import json
import re
from importlib.metadata import EntryPoint
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway import providers
from gaugeway.core.errors import BadInput
from gaugeway.core.model import Usage
from gaugeway.core.provider import Asked, Outbound, Provider, Reported, key_use_of, placing_of
from gaugeway.providers import BadProvider, load
from gaugeway.providers.custom import custom
from gaugeway.providers.formats.format import MAX_COUNT
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.keys import HeaderKey

LOADED = load()
ALL: list[Provider] = [*LOADED.values(), custom("own-1", "https://llm.example/v1")]
ACCOUNT = "0123456789abcdef0123456789abcdef"
each = pytest.mark.parametrize("provider", ALL, ids=[provider.slug for provider in ALL])

CONTENT_TYPES = ["application/json", "text/event-stream", "audio/mpeg", "", "multipart/form-data; boundary=b"]
PATHS = ["chat/completions", "v1/messages", "v1beta/models/g:generateContent", "@cf/a/b", ""]
SAMPLES: list[bytes] = [
    b'{"id":"c","model":"m","choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
    b'{"type":"message","model":"m","usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}}',
    b'{"candidates":[],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"modelVersion":"g"}',
    b'[{"usageMetadata":{"promptTokenCount":1}},\n{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2}}]',
    b'{"usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":3}}}',
    b'{"result":{"response":"x","usage":{"prompt_tokens":1,"completion_tokens":2}},"success":true}',
    b'data: {"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    b"data: "
    + b"\n\ndata: ".join(
        [
            b'{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1}}}',
            b'{"type":"message_delta","usage":{"output_tokens":2}}\n\n',
        ]
    ),
    b'data: {"type":"response.completed","response":{"model":"m","usage":{"input_tokens":1}}}\n\n',
]


@each
def test_names(provider: Provider) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", provider.slug)
    assert provider.name.strip() == provider.name != ""
    base = urlsplit(provider.base_url)
    assert base.scheme == "https"
    assert base.hostname
    assert not provider.base_url.endswith("/")
    assert not base.query
    assert provider.credential_headers
    for header in provider.credential_headers:
        assert re.fullmatch(rb"[a-z0-9-]+", header)


@each
def test_public_prices_are_the_data_s_own_provider(provider: Provider) -> None:
    from genai_prices.data_snapshot import get_snapshot

    assert provider.price_id in {None, *(known.id for known in get_snapshot().providers)}


@each
@given(
    rest=st.lists(st.sampled_from(["v1", "v1beta", "v2", "openai", "run", "models", "chat", "x%2Fy", "", "@cf"]))
)
@settings(max_examples=25)
def test_a_mended_path_needs_no_more_mending(provider: Provider, rest: list[str]) -> None:
    if placing_of(provider) is not None:
        return  # its paths begin with names, and go on as they are (see test_places.py)
    once = provider.upstream_path("/".join(rest), ACCOUNT)
    assert once.startswith("/")
    own = once.removeprefix(f"/{ACCOUNT}")  # where the base depends on the account
    assert provider.upstream_path(own.lstrip("/"), ACCOUNT) == once


def mutations() -> st.SearchStrategy[bytes]:
    """Valid answers with bytes cut out, put in and doubled."""

    def mutate(sample: bytes, at: int, length: int, put: bytes) -> bytes:
        start = at % len(sample)
        return sample[:start] + put + sample[start + length :]

    return st.builds(
        mutate,
        st.sampled_from(SAMPLES),
        st.integers(0, 400),
        st.integers(0, 60),
        st.sampled_from([b"", b'"', b"{", b"}", b"\n", b"-", b"\xff", b'"usage":{', b"null", b"9" * 30, b"1e9"])
        | st.binary(max_size=8),
    )


def is_sound(reported: Reported) -> bool:
    usage = reported.usage
    if usage is None:
        return True
    counts = [getattr(usage, name) for name in Usage.__struct_fields__ if "tokens" in name]
    return all(value is None or (type(value) is int and 0 <= value <= 4 * MAX_COUNT) for value in counts)


@each
@given(body=st.binary(max_size=300) | mutations(), content_type=st.sampled_from(CONTENT_TYPES))
@settings(max_examples=40)
def test_no_answer_makes_it_raise(provider: Provider, body: bytes, content_type: str) -> None:
    for rest in PATHS:
        reported = provider.read_response(rest, content_type, body)
        assert isinstance(reported, Reported)
        assert is_sound(reported)


KEYS = [
    *("usage", "model", "usageMetadata", "modelVersion", "response", "result", "message", "type", "meta", "delta"),
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "prompt_tokens_details", "output"),
    *("cached_tokens", "billed_units", "tokens", "promptTokenCount", "promptTokensDetails", "cost", "x_groq"),
    *("candidates", "iterations", "server_tool_use", "cache_creation", "service_tier", "stream", "seconds"),
]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@each
@given(document=json_values, streamed=st.booleans())
@settings(max_examples=30)
def test_no_json_makes_it_raise(provider: Provider, document: Any, streamed: bool) -> None:
    body = json.dumps(document).encode()
    if streamed:
        body = b"data: " + body + b"\n\n"
    reported = provider.read_response("x", "text/event-stream" if streamed else "application/json", body)
    assert is_sound(reported)


@each
@pytest.mark.parametrize("depth", [2_000, 200_000])
@pytest.mark.parametrize("opened", [b"[", b'{"usage":', b'{"response":', b"data: [", b'data: {"usage":'])
def test_deep_nesting_says_nothing(provider: Provider, depth: int, opened: bytes) -> None:
    body = opened + opened.removeprefix(b"data: ") * depth
    assert provider.read_response("x", "", body).usage is None
    assert provider.read_request("x", "application/json", body).model in {"", "x"}


@each
@given(body=st.binary(max_size=200) | mutations(), content_type=st.sampled_from(CONTENT_TYPES))
@settings(max_examples=25)
def test_no_request_makes_it_raise(provider: Provider, body: bytes, content_type: str) -> None:
    for rest in (*PATHS, "models/" + "x" * 300, "models/%ff:generateContent", "run/@cf/%00"):
        asked = provider.read_request(rest, content_type, body)
        assert isinstance(asked, Asked)
        assert len(asked.model) <= 256
        assert asked.model.isprintable()


# --- loading


def brought(value: str) -> EntryPoint:
    return EntryPoint(name="theirs", value=value, group=providers.ENTRY_POINTS)


class _Points:
    """Stands for what other packages have installed."""

    def __init__(self, *points: EntryPoint) -> None:
        self._points = points

    def __call__(self, *, group: str) -> tuple[EntryPoint, ...]:
        assert group == providers.ENTRY_POINTS
        return self._points


THEIRS = Declared(slug="theirs", name="Theirs", base_url="https://theirs.example", price_id=None)
RIVAL = Declared(slug="openai", name="Rival", base_url="https://rival.example", price_id=None)
NO_PROVIDER = object()


def test_other_packages_bring_providers() -> None:
    loaded = load(_Points(brought(f"{__name__}:THEIRS")))
    assert loaded["theirs"].name == "Theirs"
    assert set(loaded) == {*LOADED, "theirs"}


def test_two_providers_of_one_slug_fail_with_both_names() -> None:
    with pytest.raises(BadProvider, match=r"'openai'.*gaugeway\.providers\.openai.*RIVAL"):
        load(_Points(brought(f"{__name__}:RIVAL")))


@pytest.mark.parametrize(
    ("value", "message"),
    [("no.such.module:X", "cannot be imported"), (f"{__name__}:NO_PROVIDER", "lacks slug")],
)
def test_what_is_no_provider_fails_with_its_name(value: str, message: str) -> None:
    with pytest.raises(BadProvider, match=message):
        load(_Points(brought(value)))


OUTBOUND = Outbound(method=b"POST", host="h.example", rest="x", target=b"/v1/x", headers=[], body=b"{}", at_ms=0)


@each
def test_a_stored_key_travels_where_keys_do(provider: Provider) -> None:
    use = key_use_of(provider)
    if use is None or not isinstance(use, HeaderKey):
        pytest.skip("signs its requests in a way of its own")
    use.check("sk-0123456789")
    ((name, value),) = use.headers("sk-0123456789", OUTBOUND)
    assert name in provider.credential_headers
    assert value.endswith(b"sk-0123456789")
    assert use.secrets("sk-0123456789") == ["sk-0123456789"]


@each
@pytest.mark.parametrize("key", ["", "a\nb: c", "a\r", "\u00e9", "k\0", "two words"])
def test_what_can_be_no_key_is_refused(provider: Provider, key: str) -> None:
    use = key_use_of(provider)
    if use is not None:
        with pytest.raises(BadInput):
            use.check(key)
