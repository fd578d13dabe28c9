"""Who may pass: the gateway's own credential, and its removal from what goes upstream."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Permission, Token
from gaugeway.core.ports import Clock
from gaugeway.proxy.answers import UNAUTHORIZED
from gaugeway.proxy.credentials import SHORTEST_SECRET
from gaugeway.proxy.directory import Directory
from gaugeway.proxy.exchange import Exchange


class Authentication:
    """The phase that settles whether the request may pass."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def begin(self, exchange: Exchange) -> None:
        """As `authenticate`, but that a universal request is taken in without a token: a step may have one.

        Until one of them turns out to (`Exchange.owes_token`), nothing but a 401 is told.
        """
        if not self._passes(exchange):
            if exchange.slug:
                raise unauthorized()
            exchange.owes_token = True

    def authenticate(self, exchange: Exchange) -> None:
        """Find the gateway token, in `cf-aig-authorization` or else where the provider's key travels.

        Runs before anything of the request is acted upon. A token of ours never goes upstream. Raises
        GatewayError (401) where the gateway (or REST inference) demands a token that may Run and there is none.
        """
        if not self._passes(exchange):
            raise unauthorized()

    def _passes(self, exchange: Exchange) -> bool:
        for token in self._take_credentials(exchange):
            if self._may_run(exchange, token):
                exchange.authenticated = True
        return exchange.authenticated or not (exchange.gateway.authentication or exchange.is_rest)

    def authenticate_by(self, exchange: Exchange, secret: bytes) -> None:
        """Let a credential within a universal request's step be the request's, where it is a token that may run."""
        token = self._directory.token(secret)
        if token is not None and self._may_run(exchange, token):
            exchange.authenticated = True

    def _take_credentials(self, exchange: Exchange) -> list[Token]:
        """Our own tokens among the request's credentials; strips them. Secrets in its headers are noted already."""
        found: list[Token] = []
        token_of = self._directory.token
        for secret, header in exchange.credentials:
            token = token_of(secret)
            if token is not None:
                found.append(token)
                if header is not None:
                    exchange.headers = [pair for pair in exchange.headers if pair != header]
        if b"key=" in exchange.query:
            exchange.query = without_own_key(exchange.query, lambda secret: self._note(exchange, secret, found))
        return found

    def _note(self, exchange: Exchange, secret: bytes, found: list[Token]) -> bool:
        """Remember a secret; whether it is a token of ours."""
        if len(secret) >= SHORTEST_SECRET:
            exchange.secrets.append(secret)
        token = self._directory.token(secret)
        if token is None:
            return False
        found.append(token)
        return True

    def _may_run(self, exchange: Exchange, token: Token) -> bool:
        if token.account_id != exchange.gateway.account_id or not token.allows(Permission.RUN):
            return False
        return token.expires_at is None or token.expires_at > self._clock.now_ms()


def unauthorized() -> GatewayError:
    """The refusal of who has no token that may run."""
    return GatewayError(401, UNAUTHORIZED, "Unauthorized")


def without_own_key(query: bytes, is_ours: Callable[[bytes], bool]) -> bytes:
    """A query without those `key=` that are tokens of ours. It is the one credential that travels in a query."""
    if b"key=" not in query:
        return query
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    own = [value for name, value in pairs if name == "key" and is_ours(value.encode())]
    if not own:
        return query
    return urlencode([(name, value) for name, value in pairs if not (name == "key" and value in own)]).encode()
