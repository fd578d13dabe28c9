"""`gaugeway serve`: from flags to a running server, with a banner that says all one needs."""

from __future__ import annotations

import errno
from contextlib import closing
from typing import Annotated

import msgspec

from gaugeway import app
from gaugeway.cli.banner import Banner, print_banner
from gaugeway.cli.options import ConfigFile, DataFolder, flag, load_settings
from gaugeway.cli.output import print_warning
from gaugeway.core.settings import Settings
from gaugeway.stores import open_stores

SHOWN_GATEWAYS = 100


def serve(
    *,
    config: ConfigFile = None,
    data: DataFolder = None,
    host: Annotated[str | None, flag("host", "ADDRESS")] = None,
    port: Annotated[int | None, flag("port", "PORT")] = None,
    workers: Annotated[int | None, flag("workers", "N")] = None,
    public_url: Annotated[str | None, flag("public_url", "URL")] = None,
    account_id: Annotated[str | None, flag("account_id", "ID")] = None,
    bootstrap_email: Annotated[str | None, flag("bootstrap_email", "EMAIL")] = None,
    upstreams: Annotated[list[str] | None, flag("upstreams", "SLUG=URL")] = None,
    private_upstreams: Annotated[list[str] | None, flag("private_upstreams", "HOST|CIDR")] = None,
    max_request_body: Annotated[int | None, flag("max_request_body", "BYTES")] = None,
    max_socket_message: Annotated[int | None, flag("max_socket_message", "BYTES")] = None,
    max_log_body: Annotated[int | None, flag("max_log_body", "BYTES")] = None,
    max_header_bytes: Annotated[int | None, flag("max_header_bytes", "BYTES")] = None,
    log_queue_bytes: Annotated[int | None, flag("log_queue_bytes", "BYTES")] = None,
    cache_bytes: Annotated[int | None, flag("cache_bytes", "BYTES")] = None,
    connect_timeout: Annotated[float | None, flag("connect_timeout", "SECONDS")] = None,
    first_byte_timeout: Annotated[float | None, flag("first_byte_timeout", "SECONDS")] = None,
    idle_timeout: Annotated[float | None, flag("idle_timeout", "SECONDS")] = None,
    circuit_breaker_failures: Annotated[int | None, flag("circuit_breaker_failures", "COUNT")] = None,
    circuit_breaker_seconds: Annotated[float | None, flag("circuit_breaker_seconds", "SECONDS")] = None,
    shutdown_timeout: Annotated[int | None, flag("shutdown_timeout", "SECONDS")] = None,
    connector: Annotated[str | None, flag("connector", "NAME")] = None,
    python_evaluators: Annotated[bool | None, flag("python_evaluators")] = None,
) -> None:
    """Start the gateway: data plane, management API and evaluations, until Ctrl-C.

    Each setting is a flag here, a GAUGEWAY_* variable in the environment and a line in gaugeway.toml; the flag
    wins over the environment, the environment over the file. The first token's text can only be given as
    GAUGEWAY_BOOTSTRAP_TOKEN or in the file, as a command line can be read by everybody on the machine.
    """
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = load_settings(config, **flags)
    try:
        # The first token is made only when nothing stands in the way of showing it.
        app.serve(settings, on_listening=lambda port: announce(msgspec.structs.replace(settings, port=port)))
    except app.CannotListen as problem:
        raise app.CannotListen(why_not(settings.host, settings.port, problem)) from problem


def announce(settings: Settings) -> None:
    """Make what a first start makes, and tell what there is."""
    first = app.first_start(settings)
    with closing(open_stores(settings.data)) as stores:
        page = stores.gateways.list(first.account_id, search=None, offset=0, limit=SHOWN_GATEWAYS)
    print_banner(Banner(settings=settings, first=first, gateway_ids=[gateway.id for gateway in page.items]))
    if _is_loopback(settings.host):
        return
    print_warning(
        f"listening on {settings.host}, not only for this machine, and without TLS: tokens and prompts pass"
        " readable unless a proxy with TLS stands before it"
    )
    unguarded = [gateway.id for gateway in page.items if not gateway.authentication]
    if unguarded:
        shown = ", ".join(unguarded[:5]) + (f" and {len(unguarded) - 5} more" if len(unguarded) > 5 else "")
        print_warning(f"whoever reaches it can send requests through gateways without authentication: {shown}")


def why_not(host: str, port: int, problem: app.CannotListen) -> str:
    """Why an address cannot be listened on, and what to do about it."""
    cause = problem.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    if number is not None and number < 0:  # a resolver's error number
        return f"{host!r} is neither an address nor a name that can be resolved; set --host or GAUGEWAY_HOST"
    if number == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another process; stop it, or choose another with --port or"
            " GAUGEWAY_PORT (0 takes a free one)"
        )
    if number == errno.EACCES:
        return f"this user may not listen on port {port}; choose one above 1023 with --port or GAUGEWAY_PORT"
    if number == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; set --host or GAUGEWAY_HOST"
    return str(problem)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
