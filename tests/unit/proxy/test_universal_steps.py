"""Whatever is posted to the universal endpoint: steps that keep to themselves, or a refusal that names the step."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway import providers
from gaugeway.core.errors import GatewayError
from gaugeway.core.model import CustomProvider, Gateway, Permission, Scope, Token
from gaugeway.core.stored_keys import KeysByProvider
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.compat import CompatEndpoint
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.dynamic import DynamicRoutes
from gaugeway.proxy.exchange import Exchange, Options
from gaugeway.proxy.headers import sort_request
from gaugeway.proxy.retrying import RetryPolicy, RetryWishes
from gaugeway.proxy.stored_keys import StoredKeys
from gaugeway.proxy.universal import MAX_STEPS, TRAVELLING, Universal
from gaugeway.system_clock import CLOCK

OWN_TOKEN = b"gw_a-token-of-ours"
KEY = "sk-a-key-of-a-step"


class Stores:
    """Configuration, tokens and custom providers, as far as steps look them up."""

    def version(self) -> int:
        return 1

    def find(self, first: object, slug: object = None) -> Token | CustomProvider | None:
        if slug is None and first == TOKEN.sha256:
            return TOKEN
        return None

    def keys(self, _scope: Scope) -> KeysByProvider:
        return {}


def _token() -> Token:
    from hashlib import sha256

    return Token(
        account_id="0" * 32,
        id="1" * 32,
        name="t",
        sha256=sha256(OWN_TOKEN).digest(),
        permissions=(Permission.RUN,),
        email="a@b",
        created_at=0,
    )


TOKEN = _token()


def universal() -> Universal:
    stores: Any = Stores()
    directory = Directory(
        config=stores,
        gateways=stores,
        tokens=stores,
        custom_providers=stores,
        routes=stores,
        provider_configs=stores,
        providers=providers.load(),
        make_custom=lambda added: added,
        upstreams={},
    )
    keys, authentication = StoredKeys(directory, stores, CLOCK), Authentication(directory, CLOCK)
    compat = CompatEndpoint(directory, CLOCK, {})
    routes = DynamicRoutes(directory, compat, keys, counters=stores, ledger=stores, clock=CLOCK, chance=lambda: 0.5)
    return Universal(directory, compat, keys, authentication, routes)


def exchange(*headers: tuple[bytes, bytes], **settings: Any) -> Exchange:
    found = sort_request(headers)
    nobody: Any = None
    return Exchange(
        connection=nobody,
        log_id=bytes(16),
        started=0.0,
        gateway=Gateway(account_id="0" * 32, id="g", created_at=0, modified_at=0, **settings),
        slug="",
        rest="",
        query=b"",
        headers=found.upstream,
        options=found.options,
    )


READER = universal()
OUTER = (
    (b"authorization", b"Bearer outer"),
    (b"cookie", b"outer"),
    (b"x-private", b"outer"),
    (b"user-agent", b"outer-agent"),
    (b"accept-encoding", b"gzip, br"),
    (b"content-type", b"text/plain"),
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "authorization",
        "X-Api-Key",
        "x-a",
        "content-type",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "cf-aig-max-attempts",
        "cf-aig-metadata",
        "user-agent",
    ]
)
steps = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["openai", "anthropic", "compat", "custom-x", ""]) | json_values,
        "endpoint": st.sampled_from(["v1/messages", "/chat/completions?key=abc", "../x"]) | json_values,
        "query": json_values,
        "headers": st.dictionaries(names | st.text(max_size=6), json_values, max_size=4) | json_values,
        "authorization": json_values,
        "config": st.dictionaries(st.sampled_from(["maxAttempts", "retryDelay", "backoff"]), json_values)
        | json_values,
    },
)


@given(st.lists(steps, max_size=3) | json_values)
def test_any_json_becomes_steps_or_is_refused(sent: Any) -> None:
    asked = exchange(*OUTER)
    try:
        READER.unpack(asked, json.dumps(sent).encode())
    except GatewayError as refusal:
        assert refusal.status == 400
        assert asked.steps == ()
        assert asked.body == b""
        return
    assert 1 <= len(asked.steps) <= MAX_STEPS
    for step in asked.steps:
        assert not [value for name, value in step.headers if value == b"outer"]
        framing = {b"host", b"content-length", b"connection", b"transfer-encoding"}
        assert not [name for name, _ in step.headers if name in framing or name.startswith(b"cf-aig-")]
        assert all(
            name == name.lower() and b"\n" not in value and b"\r" not in value for name, value in step.headers
        )
        assert [name for name, _ in step.headers].count(b"content-type") == 1


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_refused(body: bytes) -> None:
    asked = exchange()
    with pytest.raises(GatewayError) as refused:
        READER.unpack(asked, body)
    assert refused.value.status == 400
    assert asked.body == b""


GOOD: dict[str, Any] = {"provider": "openai", "endpoint": "chat/completions", "query": {"model": "gpt-4o"}}


def read(*sent: dict[str, Any], headers: tuple[tuple[bytes, bytes], ...] = (), **settings: Any) -> Exchange:
    asked = exchange(*headers, **settings)
    READER.unpack(asked, json.dumps(sent).encode())
    return asked


def test_the_exchange_starts_as_a_request_for_the_first_step() -> None:
    asked = read(GOOD, GOOD | {"provider": "anthropic"}, headers=OUTER)
    assert (asked.slug, asked.rest, asked.step, asked.asked.model) == ("openai", "chat/completions", 0, "gpt-4o")
    assert asked.target is asked.steps[0].target
    assert asked.body == json.dumps(GOOD["query"]).encode()
    assert asked.universal_size == len(json.dumps([GOOD, GOOD | {"provider": "anthropic"}]))
    assert dict(asked.headers) == {
        b"user-agent": b"outer-agent",
        b"accept-encoding": b"gzip",
        b"content-type": b"application/json",
    }
    assert {name for name, _ in asked.headers} - {b"content-type"} <= TRAVELLING


def test_secrets_of_every_step_are_known_before_the_first_is_asked() -> None:
    second = GOOD | {
        "headers": {"x-api-key": KEY},
        "endpoint": "v1/messages?key=AIza-of-a-query",
        "provider": "anthropic",
    }
    third = GOOD | {"authorization": "Bearer the-legacy-spelling"}
    asked = read(GOOD, second, third)
    assert asked.secrets == [KEY.encode(), b"AIza-of-a-query", b"the-legacy-spelling"]


def test_tokens_of_ours_are_taken_out() -> None:
    token = OWN_TOKEN.decode()
    step = GOOD | {
        "headers": {"Authorization": f"Bearer {token}", "x-api-key": KEY},
        "endpoint": f"x?key={token}&a=1",
    }
    asked = read(step)
    assert dict(asked.headers).keys() & {b"authorization", b"x-api-key"} == {b"x-api-key"}
    assert asked.query == b"a=1"
    assert OWN_TOKEN in asked.secrets


def test_a_steps_word_counts_more_than_the_requests_and_that_more_than_the_gateways() -> None:
    headers = ((b"cf-aig-max-attempts", b"2"), (b"cf-aig-collect-log-payload", b"false"))
    asked = read(
        GOOD,
        GOOD | {"headers": {"cf-aig-max-attempts": 4, "cf-aig-collect-log-payload": True}},
        GOOD | {"headers": {"cf-aig-max-attempts": 4}, "config": {"maxAttempts": 5, "requestTimeout": 70}},
        headers=headers,
        retry_max_attempts=3,
        retry_delay=7,
    )
    assert [step.policy for step in asked.steps] == [
        RetryPolicy(attempts=2, delay_ms=7),
        RetryPolicy(attempts=4, delay_ms=7),
        RetryPolicy(attempts=5, delay_ms=7, timeout_ms=70),
    ]
    assert [step.options.collect_log_payload for step in asked.steps] == [False, True, False]
    assert asked.options == Options(collect_log_payload=False, retry=RetryWishes(max_attempts=2))


def test_more_steps_than_allowed() -> None:
    assert len(read(*[GOOD] * MAX_STEPS).steps) == MAX_STEPS
    with pytest.raises(GatewayError, match="21"):
        read(*[GOOD] * (MAX_STEPS + 1))
