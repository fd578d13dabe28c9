"""Keys that become a request's credential only when it is sent: by a dated signature, or exchanged for a token."""

from __future__ import annotations

from gaugeway.core.errors import BadInput, CredentialRefused
from gaugeway.core.ports import Clock
from gaugeway.core.provider import Outbound, Provider, key_use_of, token_exchange_of
from gaugeway.proxy.connectors.request import host_value
from gaugeway.proxy.connectors.seam import Outgoing
from gaugeway.proxy.credentials import SHORTEST_SECRET
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.key_tokens import KeyTokens


class Keying:
    """Puts a key's credential on requests."""

    def __init__(self, tokens: KeyTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def authorise(self, exchange: Exchange, provider: Provider, key: str, outgoing: Outgoing) -> None:
        """Set the headers that carry the key, in place of the request's own; for each attempt anew.

        What must not be seen of them is noted on the exchange. Raises UpstreamFailure where a token is needed and
        cannot be had.
        """
        use = key_use_of(provider)
        if use is None:
            raise CredentialRefused(f"{provider.slug} takes no keys from the gateway")
        try:
            exchange.secrets += [secret.encode() for secret in use.secrets(key) if len(secret) >= SHORTEST_SECRET]
            tokens = token_exchange_of(use)
            if tokens is not None:
                key = await self._tokens.token(tokens, key)
                exchange.secrets.append(key.encode())
            headers = use.headers(
                key,
                Outbound(
                    method=outgoing.method,
                    host=host_value(outgoing.scheme, outgoing.host, outgoing.port).decode(),
                    rest=exchange.rest,
                    target=outgoing.target,
                    headers=outgoing.headers,
                    body=outgoing.body,
                    at_ms=self._clock.now_ms(),
                ),
            )
        except BadInput as problem:
            raise CredentialRefused(f"The key cannot be used: {problem.message}") from None
        replaced = {name for name, _ in headers} | provider.credential_headers
        outgoing.headers = [pair for pair in outgoing.headers if pair[0] not in replaced] + headers
