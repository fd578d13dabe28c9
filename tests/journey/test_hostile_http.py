"""HTTP that is odd, ambiguous or an attack, byte by byte: none of it changes what goes upstream unnoticed."""

from __future__ import annotations

import json
import socket

from support.server import Server
from support.upstream import Upstream

BODY = b'{"model": "ok"}'


def converse(server: Server, sent: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(sent)
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received


def post(gateway: str, headers: bytes, body: bytes, server: Server, method: bytes = b"POST") -> bytes:
    """A request as bytes, with these headers."""
    path = f"/v1/{server.account_id}/{gateway}/openai/chat/completions".encode()
    return b"%b %b HTTP/1.1\r\nHost: gateway\r\n%b\r\n%b" % (method, path, headers, body)


def test_an_offer_to_upgrade_is_passed_over_and_the_body_is_not(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    """Java's own client offers HTTP/2 with its first request, whatever that is."""
    before = len(shared_upstream.seen)
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    length = b"Content-Length: %d\r\n" % len(BODY)
    chunked = b"Transfer-Encoding: chunked\r\n"
    last = b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"
    requests = [
        post(gateway, offer + length, BODY, server),
        post(gateway, offer + chunked, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), server),
        post(gateway, last + length, BODY, server),
    ]
    received = converse(server, b"".join(requests))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    for seen in shared_upstream.wait_for(before + 3)[before:]:
        assert seen.body == BODY
        assert not {"upgrade", "http2-settings", "connection"} & set(seen.header)
    assert [log["request_size"] for log in server.logs(gateway)] == [len(BODY)] * 3


def test_an_offer_to_upgrade_that_comes_in_pieces(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    headers = b"Connection: close, Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n" % len(BODY)
    sent = post(gateway, headers, BODY, server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            client.sendall(bytes([byte]))
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert shared_upstream.wait_for(before + 1)[before].body == BODY


def test_a_wrong_websocket_handshake_is_refused(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    asking = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    received = converse(server, post(gateway, asking, b"", server, b"GET"))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"The WebSocket handshake is wrong: missing Sec-WebSocket-Key header" in received
    assert len(shared_upstream.seen) == before
    assert [log["outcome"] for log in server.logs(gateway)] == ["refused"]


def test_a_websocket_is_asked_for_with_get_only(server: Server, gateway: str) -> None:
    asking = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    received = converse(server, post(gateway, asking, BODY, server))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"a WebSocket is asked for with GET" in received


def test_connect_is_no_request_of_ours(server: Server) -> None:
    received = converse(server, b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"CONNECT is not answered" in received


def test_a_trailer_is_no_header(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    trailers = b"Authorization: Bearer sk-in-a-trailer\r\nX-Trailer: 1\r\ncf-aig-event-id: e-1\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(BODY), BODY, trailers)
    received = converse(
        server, post(gateway, b"Transfer-Encoding: chunked\r\nConnection: close\r\n", chunks, server)
    )
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    seen = shared_upstream.wait_for(before + 1)[before]
    assert set(seen.header) == {"host", "content-length"}
    log = server.logs(gateway)[0]
    assert log["event_id"] == log["id"]


def test_trailers_without_end_are_stopped(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    begun = post(gateway, b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY), server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(begun)
        received = b""
        client.settimeout(0.05)
        for _ in range(400):
            try:
                client.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
                received += client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            break
    assert received.startswith(b"HTTP/1.1 431 "), received[:100]
    assert len(shared_upstream.seen) == before


def test_a_transfer_coding_that_cannot_be_undone_is_refused(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    """Passed on without its name, the body would be bytes that nobody can read."""
    before = len(shared_upstream.seen)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    headers = b"Connection: close\r\nTransfer-Encoding: gzip, chunked\r\n"
    received = converse(server, post(gateway, headers, chunks, server))
    assert received.startswith(b"HTTP/1.1 501 ")
    assert "transfer-encoding" in json.loads(received.partition(b"\r\n\r\n")[2])["message"]
    assert len(shared_upstream.seen) == before


def test_garbage_in_the_midst_of_an_answer_adds_nothing_to_it(server: Server, gateway: str) -> None:
    """An error written there would count as a part of the answer."""
    body = b'{"model": "drip", "stream": true}'
    sent = post(gateway, b"Content-Length: %d\r\n" % len(body), body, server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(sent)
        received = client.recv(65536)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        client.sendall(b"this is no HTTP\r\n\r\n")
        while piece := client.recv(65536):
            received += piece
    assert b"HTTP/1.1 400" not in received
    assert not received.endswith(b"0\r\n\r\n")
