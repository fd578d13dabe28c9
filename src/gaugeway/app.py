"""An installation: its first account and token, and the server that runs on it.

Light on purpose, as every command imports it; what a server process needs is wired in `worker.py`.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from gaugeway.core import settings
from gaugeway.core.credentials import RANDOM_BYTES, hash_of, token_text
from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Account, Permission, Token
from gaugeway.core.settings import Settings
from gaugeway.stores import Stores, folder_of, open_stores
from gaugeway.system_clock import CLOCK


class CannotListen(GaugewayError):
    """The address cannot be listened on."""


# --- first start ------------------------------------------------------------------------------------------


class FirstStart(Struct, frozen=True, kw_only=True):
    """What is there to begin with."""

    account_id: str
    token_text: str | None  # only when it was just made, or given in the settings
    token_email: str
    made_token: bool
    data: Path


def first_start(chosen: Settings) -> FirstStart:
    """Make the default account and the first token where there are none; idempotent, safe for two at once."""
    stores = open_stores(chosen.data)
    try:
        return _first_start(chosen, stores)
    finally:
        stores.close()


def _first_start(chosen: Settings, stores: Stores) -> FirstStart:
    now = CLOCK.now_ms()
    account = Account(id=chosen.account_id or secrets.token_hex(16), name="default", created_at=now)
    text = chosen.bootstrap_token or token_text(secrets.token_bytes(RANDOM_BYTES))
    token = _full_token(text, account.id, chosen.bootstrap_email, now)
    account, made = stores.accounts.bootstrap(account, token)
    if not made:
        if chosen.account_id not in (None, account.id) and stores.accounts.get(chosen.account_id or "") is None:
            stores.accounts.create(Account(id=chosen.account_id or "", name="added", created_at=now))
            account = Account(id=chosen.account_id or "", name="added", created_at=now)
        elif chosen.account_id:
            account = stores.accounts.get(chosen.account_id) or account
        made = _keep_given_token(chosen, stores, account.id, now)
    return FirstStart(
        account_id=account.id,
        token_text=text if made or chosen.bootstrap_token else None,
        token_email=chosen.bootstrap_email,
        made_token=made,
        data=folder_of(chosen.data).resolve(),
    )


def _keep_given_token(chosen: Settings, stores: Stores, account_id: str, now: int) -> bool:
    """A bootstrap token in the settings is valid at every start; whether it had to be added."""
    if chosen.bootstrap_token is None or stores.tokens.find(hash_of(chosen.bootstrap_token)) is not None:
        return False
    stores.tokens.create(_full_token(chosen.bootstrap_token, account_id, chosen.bootstrap_email, now))
    return True


def _full_token(text: str, account_id: str, email: str, now: int) -> Token:
    return Token(
        id=secrets.token_hex(16),
        account_id=account_id,
        name="bootstrap",
        sha256=hash_of(text),
        permissions=tuple(Permission),
        email=email,
        created_at=now,
    )


# --- serving ----------------------------------------------------------------------------------------------


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that a client who comes early waits and is not refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=4096)
    except OSError as problem:
        raise CannotListen(
            f"cannot listen on {host} port {port}: {problem.strerror}. Another program may use it;"
            " choose another with --port or GAUGEWAY_PORT"
        ) from problem
    listening.set_inheritable(True)
    return listening


def _check_upstreams(chosen: Settings) -> None:
    """An override for a provider that does not exist would leave the one that was meant where it is."""
    from gaugeway import providers
    from gaugeway.core.provider import key_use_of, token_exchange_of

    loaded = providers.load()
    uses = [use for provider in loaded.values() if (use := key_use_of(provider)) is not None]
    exchanges = {exchange.upstream for use in uses if (exchange := token_exchange_of(use)) is not None}
    known = [*loaded, *sorted(exchanges)]
    for slug in chosen.upstreams:
        if slug not in known and not slug.startswith("custom-"):
            raise settings.BadSetting(
                f"upstreams: there is no provider {slug!r}; there are {', '.join(known)} and custom-{{slug}}"
            )


def serve(chosen: Settings, *, on_listening: Callable[[int], None] | None = None) -> None:
    """Serve until stopped; `on_listening` is told the port. Raises CannotListen, BadSetting."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from gaugeway.proxy.server import GatewayProtocol

    _check_upstreams(chosen)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))  # what uvicorn hands on once all is closed
    os.environ.update(settings.environment_of(chosen))  # worker processes read them there
    config = uvicorn.Config(
        "gaugeway.worker:create",
        factory=True,
        workers=chosen.workers,
        loop="uvloop",
        http=GatewayProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=chosen.shutdown_timeout,
        backlog=4096,
    )
    server = uvicorn.Server(config)
    listening = listen(chosen.host, chosen.port)
    try:
        if on_listening is not None:
            on_listening(listening.getsockname()[1])
        if chosen.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
    if not server.started and chosen.workers == 1:
        sys.exit(3)
