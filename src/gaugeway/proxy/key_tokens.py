"""Tokens that keys are exchanged for, such as a service account's: kept until shortly before their end."""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha256

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput, CredentialRefused, ProtocolBroken
from gaugeway.core.ports import Clock
from gaugeway.core.provider import TokenExchange
from gaugeway.proxy.connectors.seam import Connector, Incoming, Outgoing, Timers
from gaugeway.proxy.exchange import Address

MAX_KEPT = 1000
"""Keys whose tokens a process keeps."""
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that brings a token."""
MARGIN_S = 300
"""Seconds before its end at which a token is replaced, or a tenth of its life where that is less."""
MAX_REASON = 300


class _Kept(Struct, frozen=True):
    token: str
    until_ms: int


class _Refusal(Struct):
    error: str = ""
    error_description: str = ""


class KeyTokens:
    """Exchanges keys for tokens. One exchange at a time for each key, whoever waits for it."""

    def __init__(self, connector: Connector, timers: Timers, clock: Clock, upstreams: dict[str, Address]) -> None:
        """`upstreams`: where the operator has exchanges of that name made (TokenExchange.upstream)."""
        self._connector = connector
        self._timers = timers
        self._clock = clock
        self._upstreams = upstreams
        self._kept: dict[bytes, _Kept] = {}
        self._under_way: dict[bytes, asyncio.Task[str]] = {}

    async def token(self, exchange: TokenExchange, key: str) -> str:
        """A token that is good for some minutes more.

        Raises UpstreamFailure where none can be had; CredentialRefused where that is the key's fault.
        """
        name = sha256(exchange.upstream.encode() + b"\0" + key.encode()).digest()
        kept = self._kept.get(name)
        if kept is not None and self._clock.now_ms() < kept.until_ms:
            return kept.token
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self._exchange(exchange, key, name))
            task.add_done_callback(partial(self._done, name))
        return await asyncio.shield(task)  # a client that leaves takes it from nobody else

    def _done(self, name: bytes, task: asyncio.Task[str]) -> None:
        self._under_way.pop(name, None)
        if not task.cancelled():
            task.exception()  # looked at, also where all who waited for it have left

    async def _exchange(self, exchange: TokenExchange, key: str, name: bytes) -> str:
        now = self._clock.now_ms()
        try:
            asked = exchange.ask(key, now)
        except BadInput as problem:
            raise CredentialRefused(f"The key cannot be used: {problem.message}") from None
        address = self._upstreams.get(exchange.upstream)
        guarded = address is None
        address = Address("https", asked.host, 443, "") if address is None else address
        incoming = await self._connector.open(
            Outgoing(
                method=b"POST",
                scheme=address.scheme,
                host=address.host,
                port=address.port,
                target=address.prefix.encode("latin-1") + asked.target,
                headers=asked.headers,
                body=asked.body,
                timers=self._timers,
                guarded=guarded,
            )
        )
        try:
            body = await _whole(incoming)
        finally:
            incoming.close()
        if incoming.status != 200:
            raise CredentialRefused(f"No token was given for the key: {incoming.status} {_reason(body)}".rstrip())
        token, lifetime = exchange.read(body)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[name] = _Kept(token, now + 1000 * (lifetime - min(MARGIN_S, lifetime // 10)))
        return token


async def _whole(incoming: Incoming) -> bytes:
    if incoming.whole is not None:
        return incoming.whole
    body = b""
    while chunk := await incoming.read():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ProtocolBroken("The answer to a key is too long to be a token's.")
    return body


def _reason(body: bytes) -> str:
    """What OAuth's error says (RFC 6749 section 5.2), in one printable line."""
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    text = f"{said.error}: {said.error_description}" if said.error_description else said.error
    return text[:MAX_REASON] if text.isprintable() else ""
