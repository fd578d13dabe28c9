"""Webhooks: signatures as Standard Webhooks say, and no way to where requests may not go."""

from __future__ import annotations

import asyncio

import pytest

from gaugeway.core.notices import Delivery, Event, Notice, Webhook
from gaugeway.core.settings import Settings
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.notifying import WebhookNotifier, key_of, sign
from support.laboratory import SystemClock
from support.webhook_receiver import SECRET, receiving


def a_notice() -> Notice:
    return Notice(
        account_id="a" * 32,
        gateway_id="g",
        id="01a219fc-4e75-720c-844a-ed6ec1678ba0",
        monitor_id="m",
        window_id="w",
        event=Event.ALERT,
        created_at=1,
        body='{"hello": "…"}',
        state=Delivery.PENDING,
        due_at=1,
    )


def test_the_specification_s_own_example() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_of_one_s_own_is_its_bytes() -> None:
    assert key_of("sixteen letters!") == b"sixteen letters!"
    assert key_of("whsec_no base64 at all") == b"whsec_no base64 at all"


@pytest.mark.parametrize("private", [[], ["127.0.0.1"]])
async def test_the_address_is_checked_where_the_connection_is_made(private: list[str]) -> None:
    """By name: only the resolver tells that it is this machine."""
    settings = Settings(private_upstreams=private)

    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    guard = AddressGuard(settings.private_networks(), settings.private_hosts(), look_up)
    connector = NativeConnector(guard)
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "looks-public.example")
        tried = await WebhookNotifier(connector, SystemClock()).deliver(Webhook(url, SECRET), a_notice())
        await connector.aclose()
        if private:
            assert (tried.status_code, tried.error, tried.delivered) == (204, "", True)
            assert receiver.got[0]["signed"]
            assert receiver.got[0]["path"] == "/hook?team=blue"
        else:
            assert tried.status_code is None
            assert "127.0.0.1 is a loopback address" in tried.error
            assert receiver.got == []


async def test_a_receiver_that_never_comes_to_an_answer_ends_the_try() -> None:
    """It says something all the time, so that no silence ends it."""
    gone = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 No Content\r\nx: ")
        try:
            while not reader.at_eof() and not writer.is_closing():
                writer.write(b"y")
                await writer.drain()
                await asyncio.sleep(0.01)
        except OSError:
            pass
        gone.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connector = NativeConnector(AddressGuard(Settings(private_upstreams=["127.0.0.1"]).private_networks()))
    notifier = WebhookNotifier(connector, SystemClock(), try_s=0.2)
    tried = await notifier.deliver(Webhook(f"http://127.0.0.1:{port}/", SECRET), a_notice())
    assert (tried.status_code, tried.error) == (None, "it did not answer within 0.2 s")
    async with asyncio.timeout(20):
        await gone.wait()  # and the connection is closed
    server.close()
    await connector.aclose()
