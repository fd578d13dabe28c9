"""A provider on loopback: real HTTP, answers as its request's model name says, and remembers what it saw.

Models: `ok…` answers well; `error-<status>`; `cut` breaks its stream off, `cut-json` its JSON; `hang` never
answers; `hang-mid` falls silent within its stream; `drip` streams slowly; `echo` answers with what it saw;
`gzip` compresses; `late-usage` has a long stream; `garbage` speaks no HTTP.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 10,
    "total_tokens": 30,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
WORDS = ["Hello", " there", ",", " how", " are", " you", "?"]


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    finished: threading.Event = field(default_factory=threading.Event)  # its answer went out whole
    abandoned: threading.Event = field(default_factory=threading.Event)  # the caller left before

    @property
    def header(self) -> dict[str, str]:
        """Headers by lower-case name; the last of repeats."""
        return dict(self.headers)

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


AnUpstream = TypeVar("AnUpstream", bound="Upstream")


class Upstream:
    """The running upstream. `url` is its base, `seen` what arrived, in order."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self.port = 0
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None

    def wait_for(self, count: int, timeout: float = 20) -> list[Seen]:
        """Wait until that many requests have arrived in all."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.seen) >= count, timeout), (
                f"only {len(self.seen)} arrived"
            )
        return self.seen

    async def serve(self, ready: threading.Event) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        ready.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int(dict(headers).get("content-length", "0"))
        seen = Seen(method, target, headers, await reader.readexactly(length))
        with self._arrived:
            self.seen.append(seen)
            self._arrived.notify_all()
        watch = asyncio.create_task(reader.read(1))
        answer = asyncio.create_task(self._answer(seen, writer))
        await asyncio.wait({watch, answer}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() or isinstance(answer.exception(), ConnectionError):
            seen.abandoned.set()
            answer.cancel()
            await asyncio.gather(watch, answer, return_exceptions=True)
            return False
        keep = answer.result()
        if keep:
            seen.finished.set()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return keep

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        try:
            asked = json.loads(seen.body) if seen.body else {}
        except ValueError:
            asked = {}
        asked = asked if isinstance(asked, dict) else {}
        model = str(asked.get("model", "ok"))
        behaviour = getattr(self, "_" + model.split(":", maxsplit=1)[0].replace("-", "_").split("/")[-1], None)
        if model.startswith("error-"):
            status = int(model.removeprefix("error-"))
            return await _send_json(writer, {"error": {"message": "as asked", "code": status}}, status)
        if behaviour is None or not model.replace("-", "").split(":")[0].isalpha():
            behaviour = self._ok
        return await behaviour(seen, asked, writer)

    async def _ok(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        if asked.get("stream"):
            return await _send_stream(writer, asked)
        return await _send_json(writer, completion(str(asked.get("model", "ok"))))

    async def _late_usage(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send_stream(writer, asked, repeat=300)

    async def _drip(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send_stream(writer, asked, repeat=20, pause=0.05)

    async def _gzip(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = gzip.compress(json.dumps(completion("gzip")).encode())
        return await _send(writer, 200, "application/json", body, "content-encoding: gzip\r\n")

    async def _echo(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        shown = {"headers": seen.headers, "target": seen.target, "method": seen.method, "body": seen.body.decode()}
        return await _send_json(writer, shown)

    async def _cut(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await _stream_head(writer)
        for word in WORDS[:3]:
            await _chunk(writer, event(word))
        return False

    async def _cut_json(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = json.dumps(completion("cut")).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        writer.write(body[:40])
        await writer.drain()
        return False

    async def _hang(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(3600)
        return False

    async def _hang_mid(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        await asyncio.sleep(3600)
        return False

    async def _claude_message(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        if not asked.get("stream"):
            text = [{"type": "text", "text": "".join(WORDS)}]
            return await _send_json(writer, claude_message(text, CLAUDE_USAGE) | {"stop_reason": "end_turn"})
        await _stream_head(writer)
        begun = claude_message([], CLAUDE_USAGE | {"output_tokens": 1})
        await _chunk(writer, named_event("message_start", {"message": begun}))
        block = {"index": 0, "content_block": {"type": "text", "text": ""}}
        await _chunk(writer, named_event("content_block_start", block))
        for word in WORDS:
            delta = {"index": 0, "delta": {"type": "text_delta", "text": word}}
            await _chunk(writer, named_event("content_block_delta", delta))
        await _chunk(writer, named_event("content_block_stop", {"index": 0}))
        ended = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 10}}
        await _chunk(writer, named_event("message_delta", ended))
        await _chunk(writer, named_event("message_stop", {}))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _garbage(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        writer.write(b"I do not speak HTTP\r\n\r\n")
        await writer.drain()
        return False


def completion(model: str) -> dict[str, Any]:
    """A whole chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
        ],
        "usage": USAGE,
    }


CLAUDE_USAGE = {
    "input_tokens": 20,
    "cache_read_input_tokens": 6,
    "cache_creation_input_tokens": 4,
    "output_tokens": 10,
}


def claude_message(content: list[dict[str, str]], usage: dict[str, int]) -> dict[str, Any]:
    """An Anthropic message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-message",
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def named_event(name: str, data: dict[str, Any]) -> bytes:
    """One SSE event of an Anthropic stream."""
    return f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n".encode()


def event(word: str | None, usage: dict[str, Any] | None = None, model: str = "ok") -> bytes:
    """One SSE event of a chat stream."""
    choices = [] if word is None else [{"index": 0, "delta": {"content": word}, "finish_reason": None}]
    chunk: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    chunk |= {"choices": choices} | ({"usage": usage} if usage else {})
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def _send(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, more: str = "") -> bool:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}", "x-upstream: yes"]
    writer.write(("\r\n".join(lines) + "\r\n" + more + "\r\n").encode() + body)
    await writer.drain()
    return True


async def _send_json(writer: asyncio.StreamWriter, value: Any, status: int = 200) -> bool:
    return await _send(writer, status, "application/json", json.dumps(value).encode())


async def _stream_head(writer: asyncio.StreamWriter, kind: bytes = b"text/event-stream") -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n\r\n")
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _send_stream(
    writer: asyncio.StreamWriter, asked: dict[str, Any], repeat: int = 1, pause: float = 0.0
) -> bool:
    await _stream_head(writer)
    model = str(asked.get("model", "ok"))
    for _ in range(repeat):
        for word in WORDS:
            await _chunk(writer, event(word, model=model))
        await asyncio.sleep(pause)
    if (asked.get("stream_options") or {}).get("include_usage"):
        await _chunk(writer, event(None, USAGE, model))
    await _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


@contextmanager
def running_upstream(kind: type[AnUpstream] = Upstream) -> Iterator[AnUpstream]:
    """An upstream on a free port, in a thread of its own."""
    upstream = kind()
    ready = threading.Event()
    loop = upstream._loop

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(upstream.serve(ready))
        loop.run_forever()

    thread = threading.Thread(target=run, name="upstream", daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield upstream
    finally:

        async def stop() -> None:
            assert upstream._server is not None
            upstream._server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
