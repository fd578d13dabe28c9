"""The Notifier: notices as signed POST requests to webhooks, on the connections that requests to providers go by.

They are signed as the open specification "Standard Webhooks" says, so that any library of it verifies them:
HMAC-SHA256 over `{id}.{timestamp}.{body}`. Addresses are guarded as those of custom providers are, on the very
address that is connected to; redirects are not followed, and nothing of what a receiver answers is kept but its
status.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from binascii import Error as NoBase64
from time import monotonic
from urllib.parse import urlsplit

from gaugeway.core.errors import UpstreamFailure
from gaugeway.core.notices import Notice, Tried, Webhook
from gaugeway.core.ports import Clock
from gaugeway.proxy.connectors.seam import Connector, Outgoing, Timers

TIMERS = Timers(connect=5.0, first_byte=10.0, idle=5.0)
TRY_S = 30.0
"""Of all of a try: a receiver that says something every few seconds, and never answers, hangs too."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
MAX_ERROR = 300
_PORTS = {"http": 80, "https": 443}


class WebhookNotifier:
    """A Notifier."""

    def __init__(self, connector: Connector, clock: Clock, try_s: float = TRY_S) -> None:
        self._connector = connector
        self._clock = clock
        self._try_s = try_s

    async def deliver(self, webhook: Webhook, notice: Notice) -> Tried:
        """See Notifier."""
        now_ms, begun = self._clock.now_ms(), monotonic()
        status, error = None, ""
        try:
            async with asyncio.timeout(self._try_s):
                answer = await self._connector.open(_request(webhook, notice, now_ms // 1000))
                status = answer.status
                answer.close()
        except TimeoutError:
            error = f"it did not answer within {self._try_s:g} s"
        except UpstreamFailure as problem:
            error = str(problem)[:MAX_ERROR]
        except Exception as problem:  # noqa: BLE001 - a try that failed, whatever the reason
            error = f"{type(problem).__name__}: {problem}"[:MAX_ERROR]
        return Tried(at=now_ms, duration_ms=round((monotonic() - begun) * 1000), status_code=status, error=error)


def _request(webhook: Webhook, notice: Notice, timestamp: int) -> Outgoing:
    parts = urlsplit(webhook.url)
    body = notice.body.encode()
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Outgoing(
        method=b"POST",
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        target=target.encode("ascii"),
        headers=[
            (b"content-type", b"application/json"),
            (b"user-agent", b"gaugeway-monitor"),
            (b"webhook-id", notice.id.encode()),
            (b"webhook-timestamp", str(timestamp).encode()),
            (b"webhook-signature", sign(webhook.secret, notice.id, timestamp, body).encode()),
        ],
        body=body,
        timers=TIMERS,
        guarded=True,
    )


def sign(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = b".".join((identifier.encode(), str(timestamp).encode(), body))
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign: behind `whsec_` in base64, else the text's own."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    if encoded != secret:
        try:
            return base64.b64decode(encoded, validate=True)
        except (NoBase64, ValueError):
            pass
    return secret.encode()
