"""What only the aiohttp connector does: HTTP proxies, and saying what it cannot send."""

from __future__ import annotations

import pytest

from gaugeway.core.errors import ConnectFailed, Side
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.aiohttp_adapter import AiohttpConnector
from support.connectors import outgoing, read_all
from support.raw_upstream import HOST, answers, raw_upstream

pytestmark = pytest.mark.timeout(60, method="thread")

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
PROXIES = (
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


async def test_a_proxy_in_the_environment_is_used_only_where_that_is_asked_for(
    environment: pytest.MonkeyPatch,
) -> None:
    async def nobody(host: str, port: int) -> list[str]:
        return [HOST] if host == HOST else []

    guard = AddressGuard(look_up=nobody)
    async with raw_upstream(answers(PLAIN)) as proxy:
        environment.setenv("http_proxy", f"http://{HOST}:{proxy.port}")
        environment.setenv("no_proxy", "direct.example")
        asked, unasked = AiohttpConnector(guard, trust_env=True), AiohttpConnector(guard)
        request = outgoing(80, host="up.example", target=b"/v1?x=1", guarded=True)
        assert await read_all(await asked.open(request)) == b"hello"
        assert proxy.asked[0].line == b"POST http://up.example/v1?x=1 HTTP/1.1"
        assert (b"Host", b"up.example") in proxy.asked[0].headers
        for client, host in ((unasked, "up.example"), (asked, "direct.example")):
            with pytest.raises(ConnectFailed):
                await client.open(outgoing(80, host=host))
        assert len(proxy.asked) == 1
        await asked.aclose()
        await unasked.aclose()


async def test_a_proxy_is_not_asked_for_private_addresses(environment: pytest.MonkeyPatch) -> None:
    async with raw_upstream(answers(PLAIN)) as proxy:
        environment.setenv("http_proxy", f"http://{HOST}:{proxy.port}")
        client = AiohttpConnector(AddressGuard(), trust_env=True)
        for host in ("169.254.169.254", "127.1", "localhost", "::1"):
            with pytest.raises(ConnectFailed) as refused:
                await client.open(outgoing(80, host=host, guarded=True))
            assert refused.value.side is Side.POLICY
        assert proxy.accepted == 0
        await client.aclose()


@pytest.mark.parametrize("changed", [
    {"target": b"/a#b"},
    {"target": b"/a?"},
    {"target": b"/caf\xe9"},
    {"headers": [(b"x-latin", b"caf\xe9")]},
])  # fmt: skip
async def test_what_it_would_change_on_the_way_is_refused(changed: dict[str, object]) -> None:
    async with raw_upstream(answers(PLAIN)) as upstream:
        client = AiohttpConnector(AddressGuard())
        with pytest.raises(ConnectFailed) as refused:
            await client.open(outgoing(upstream.port, **changed))
        assert refused.value.side is Side.POLICY
        assert "aiohttp" in refused.value.message
        assert upstream.accepted == 0
        await client.aclose()
