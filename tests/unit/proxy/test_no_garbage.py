"""A request leaves nothing for the garbage collector: its memory goes when it is over, not at some later time."""

from __future__ import annotations

import gc
import os
from typing import Any

from gaugeway import providers
from gaugeway.core.ids import Uuid7
from gaugeway.core.model import Gateway, Logged, Outcome, Scope
from gaugeway.core.pricing import PriceBook
from gaugeway.core.settings import Settings
from gaugeway.core.stored_keys import KeysByProvider
from gaugeway.proxy.assembly import assemble
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.dialling import Dialler
from gaugeway.proxy.connectors.seam import Outgoing
from gaugeway.proxy.connectors.sockets import SocketConnector
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.spending import Spending
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

    def keys(self, _scope: Scope) -> KeysByProvider:
        return {}


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

    def is_full(self) -> bool:
        return False


class Connection:
    """A client that has sent all it has to say."""

    method = "POST"
    path = f"/v1/{ACCOUNT}/test/openai/v1/chat/completions".encode()
    query = b""
    is_http_1_0 = False
    is_full = False
    more_body = False
    hung_up = False

    def __init__(self) -> None:
        self.headers = [(b"authorization", b"Bearer sk-0123456789"), (b"content-type", b"application/json")]

    async def read(self) -> bytes:
        raise AssertionError("the body is whole")

    def take_arrived(self) -> bytes:
        return b'{"model": "ok"}'

    def cut(self) -> None:
        pass

    def send_whole(self, status: int, headers: object, body: bytes) -> None:
        assert status == 200

    def begin(self, status: int, headers: object) -> None:
        raise AssertionError("the answer is whole")

    def send(self, piece: bytes) -> None:
        raise AssertionError("the answer is whole")

    async def drained(self) -> None:
        raise AssertionError("the answer is whole")

    def finish(self) -> None:
        raise AssertionError("the answer is whole")


def data_plane(sink: Sink) -> DataPlane:
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
    plane, _ = assemble(
        directory=directory,
        connector=Connector(),
        sockets=SocketConnector(Dialler(AddressGuard()), 1024),
        gateways=stores,
        counters=stores,
        keyed_counters=stores,
        caching=Caching(stores, stores, CLOCK),
        spending=Spending(stores, PriceBook({}), CLOCK),
        ledger=stores,
        sink=sink,
        clock=CLOCK,
        new_id=Uuid7(CLOCK.now_ns, os.urandom),
        chosen=Settings(),
        dialects={},
    )
    return plane


async def test_a_hundred_requests_leave_no_garbage() -> None:
    sink, connection = Sink(), Connection()
    plane = data_plane(sink)
    for _ in range(10):
        await plane(connection)
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await plane(connection)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert sink.last is not None
    assert sink.last.record.outcome is Outcome.SUCCESS
