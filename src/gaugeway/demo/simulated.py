"""A simulated OpenAI-compatible upstream, for machines where no model can be installed. It understands nothing.

`python -m gaugeway.demo.simulated` serves it, prints its address and ends when its standard
input closes. Its figures are honest about themselves: a token is a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

MODEL = "simulated"
WORD_SECONDS = 0.01
DEFAULT_WORDS = 64
MAX_WORDS = 1000
TEXT = "This answer was not written by a model but by a simulation that repeats one sentence for as long as asked ."


def application() -> web.Application:
    """The upstream: POST /v1/chat/completions, streamed or not; anything else is 404."""
    app = web.Application(client_max_size=1024 * 1024)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_route("*", "/{rest:.*}", _not_found)
    return app


class Asked(msgspec.Struct):
    """The part of a request that is looked at."""

    messages: list[dict[str, Any]]
    max_tokens: int = DEFAULT_WORDS
    stream: bool = False
    stream_options: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    @property
    def usage(self) -> dict[str, int]:
        """What the answer will have used, in words."""
        read = sum(len(str(message.get("content", "")).split()) for message in self.messages)
        written = min(self.max_tokens, MAX_WORDS)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


async def _complete(request: web.Request) -> web.StreamResponse:
    try:
        asked = msgspec.json.decode(await request.read(), type=Asked)
    except msgspec.MsgspecError as problem:
        return _error(400, str(problem), "invalid_request_error")
    if not asked.stream:
        return await _answer(asked)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    with contextlib.suppress(ConnectionResetError):  # whoever hangs up has heard enough
        await response.prepare(request)
        async for event in _events(asked):
            await response.write(b"data: " + event + b"\n\n")
        await response.write_eof()
    return response


async def _answer(asked: Asked) -> web.Response:
    count = asked.usage["completion_tokens"]
    await asyncio.sleep(count * WORD_SECONDS)
    message = {"role": "assistant", "content": " ".join(_words(count))}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    body = _head("chat.completion") | {"choices": [choice], "usage": asked.usage}
    return web.json_response(body)


async def _events(asked: Asked) -> AsyncIterator[bytes]:
    head = _head("chat.completion.chunk")
    for word in _words(asked.usage["completion_tokens"]):
        delta = {"role": "assistant", "content": word + " "}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield msgspec.json.encode(head | {"choices": [choice]})
        await asyncio.sleep(WORD_SECONDS)
    end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "length"}
    yield msgspec.json.encode(head | {"choices": [end]})
    if asked.stream_options.get("include_usage"):
        yield msgspec.json.encode(head | {"choices": [], "usage": asked.usage})
    yield b"[DONE]"


async def _not_found(request: web.Request) -> web.Response:
    return _error(404, f"there is no {request.method} {request.path} here", "not_found_error")


def _words(count: int) -> list[str]:
    words = TEXT.split()
    return [words[index % len(words)] for index in range(count)]


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{os.urandom(8).hex()}", "object": kind, "created": 0, "model": MODEL}


def _error(status: int, message: str, kind: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": kind, "code": status}}, status=status)


async def _serve() -> None:
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    sys.stdout.write(f"http://127.0.0.1:{address[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
