"""What `gaugeway serve` says when it starts: addresses, the folder, the first token, how to point clients here."""

from __future__ import annotations

import shlex

from msgspec import Struct
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gaugeway import __version__
from gaugeway.app import FirstStart
from gaugeway.cli.output import console, printable
from gaugeway.core.settings import Settings

EXAMPLE_GATEWAY = "my-gateway"
SHOWN_ONCE = "This is the only time it is shown: only its hash is kept. Keep it like a password."


class Banner(Struct, frozen=True, kw_only=True):
    """What there is to say."""

    settings: Settings
    first: FirstStart
    gateway_ids: list[str]  # newest first


def base_url(settings: Settings) -> str:
    """Where clients reach the server: the public address where one is set, else one that works on this machine."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def print_banner(banner: Banner) -> None:
    """Print it: a drawing on a terminal, plain `name  value` lines elsewhere."""
    target = console()
    if target.is_terminal:
        _draw(banner, target)
        return
    target.out(f"Gaugeway {__version__}", highlight=False)
    for name, value in _facts(banner):
        target.out(f"{name:<15}  {printable(value)}", highlight=False)
    token = _fresh_token(banner)
    if token:
        target.out(f"{'first token':<15}  {token}", highlight=False)
        target.out(f"{'':<15}  {SHOWN_ONCE}", highlight=False)
    target.out(f"{'to begin':<15}  (copy and paste)", highlight=False)
    for line in _commands(banner):
        target.out(line, highlight=False)
    target.file.flush()


def _fresh_token(banner: Banner) -> str | None:
    """The first token's text where this start made it up; one that the operator gave is not repeated."""
    made_up = banner.first.made_token and banner.settings.bootstrap_token is None
    return banner.first.token_text if made_up else None


def _facts(banner: Banner) -> list[tuple[str, str]]:
    settings, base = banner.settings, base_url(banner.settings)
    facts = [
        ("dashboard", f"{base}/"),
        ("management API", f"{base}/client/v4"),
        ("data plane", f"{base}/v1/{banner.first.account_id}/{{gateway}}/{{provider}}/…"),
        ("API docs", f"{base}/docs"),
        ("account", banner.first.account_id),
        ("data folder", str(banner.first.data)),
    ]
    if settings.workers > 1:
        facts.append(("workers", str(settings.workers)))
    if settings.bootstrap_token is not None:
        facts.append(("first token", "as given in GAUGEWAY_BOOTSTRAP_TOKEN"))
    return facts


def _commands(banner: Banner) -> list[str]:
    """Lines for a shell: a gateway (where there is none), an OpenAI client, a Cloudflare client."""
    base, first = base_url(banner.settings), banner.first
    gateway = banner.gateway_ids[0] if banner.gateway_ids else EXAMPLE_GATEWAY
    token = _fresh_token(banner) or "YOUR_TOKEN"
    account = f"CLOUDFLARE_ACCOUNT_ID={first.account_id}"
    lines = [
        f"export OPENAI_BASE_URL={base}/v1/{first.account_id}/{gateway}/openai",
        f"export CLOUDFLARE_BASE_URL={base}/client/v4 CLOUDFLARE_API_TOKEN={token} {account}",
    ]
    if not banner.gateway_ids:
        folder = str(first.data)
        lines.insert(0, f"gaugeway gateway create {EXAMPLE_GATEWAY} --data {shlex.quote(folder)}")
    return lines


def _draw(banner: Banner, target: Console) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(banner):
        facts.add_row(name, Text(printable(value), style="cyan" if "://" in value else ""))
    target.print(Panel(facts, title=f"Gaugeway {__version__}", title_align="left"), soft_wrap=False)
    token = _fresh_token(banner)
    if token:
        target.print(Text.assemble(("first token  ", "bold"), (token, "bold green")))
        target.print(Text(SHOWN_ONCE, style="yellow"))
    target.print()
    target.print(Text("To begin, in another shell:", style="bold"))
    for line in _commands(banner):
        target.print(Text(line, style="cyan"))
    target.print(Text("\nCtrl-C stops it.", style="dim"))
