"""The official clients close a stream at its last event, before the connection says that it is over."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from support.server import Server, running_server

EVENTS = (
    b'data: {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [{"index": 0,'
    b' "delta": {"content": "Hello"}, "finish_reason": "stop"}]}\n\n'
    b'data: {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [], "usage":'
    b' {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}\n\n'
)
DONE = b"data: [DONE]\n\n"


@contextmanager
def upstream_that_never_ends(*pieces: bytes, headers: bytes = b"") -> Iterator[str]:
    """An upstream that streams the pieces, and then leaves its connection open without ending the answer."""
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n")
        writer.write(headers + b"\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        await reader.read()  # until the gateway leaves
        writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(answer, "127.0.0.1", 0)

    server = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def stop() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def stream(server: Server, *, stop_after: int | None = None) -> dict[str, Any]:
    """Read a stream through the gateway with the official client, as far as asked; returns the log."""
    gateway = server.make_gateway()
    client = openai.OpenAI(
        base_url=server.gateway_url(gateway) + "/openai",
        api_key="sk-key",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    )
    with client, client.chat.completions.create(model="m", messages=[], stream=True) as chunks:
        for index, _ in enumerate(chunks):
            if index + 1 == stop_after:
                break
    deadline = time.monotonic() + 20
    while not (logs := server.logs(gateway)):
        assert time.monotonic() < deadline, "no log came"
        time.sleep(0.05)
    return logs[0]


@pytest.mark.parametrize("encoded", [False, True])
def test_a_stream_read_to_its_last_event_is_a_success(tmp_path: Path, encoded: bool) -> None:
    body = EVENTS + DONE
    pieces = [gzip.compress(body)] if encoded else [EVENTS, DONE]
    headers = b"content-encoding: gzip\r\n" if encoded else b""
    with upstream_that_never_ends(*pieces, headers=headers) as url, running_server(tmp_path, url) as server:
        log = stream(server)
    assert (log["outcome"], log["success"], log["status_code"]) == ("success", True, 200)
    assert (log["tokens_in"], log["tokens_out"]) == (3, 1)


def test_a_stream_left_before_its_last_event_is_a_hangup(tmp_path: Path) -> None:
    with upstream_that_never_ends(EVENTS) as url, running_server(tmp_path, url) as server:
        log = stream(server, stop_after=1)
    assert (log["outcome"], log["success"]) == ("client_gone", False)
