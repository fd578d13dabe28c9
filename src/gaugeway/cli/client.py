"""The management API over HTTP, for commands that talk to a running server."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from gaugeway.core.errors import GaugewayError

TIMEOUT = 30.0
MAX_ANSWER = 64 * 1024 * 1024
PIECE = 256 * 1024
NO_ROUTE = 7003
"""The code of an address that the server does not know."""


class Unreachable(GaugewayError):
    """The server did not answer, or not like one."""


class Refused(GaugewayError):
    """The server answered with an error of the contract."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Envelope(msgspec.Struct):
    """The answer of every operation."""

    success: bool
    result: Any = None
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list[dict[str, Any]])


class Page(msgspec.Struct, frozen=True):
    """A page of an answer without an envelope."""

    content: bytes
    left_out: int  # what could not be in it


class Management:
    """One account's management API. Each call is one request on a connection of its own; no proxies, no retries."""

    def __init__(self, base_url: str, token: str, account_id: str) -> None:
        parts = urlsplit(base_url)
        try:
            port = parts.port
        except ValueError as problem:
            raise Unreachable(f"--base-url: {base_url!r}: {problem}") from problem
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise Unreachable(f"--base-url: expected http://HOST:PORT/client/v4, not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, port
        self._prefix = f"{parts.path.rstrip('/')}/accounts/{quote(account_id, safe='')}/ai-gateway"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def url(self, path: str) -> str:
        """The whole address of an operation."""
        return f"{self._origin}{self._prefix}{path}"

    def get(self, path: str, **query: Any) -> Any:
        """The result of a GET."""
        shown = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path + ("?" + urlencode(shown) if shown else ""))

    def get_all(self, path: str, per_page: int = 50, **query: Any) -> list[dict[str, Any]]:
        """Every item of a paged list."""
        items: list[dict[str, Any]] = []
        page = 1
        while True:
            part = self.get(path, page=page, per_page=per_page, **query)
            items += part
            if len(part) < per_page:
                return items
            page += 1

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The result of a POST."""
        return self._call("POST", path, msgspec.json.encode(body))

    def pages(self, path: str, **query: Any) -> Iterator[Page]:
        """An answer without an envelope, page by page."""
        after: str | None = None
        while True:
            shown = {name: value for name, value in {**query, "after": after}.items() if value is not None}
            target = path + ("?" + urlencode(shown) if shown else "")
            status, content, headers = self._exchange("GET", self._prefix + target, None)
            if status != 200:
                self._open(status, content, "GET", target)  # which raises what went wrong
                raise Unreachable(f"{self.base_url} answered GET {target} with {status}")
            yield Page(content, int(headers.get("gaugeway-left-out", "0")))
            after = headers.get("gaugeway-next")
            if after is None:
                return

    def download(self, path: str, **query: Any) -> Iterator[bytes]:
        """An answer without an envelope, piece by piece, however long; Unreachable where it ends too early."""
        target = path + "?" + urlencode(query)
        with self._asked("GET", self._prefix + target, None) as answer:
            if answer.status != 200:
                self._open(answer.status, answer.read(MAX_ANSWER), "GET", target)  # which raises what went wrong
                raise Unreachable(f"{self.base_url} answered GET {target} with {answer.status}")
            while piece := answer.read(PIECE):
                yield piece

    def delete(self, path: str) -> Any:
        """The result of a DELETE."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        status, content, _ = self._exchange(method, self._prefix + path, body)
        return self._open(status, content, method, path)

    def _open(self, status: int, content: bytes, method: str, path: str) -> Any:
        """The result in an envelope; Refused where it says that there is none."""
        try:
            envelope = msgspec.json.decode(content, type=Envelope)
        except msgspec.MsgspecError as problem:
            raise Unreachable(
                f"{self.base_url} answered {method} {path} with {status} and no management API envelope;"
                " check --base-url (it ends in /client/v4)"
            ) from problem
        if not envelope.success or status >= 400:
            raise Refused(_sentence(envelope, status, method, path), status)
        return envelope.result

    def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes, Mapping[str, str]]:
        with self._asked(method, target, body) as answer:
            content = answer.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER:
            raise Unreachable(f"{self.base_url} answered {method} with more than {MAX_ANSWER} bytes")
        return answer.status, content, {name.lower(): value for name, value in answer.getheaders()}

    @contextmanager
    def _asked(self, method: str, target: str, body: bytes | None) -> Generator[http.client.HTTPResponse]:
        """The answer, still to be read; Unreachable where there is none, or it ends while it is read."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            connection.request(method, target, body, headers)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as problem:
            reason = str(problem) or type(problem).__name__
            raise Unreachable(
                f"no answer from {self.base_url}: {reason}; is `gaugeway serve` running there? See --base-url"
            ) from problem
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)


def _sentence(envelope: Envelope, status: int, method: str, path: str) -> str:
    details: list[str] = []
    for error in envelope.errors:
        where = ".".join(str(part) for part in error.get("path") or ())
        details.append(f"{error.get('message', '')}{f' (at {where})' if where else ''} [{error.get('code')}]")
    hint = " Check --token." if status in (401, 403) else ""
    if NO_ROUTE in (error.get("code") for error in envelope.errors):
        hint = " Check --base-url (it ends in /client/v4) and --account."
    return f"{method} {path}: {status}: {'; '.join(details) or 'no reason given'}.{hint}"
