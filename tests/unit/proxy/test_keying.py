"""Keys that become a credential when a request is sent: for the very address, in place of the client's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gaugeway.core.errors import CredentialRefused
from gaugeway.proxy.connectors.seam import Outgoing, Timers
from gaugeway.proxy.exchange import Address
from gaugeway.proxy.key_tokens import KeyTokens
from gaugeway.proxy.keying import Keying
from support.cloud_upstream import ACCESS_KEY, REGION, RUNTIME_HOST, SECRET_KEY, signature_problem
from support.exchanges import PROVIDERS, an_exchange
from support.upstream import Seen

TIMERS = Timers(connect=1, first_byte=1, idle=1)
STORED = json.dumps({"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY, "region": REGION})
REST = f"bedrock-runtime/{REGION}/model/m%3A0/converse"


class Clock:
    """A clock that stands."""

    def now_ms(self) -> int:
        return 1_790_000_000_000


class Nobody:
    """A connector that must not be asked."""

    async def open(self, request: Outgoing) -> Any:
        raise AssertionError("a key of AWS needs no token")

    async def aclose(self) -> None:
        pass


def keying() -> Keying:
    upstreams: dict[str, Address] = {}
    return Keying(KeyTokens(Nobody(), TIMERS, Clock(), upstreams), Clock())


def outgoing(host: str, port: int, scheme: str = "https") -> Outgoing:
    return Outgoing(
        method=b"POST",
        scheme=scheme,
        host=host,
        port=port,
        target=b"/model/m%3A0/converse",
        headers=[(b"authorization", b"Bearer somebody-elses"), (b"x-amz-security-token", b"old"), (b"x-own", b"1")],
        body=b'{"messages":[]}',
        timers=TIMERS,
    )


@pytest.mark.parametrize(
    ("host", "port", "scheme", "sent"),
    [
        (RUNTIME_HOST, 443, "https", RUNTIME_HOST),
        ("127.0.0.1", 8080, "http", "127.0.0.1:8080"),
        ("vpce.example", 443, "https", "vpce.example"),
    ],
)
async def test_a_request_is_signed_for_the_host_that_it_goes_to(
    host: str, port: int, scheme: str, sent: str
) -> None:
    exchange, request = an_exchange(slug="aws-bedrock", rest=REST), outgoing(host, port, scheme)
    await keying().authorise(exchange, PROVIDERS["aws-bedrock"], STORED, request)
    pairs = [(name.decode(), value.decode()) for name, value in request.headers]
    assert ("x-own", "1") in pairs
    assert "somebody-elses" not in str(pairs)
    assert "x-amz-security-token" not in dict(pairs)
    seen = Seen("POST", "/model/m%3A0/converse", pairs, request.body)
    assert signature_problem(seen, "/model/m%3A0/converse", sent, "bedrock") is None
    assert SECRET_KEY.encode() in exchange.secrets


@pytest.mark.parametrize(("slug", "key"), [("aws-bedrock", "{}"), ("google-vertex-ai", "no JSON")])
async def test_a_key_that_is_none_is_refused_before_anything_is_sent(slug: str, key: str) -> None:
    with pytest.raises(CredentialRefused, match="cannot be used"):
        await keying().authorise(
            an_exchange(slug=slug, rest=REST), PROVIDERS[slug], key, outgoing("h.example", 443)
        )


async def test_a_stored_key_too_short_to_be_a_secret_garbles_no_log() -> None:
    exchange = an_exchange(slug="groq", rest="chat/completions")
    for key in ("s", "a-longer-key"):
        await keying().authorise(exchange, PROVIDERS["groq"], key, outgoing("h.example", 443))
    assert exchange.secrets == [b"a-longer-key"]
