"""A gateway without sockets: its own parts from the bytes that a client sends to those that an upstream is sent.

The recorder is a real one, too, so that its client does what it always does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from uvicorn.config import Config
from uvicorn.server import ServerState

from bench.gateway import ACCOUNT, CHAT, HEADERS, TOKEN, UNIVERSAL
from gaugeway import providers
from gaugeway.app import first_start
from gaugeway.core import ids
from gaugeway.core.model import Gateway
from gaugeway.core.pricing import PriceBook
from gaugeway.core.settings import Settings
from gaugeway.proxy.assembly import assemble
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.connection import Connection
from gaugeway.proxy.connectors.dialling import Dialler
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.connectors.pool import Pool
from gaugeway.proxy.connectors.seam import Outgoing, Timers
from gaugeway.proxy.connectors.sockets import SocketConnector
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.server import GatewayProtocol
from gaugeway.proxy.spending import Spending
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.spawn import spawn_recorder
from gaugeway.stores import Stores, open_stores
from gaugeway.system_clock import CLOCK
from gaugeway.worker import settle_memory

KINDS = ("forward", "stream", "hit", "compat", "translated", "universal")
CHUNKS = 100
_END = b"0\r\n\r\n"
_HOST, _PORT = "127.0.0.1", 9
_COMPLETION = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 24}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 512,
        "completion_tokens": 24,
        "total_tokens": 536,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    },
    "service_tier": "default",
}


_MESSAGE = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "text", "text": "word " * 24}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 512, "output_tokens": 24, "cache_read_input_tokens": 0},
}


class _Wire(asyncio.Transport):
    """One end of a connection that is not there: hands on what is written to it."""

    def __init__(self, written: Any) -> None:
        super().__init__()
        self.write = written

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


class Bed:
    """A client's connection, and one to an upstream that answers at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, data_plane: DataPlane, pool: Pool, kind: str) -> None:
        self._loop = loop
        self._kind = kind
        self._request = _request(kind)
        self._answers = _answers(kind)
        self._next = 0
        self._end = _END if kind == "stream" else b""
        self._answered = loop.create_future()
        config = Config(
            _Application(data_plane),
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            ws="none",
            log_config=None,
        )
        self._downstream = GatewayProtocol(config, ServerState(), {}, loop)
        self._downstream.connection_made(_Wire(self._passed_on))
        origin = pool.origin(Outgoing(b"POST", "http", _HOST, _PORT, b"/", [], b"", Timers(1, 1, 1), guarded=False))
        self._upstream = Connection(origin, loop, pool.put, pool.forget)
        self._upstream.connection_made(_Wire(self._asked))
        pool.put(self._upstream)

    async def ask(self) -> None:
        """One request and all of its answer."""
        self._answered = self._loop.create_future()
        self._downstream.data_received(self._request)
        await self._answered

    def close(self) -> None:
        """The client goes."""
        self._downstream.connection_lost(None)

    def _asked(self, _: bytes) -> None:
        pieces = self._answers[self._next]
        self._next = (self._next + 1) % len(self._answers)
        self._loop.call_soon(self._deliver, pieces, 0)

    def _deliver(self, pieces: Sequence[bytes], number: int) -> None:
        self._upstream.data_received(pieces[number])
        if number + 1 < len(pieces):  # once what this one has woken has run
            self._loop.call_soon(self._loop.call_soon, self._deliver, pieces, number + 1)

    def _passed_on(self, data: bytes) -> None:
        if data.endswith(self._end):
            self._answered.set_result(None)


class _Application:
    def __init__(self, data_plane: DataPlane) -> None:
        self.data_plane = data_plane

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


