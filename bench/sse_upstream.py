"""A streaming upstream for the bench: each chunk carries the moment it was written.

`python -m bench.sse_upstream PORT`; the request's JSON says how many `chunks` and the `pause` between them, in s.
"""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FILLER = "x" * 120


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            position = head.lower().index(b"content-length:") + 15
            body = await reader.readexactly(int(head[position : head.index(b"\r\n", position)]))
            asked = json.loads(body)
            await _stream(writer, int(asked["chunks"]), float(asked["pause"]))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _stream(writer: asyncio.StreamWriter, chunks: int, pause: float) -> None:
    began = perf_counter()
    for number in range(chunks):
        await asyncio.sleep(max(0.0, began + number * pause - perf_counter()))
        data = b'data: {"t":%.7f,"choices":[{"delta":{"content":"%b"}}]}\n\n' % (perf_counter(), FILLER.encode())
        framed = b"%x\r\n%b\r\n" % (len(data), data)
        writer.write(HEAD + framed if number == 0 else framed)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_converse, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
