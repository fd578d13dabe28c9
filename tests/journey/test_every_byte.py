"""Large answers to readers of every speed: all that was sent arrives, and what broke off is not taken for whole.

A slow reader matters most where the rest of an answer is here already when it becomes full: so many answers are a
little larger than what the kernel's buffers hold, which is some megabytes.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from support.bulk_upstream import LARGEST, BulkUpstream, bulk
from support.server import Server, running_server
from support.upstream import running_upstream

SEED = 20261126
REQUESTS = 100
AT_ONCE = 16

WAYS = {
    "poured": {},
    "read ahead": {"cf-aig-max-attempts": "2", "cf-aig-request-timeout": "60000"},
    "copied": {"cf-aig-cache-ttl": "600"},
}
"""The ways of an answer within the gateway, by the headers that lead to them."""


class Wanted(NamedTuple):
    """An answer, and how it is read."""

    way: str
    how: str
    size: int
    buffer: int  # of the socket
    piece: int  # bytes a read
    pause: float  # seconds, before the first read and now and then


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("bytes")
    with running_upstream(BulkUpstream) as upstream, running_server(folder, upstream.url) as running:
        running.make_gateway()
        yield running


def test_every_byte_arrives_or_the_client_is_told(server: Server) -> None:
    chance = random.Random(SEED)
    asked = [_drawn(chance) for _ in range(REQUESTS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda wanted: _read(server, wanted), asked))
    for wanted, (body, is_whole) in zip(asked, answers, strict=True):
        assert is_whole == (not wanted.how.startswith("part")), wanted
        assert body == bulk(wanted.size)[: len(body)], wanted
        assert not is_whole or len(body) == wanted.size, wanted


def _drawn(chance: random.Random) -> Wanted:
    return Wanted(
        way=chance.choice(list(WAYS)),
        how=chance.choice(["sized", "sized", "chunks", "chunks", "close", "part", "part-chunks"]),
        size=round(chance.choice([LARGEST ** chance.random(), chance.uniform(LARGEST / 4, LARGEST)])),
        buffer=chance.choice([4096, 65536, 1 << 20]),
        piece=chance.choice([1000, 65536, 1 << 20]),
        pause=chance.choice([0, 0.001, 0.2]),
    )


def _read(server: Server, wanted: Wanted) -> tuple[bytes, bool]:
    """What arrived, and whether that was all by the rules of HTTP."""
    address = urlsplit(server.url)
    body = json.dumps({"model": f"{wanted.how}:{wanted.size}", "messages": []}).encode()
    headers = {"content-type": "application/json", "authorization": "Bearer sk-own", **WAYS[wanted.way]}
    line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    line.sock = socket.socket()
    line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted.buffer)
    line.sock.settimeout(60)
    line.sock.connect((address.hostname, address.port))
    pieces: list[bytes] = []
    try:
        path = urlsplit(server.gateway_url("test")).path
        line.request("POST", f"{path}/openai/v1/chat/completions", body, headers)
        time.sleep(wanted.pause)
        answer = line.getresponse()
        assert answer.status == 200, answer.read()
        while piece := answer.read(wanted.piece):
            pieces.append(piece)
            if len(pieces) % 100 == 1:
                time.sleep(wanted.pause)
        told = answer.getheader("content-length")
        return b"".join(pieces), told is None or sum(map(len, pieces)) == int(told)
    except (http.client.IncompleteRead, ConnectionError) as broken:
        if isinstance(broken, http.client.IncompleteRead):
            pieces.append(broken.partial)
        return b"".join(pieces), False
    finally:
        line.close()
