"""`gaugeway token`: API tokens. Their text is shown once, when they are made; only its hash is kept."""

from __future__ import annotations

import re
import secrets
import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from gaugeway.cli.banner import SHOWN_ONCE
from gaugeway.cli.folder import opened
from gaugeway.cli.options import AsJson, ConfigFile, DataFolder, load_settings
from gaugeway.cli.output import Column, console, print_json, print_note, print_table, shown_time
from gaugeway.core.credentials import RANDOM_BYTES, hash_of, token_text
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Permission, Token
from gaugeway.core.timestamps import from_rfc3339, to_rfc3339

_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
MAX_NAME = 256


class Grant(StrEnum):
    """A permission's short name."""

    READ = "read"
    WRITE = "write"
    RUN = "run"

    @property
    def permission(self) -> Permission:
        """The permission it stands for."""
        return Permission[self.name]


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.", show_default=False)],
    *,
    permission: Annotated[
        list[Grant] | None,
        typer.Option(
            metavar="read|write|run",
            help="What it may do; may be repeated. write includes read; run is for the data plane."
            " Default: all three.",
            show_default=False,
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN|TIME",
            help="When it ends: a span (12h, 30d, 8w), a date or an RFC 3339 time. Default: never.",
            show_default=False,
        ),
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL",
            help="Its owner, for X-Auth-Email with X-Auth-Key. Default: the bootstrap_email setting.",
            show_default=False,
        ),
    ] = None,
    data: DataFolder = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token and show its text, once."""
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise BadInput(f"NAME: expected 1 to {MAX_NAME} characters")
    now = time.time_ns() // 1_000_000
    expires_at = None if expires is None else parse_expiry(expires, now)
    settings = load_settings(config, data=data)
    text = token_text(secrets.token_bytes(RANDOM_BYTES))
    with opened(settings) as (stores, account):
        made = Token(
            id=secrets.token_hex(16),
            account_id=account.id,
            name=name.strip(),
            sha256=hash_of(text),
            permissions=tuple(dict.fromkeys(grant.permission for grant in permission or list(Grant))),
            email=email or settings.bootstrap_email,
            created_at=now,
            expires_at=expires_at,
        )
        stores.tokens.create(made)
    if as_json:
        print_json(_shown(made, now) | {"token": text})
        return
    print_table(_COLUMNS, [_row(made, now)])
    console().out(f"token  {text}", highlight=False)
    print_note(SHOWN_ONCE)


def show(data: DataFolder = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the API tokens. Their texts are not kept and cannot be shown."""
    now = time.time_ns() // 1_000_000
    with opened(load_settings(config, data=data)) as (stores, account):
        tokens = stores.tokens.list(account.id)
    if as_json:
        print_json([_shown(token, now) for token in tokens])
    else:
        print_table(_COLUMNS, [_row(token, now) for token in tokens])


def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="The token's id, from `token list`.", show_default=False)
    ],
    data: DataFolder = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Revoke an API token: from now on it opens nothing."""
    with opened(load_settings(config, data=data)) as (stores, account):
        try:
            gone = stores.tokens.revoke(account.id, token_id)
        except NotFound as problem:
            raise NotFound(f"there is no token {token_id}; `gaugeway token list` shows them") from problem
    if as_json:
        print_json(_shown(gone, time.time_ns() // 1_000_000) | {"status": "revoked"})
    else:
        print_note(f"token {gone.id} ({gone.name}) is revoked")


def parse_expiry(text: str, now_ms: int) -> int:
    """Unix ms of a span from now (`30d`), a date or a time; raises BadInput where it is none or past."""
    span = _SPAN.fullmatch(text)
    moment = now_ms + int(span[1]) * _MS[span[2]] if span else from_rfc3339(text)
    if moment is None:
        raise BadInput(
            f"--expires: expected a span such as 12h or 30d, a date such as 2030-01-31, or a time, not {text!r}"
        )
    if moment <= now_ms:
        raise BadInput(f"--expires: {to_rfc3339(moment)} is over already")
    return moment


_COLUMNS = (
    Column("id", whole=True),
    Column("name", style="bold"),
    Column("permissions"),
    Column("email"),
    Column("created"),
    Column("expires"),
    Column("status"),
)


def _status(token: Token, now_ms: int) -> str:
    expired = token.expires_at is not None and token.expires_at <= now_ms
    return "expired" if expired else "active"


def _row(token: Token, now_ms: int) -> list[str]:
    return [
        token.id,
        token.name,
        ",".join(permission.name.lower() for permission in token.permissions),
        token.email,
        shown_time(token.created_at),
        "never" if token.expires_at is None else shown_time(token.expires_at),
        _status(token, now_ms),
    ]


def _shown(token: Token, now_ms: int) -> dict[str, Any]:
    return {
        "id": token.id,
        "account_id": token.account_id,
        "name": token.name,
        "permissions": [permission.value for permission in token.permissions],
        "email": token.email,
        "created_at": to_rfc3339(token.created_at),
        "expires_on": None if token.expires_at is None else to_rfc3339(token.expires_at),
        "status": _status(token, now_ms),
    }
