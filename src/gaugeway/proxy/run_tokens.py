"""The tokens with which the program asks its own data plane: they may run requests, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from hashlib import sha256

from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Permission, Token
from gaugeway.core.ports import Clock, TokenStore

TOKEN_DAYS = 1
"""How long such a token is valid; a new one is made before it ends."""
_DAY_MS = 86_400_000


class RunTokens:
    """One token for each account, made when first needed. Close it, so that they go."""

    def __init__(self, tokens: TokenStore, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._known: dict[str, tuple[str, Token]] = {}
        self._making = asyncio.Lock()

    async def text(self, account_id: str) -> str:
        """The text of the account's token."""
        async with self._making:
            now = self._clock.now_ms()
            known = self._known.get(account_id)
            if known is not None and (known[1].expires_at or 0) - now > _DAY_MS // 24:
                return known[0]
            text = f"gw_{secrets.token_urlsafe(32)}"
            token = Token(
                id=secrets.token_hex(16),
                account_id=account_id,
                name="a server process's own calls",
                sha256=sha256(text.encode()).digest(),
                permissions=(Permission.RUN,),
                email="gaugeway@localhost",
                created_at=now,
                expires_at=now + TOKEN_DAYS * _DAY_MS,
            )
            await asyncio.to_thread(self._tokens.create, token)
            await self._revoke(account_id)
            self._known[account_id] = (text, token)
            return text

    async def aclose(self) -> None:
        """Revoke the tokens."""
        for account_id in list(self._known):
            await self._revoke(account_id)

    async def _revoke(self, account_id: str) -> None:
        known = self._known.pop(account_id, None)
        if known is not None:
            with contextlib.suppress(GaugewayError):  # it is gone, or ends by itself
                await asyncio.to_thread(self._tokens.revoke, account_id, known[1].id)
