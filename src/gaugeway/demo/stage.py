"""What the demo plays on: a gateway server, an upstream, and a gateway with a custom provider between them."""

from __future__ import annotations

import http.client
import os
import secrets
import time
from collections.abc import Collection
from contextlib import closing

import cloudflare
import msgspec
from msgspec import Struct

from gaugeway import app
from gaugeway.core.credentials import RANDOM_BYTES, hash_of, token_text
from gaugeway.core.model import Permission, Token
from gaugeway.core.settings import PREFIX, Settings, environment_of
from gaugeway.demo.children import Child, ChildFailed, Children
from gaugeway.demo.upstream import Upstream
from gaugeway.stores import open_stores

READY_SECONDS = 60.0
TOKEN_MS = 24 * 3600 * 1000
LOOPBACK = "127.0.0.1"


class Stage(Struct, frozen=True, kw_only=True):
    """Everything there is to play on."""

    base_url: str  # of the server, without a path
    account_id: str
    token: str
    gateway_id: str
    provider_slug: str
    upstream: Upstream
    api: cloudflare.Cloudflare

    @property
    def management_url(self) -> str:
        """What an official Cloudflare client takes as its base URL."""
        return f"{self.base_url}/client/v4"

    @property
    def openai_url(self) -> str:
        """What an official OpenAI client takes as its base URL."""
        return f"{self.base_url}/v1/{self.account_id}/{self.gateway_id}/custom-{self.provider_slug}/v1"


def start_server(children: Children, settings: Settings) -> tuple[str, str, str]:
    """Start `gaugeway serve` in a child process; returns its base URL, the account and a token's text."""
    settings = msgspec.structs.replace(
        settings, private_upstreams=[*dict.fromkeys([*settings.private_upstreams, LOOPBACK])]
    )
    first = app.first_start(settings)
    token = first.token_text or _make_token(settings, first.account_id)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    server = children.start("gaugeway", ["gaugeway", "serve"], inherited | environment_of(settings))
    base_url = f"http://{LOOPBACK}:{settings.port}"
    _wait_until_ready(server, settings.port)
    return base_url, first.account_id, token


def build_stage(base_url: str, account_id: str, token: str, upstream: Upstream) -> Stage:
    """Make the gateway and the custom provider through the official Cloudflare client."""
    api = cloudflare.Cloudflare(
        api_token=token,
        base_url=f"{base_url}/client/v4",
        # a proxy in the environment is for the world outside, not for this machine
        http_client=cloudflare.DefaultHttpxClient(trust_env=False),
    )
    gateways = {gateway.id for gateway in api.ai_gateway.list(account_id=account_id)}
    providers = {provider.slug for provider in api.ai_gateway.custom_providers.list(account_id=account_id)}
    gateway_id, slug = _free("demo", gateways), _free("local", providers)
    api.ai_gateway.create(
        account_id=account_id,
        id=gateway_id,
        cache_invalidate_on_update=False,
        cache_ttl=0,
        collect_logs=True,
        rate_limiting_interval=0,
        rate_limiting_limit=0,
    )
    api.ai_gateway.custom_providers.create(
        account_id=account_id,
        name="A model on this machine" if upstream.real else "A simulated model",
        slug=slug,
        base_url=upstream.url,
        enable=True,
    )
    return Stage(
        base_url=base_url,
        account_id=account_id,
        token=token,
        gateway_id=gateway_id,
        provider_slug=slug,
        upstream=upstream,
        api=api,
    )


def _make_token(settings: Settings, account_id: str) -> str:
    """A token of our own for a data folder that is not new; it ends after a day."""
    text, now = token_text(secrets.token_bytes(RANDOM_BYTES)), time.time_ns() // 1_000_000
    token = Token(
        id=secrets.token_hex(16),
        account_id=account_id,
        name="demo",
        sha256=hash_of(text),
        permissions=tuple(Permission),
        email=settings.bootstrap_email,
        created_at=now,
        expires_at=now + TOKEN_MS,
    )
    with closing(open_stores(settings.data)) as stores:
        stores.tokens.create(token)
    return text


def _wait_until_ready(server: Child, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(port):
        server.check()
        if time.monotonic() > deadline:
            raise ChildFailed(f"the gateway was not ready after {READY_SECONDS:g} s:\n{server.tail()}")
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=5.0)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False  # not listening yet


def _free(name: str, taken: Collection[str | None]) -> str:
    candidates = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)
