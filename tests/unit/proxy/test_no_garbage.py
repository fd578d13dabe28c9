"""A request leaves nothing for the garbage collector: its memory goes when it is over, not at some later time."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

from gaugeway import providers
from gaugeway.core.ids import Uuid7
from gaugeway.core.model import Gateway, Logged, Outcome, Scope
from gaugeway.core.settings import Settings
from gaugeway.proxy.assembly import assemble
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.connectors.seam import Outgoing
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.system_clock import CLOCK
from support.upstream import completion

ACCOUNT = "0" * 32
ANSWER = str(completion("ok")).encode()


class Stores:
    """Configuration and gateways, as far as a request looks them up."""

    def version(self) -> int:
        return 1

    def get(self, scope: Scope) -> Gateway:
        return Gateway(account_id=scope.account_id, id=scope.gateway_id, created_at=0, modified_at=0)

    def find(self, *_: object) -> None:
        return None


class Incoming:
    status = 200
    whole: bytes | None = ANSWER

    def __init__(self) -> None:
        self.headers = [(b"content-type", b"application/json")]

    async def read(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class Connector:
    async def open(self, request: Outgoing) -> Incoming:
        return Incoming()

    async def aclose(self) -> None:
        pass


class Sink:
    """Keeps the last log."""

    last: Logged | None = None

    def put(self, logged: Logged) -> None:
        self.last = logged

    async def flush(self, timeout_s: float | None = None) -> bool:
        return True


class Connection:
    """Holds on to the hang-up callback, as the server's does."""

    callback: Callable[[], None] | None = None

    def on_hangup(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def cut(self) -> None:
        pass

    def send_whole(self, status: int, headers: object, body: bytes) -> None:
        assert status == 200


def data_plane(sink: Sink) -> DataPlane:
    stores: Any = Stores()
    directory = Directory(
        config=stores,
        gateways=stores,
        tokens=stores,
        custom_providers=stores,
        providers=providers.load(),
        make_custom=lambda added: added,
        upstreams={},
    )
    return assemble(
        directory=directory,
        connector=Connector(),
        gateways=stores,
        counters=stores,
        caching=Caching(stores, CLOCK),
        sink=sink,
        clock=CLOCK,
        new_id=Uuid7(CLOCK.now_ms, os.urandom),
        chosen=Settings(),
    )


async def ask(plane: DataPlane, connection: Connection) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"model": "ok"}', "more_body": False}

    async def send(_message: object) -> None:
        pass

    path = f"/v1/{ACCOUNT}/test/openai/v1/chat/completions"
    scope = {
        "type": "http",
        "method": "POST",
        "http_version": "1.1",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer sk-0123456789"), (b"content-type", b"application/json")],
        "extensions": {"gaugeway.connection": connection},
    }
    await plane(scope, receive, send)


async def test_a_hundred_requests_leave_no_garbage() -> None:
    sink, connection = Sink(), Connection()
    plane = data_plane(sink)
    for _ in range(10):
        await ask(plane, connection)
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await ask(plane, connection)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert sink.last is not None
    assert sink.last.record.outcome is Outcome.SUCCESS