def _request(kind: str) -> bytes:
    path, body = "openai/v1/chat/completions", CHAT
    if kind == "compat":
        path, body = "compat/chat/completions", CHAT.replace(b'"gpt-4o-mini"', b'"openai/gpt-4o-mini"')
    elif kind == "translated":
        path, body = "compat/chat/completions", CHAT.replace(b'"gpt-4o-mini"', b'"anthropic/claude-haiku-4-5"')
    elif kind == "stream":
        body = CHAT.replace(b'"gpt-4o-mini"', b'"gpt-4o-mini", "stream": true')
    elif kind == "universal":
        path, body = "", UNIVERSAL
    gateway = "kept" if kind == "hit" else "plain"
    lines = [
        f"POST /v1/{ACCOUNT}/{gateway}/{path} HTTP/1.1".replace("/ HTTP", " HTTP"),
        "Host: 127.0.0.1:8787",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _answers(kind: str) -> Sequence[Sequence[bytes]]:
    """What the upstream says to one attempt after another, each in pieces."""
    return (_answer(kind, "503 Service Unavailable"), _answer(kind)) if kind == "universal" else (_answer(kind),)


def _answer(kind: str, status: str = "200 OK") -> Sequence[bytes]:
    fields = [
        f"HTTP/1.1 {status}",
        "Server: nginx",
        "Date: Thu, 26 Nov 2026 18:00:00 GMT",
        "Connection: keep-alive",
    ]
    fields += ["x-request-id: req_0123456789abcdef", "openai-version: 2020-10-01", "openai-processing-ms: 412"]
    if kind != "stream":
        body = msgspec.json.encode(_MESSAGE if kind == "translated" else _COMPLETION)
        fields += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return ("\r\n".join(fields).encode() + b"\r\n\r\n" + body,)
    fields += ["Content-Type: text/event-stream; charset=utf-8", "Transfer-Encoding: chunked"]
    opening = {"id": _COMPLETION["id"], "object": "chat.completion.chunk", "model": _COMPLETION["model"]}
    events = [opening | {"choices": [{"index": 0, "delta": {"content": f" word{n}"}}]} for n in range(CHUNKS - 2)]
    events.append(opening | {"choices": [], "usage": _COMPLETION["usage"]})
    data = [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*data, b"data: [DONE]\n\n")]
    return "\r\n".join(fields).encode() + b"\r\n\r\n", *chunks[:-1], chunks[-1] + _END


@asynccontextmanager
async def opened_bed(kind: str, folder: Path) -> AsyncIterator[Bed]:
    """A gateway in a folder of its own, with a client that asks for one kind of thing."""
    upstream = f"http://{_HOST}:{_PORT}/v1"
    chosen = Settings(
        data=str(folder),
        account_id=ACCOUNT,
        bootstrap_token=TOKEN,
        upstreams={"openai": upstream, "anthropic": f"http://{_HOST}:{_PORT}"},
    )
    first_start(chosen)
    stores = open_stores(chosen.data)
    now = CLOCK.now_ms()
    for name, ttl in (("plain", 0), ("kept", 3600)):
        gateway = Gateway(
            account_id=ACCOUNT, id=name, created_at=now, modified_at=now, authentication=True, cache_ttl=ttl
        )
        stores.gateways.create(gateway)
    sink = RecorderClient(folder, spawn_recorder(chosen, folder), chosen.log_queue_bytes)
    sink.start()
    caching = Caching(stores.cache, stores.flight_locks, CLOCK)
    pool = Pool()
    bed = Bed(asyncio.get_running_loop(), _data_plane(chosen, stores, sink, caching, pool), pool, kind)
    await sink.flush(60)
    settle_memory()
    try:
        yield bed
    finally:
        bed.close()
        await caching.aclose()
        await sink.aclose()
        stores.close()


def _data_plane(chosen: Settings, stores: Stores, sink: RecorderClient, caching: Caching, pool: Pool) -> DataPlane:
    built_in = providers.load()
    directory = Directory(
        config=stores.config,
        gateways=stores.gateways,
        tokens=stores.tokens,
        custom_providers=stores.custom_providers,
        routes=stores.routes,
        provider_configs=stores.provider_configs,
        providers=built_in,
        make_custom=lambda _: built_in["openai"],
        upstreams=chosen.upstreams,
    )
    guard = AddressGuard(chosen.private_networks(), chosen.private_hosts())
    data_plane, _ = assemble(
        directory=directory,
        connector=NativeConnector(guard, pool=pool),
        sockets=SocketConnector(Dialler(guard), chosen.max_socket_message),
        gateways=stores.gateways,
        counters=stores.counters,
        keyed_counters=stores.keyed_counters,
        caching=caching,
        spending=Spending(stores.ledger, PriceBook({}), CLOCK),
        ledger=stores.ledger,
        sink=sink,
        clock=CLOCK,
        new_id=ids.Uuid7(CLOCK.now_ns, os.urandom),
        chosen=chosen,
        dialects={},
    )
    return data_plane
