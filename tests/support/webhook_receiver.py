"""Who is told by webhooks: a real HTTP server on loopback, which checks signatures and can be down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()


class Receiver:
    """The running receiver. `status` is what it answers; `got` what came, in order; `held` keeps answers back."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[dict[str, Any]] = []
        self.held = threading.Event()
        self.held.set()
        self.port = 0
        self._arrived = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?team=blue"

    def up(self) -> None:
        """Listen, on the same port as before."""
        outer = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer._take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                outer.held.wait(30)
                self.send_response(outer.status)
                if outer.status in (301, 302, 307):
                    self.send_header("location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self) -> None:
        """Listen no more."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, number: int, timeout: float = 60) -> list[dict[str, Any]]:
        """What came, once it is that much."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.got) >= number, timeout), self.got
        return self.got

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        told = {
            "id": headers["webhook-id"],
            "path": path,
            "signed": hmac.compare_digest(right, headers["webhook-signature"]),
            "body": json.loads(body),
        }
        with self._arrived:
            self.got.append(told)
            self._arrived.notify_all()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.up()
    try:
        yield receiver
    finally:
        receiver.held.set()
        receiver.down()
