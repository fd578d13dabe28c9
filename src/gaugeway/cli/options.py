"""Settings as flags, and the way from flags to settings. The words come from the settings themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import typer
from msgspec import Meta, Struct
from typer.models import OptionInfo

from gaugeway.cli.client import Management
from gaugeway.cli.output import print_warning
from gaugeway.core.errors import BadInput
from gaugeway.core.settings import PREFIX, BadSetting, Settings, load

NOTHING = "-"
"""A default that is none: not set, or an empty list."""
_SEEN = "a command line can be read by everybody on the machine"
WITHOUT_FLAG = {"bootstrap_token": _SEEN, "master_key": _SEEN, "previous_master_key": _SEEN}
"""Settings that cannot be given as a flag, and why."""


class Described(Struct, frozen=True):
    """A setting in words."""

    name: str
    variable: str
    flag: str | None  # None: it has none
    default: str
    meaning: str


@cache
def describe() -> tuple[Described, ...]:
    """Every setting, in the order it is declared."""
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(
        Described(
            name=field.name,
            variable=PREFIX + field.name.upper(),
            flag=None if field.name in WITHOUT_FLAG else "--" + field.name.replace("_", "-"),
            default=_default(field),
            meaning=_meaning(hints[field.name]),
        )
        for field in msgspec.structs.fields(Settings)
    )


def flag(name: str, metavar: str | None = None) -> OptionInfo:
    """The option of a setting; its help is the setting's meaning."""
    setting = next(setting for setting in describe() if setting.name == name)
    if setting.flag is None:
        raise LookupError(f"{name} has no flag: {WITHOUT_FLAG[name]}")
    meaning = setting.meaning.replace(" JSON in the environment.", " May be repeated.")
    meaning = meaning.replace(" Comma-separated in the environment.", " May be repeated.")
    shown = f" Default: {setting.default}." if setting.default != NOTHING else ""
    return typer.Option(setting.flag, metavar=metavar, help=meaning + shown, show_default=False)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value: object = field.default
    if value is msgspec.NODEFAULT or value is None:
        return NOTHING  # made by a factory (an empty list or map), or not set
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(hint: object) -> str:
    if get_origin(hint) is Annotated:
        for part in get_args(hint)[1:]:
            if isinstance(part, Meta) and part.description:
                return part.description
    raise LookupError(f"a setting without a description: {hint!r}")


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file with settings. Default: gaugeway.toml in the working directory, if there is one.",
        show_default=False,
    ),
]
DataFolder = Annotated[str | None, flag("data", "DIR")]
LOCAL = "http://127.0.0.1:8787/client/v4"
BaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar=["GAUGEWAY_BASE_URL", "CLOUDFLARE_BASE_URL"],
        metavar="URL",
        help=f"The management API. Default: {LOCAL}.",
        show_default=False,
    ),
]
ApiToken = Annotated[
    str | None,
    typer.Option(
        envvar=["GAUGEWAY_API_TOKEN", "CLOUDFLARE_API_TOKEN"],
        metavar="TEXT",
        help="An API token with the permission write.",
        show_default=False,
    ),
]
AccountId = Annotated[
    str | None,
    typer.Option(
        envvar=["GAUGEWAY_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID"],
        metavar="ID",
        help="The account, as `gaugeway serve` shows it.",
        show_default=False,
    ),
]


def connect(base_url: str | None, token: str | None, account: str | None) -> Management:
    """The management API that the options name; raises BadInput where one is missing."""
    if not token:
        raise BadInput("--token is missing; or set GAUGEWAY_API_TOKEN (`gaugeway token create` makes one)")
    if not account:
        raise BadInput("--account is missing; or set GAUGEWAY_ACCOUNT_ID (`gaugeway serve` shows it)")
    return Management(base_url or LOCAL, token, account)


MarkdownFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a report in Markdown.", dir_okay=False)
]
JUnitFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a report in JUnit's XML.", dir_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def load_settings(config: Path | None, **flags: Any) -> Settings:
    """Settings from the flags given, the environment and the file; raises BadSetting.

    Warns of variables that mean to be settings and are none.
    """
    given = {name: value for name, value in flags.items() if value not in (None, [])}
    if "upstreams" in given:
        given["upstreams"] = _upstreams(given["upstreams"])
    if "private_upstreams" in given:
        given["private_upstreams"] = [
            host.strip() for item in given["private_upstreams"] for host in item.split(",") if host.strip()
        ]
    settings = load(given, file=config)
    for warning in unknown_variables(os.environ):
        print_warning(warning)
    return settings


def _upstreams(items: list[str]) -> dict[str, str]:
    upstreams: dict[str, str] = {}
    for item in items:
        slug, equals, url = item.partition("=")
        if not (slug and equals and url):
            raise BadSetting(f"--upstreams: expected SLUG=URL, not {item!r}")
        if slug in upstreams:
            raise BadSetting(f"--upstreams: {slug!r} is given twice")
        upstreams[slug] = url
    return upstreams


CLIENT_VARIABLES = frozenset({"GAUGEWAY_BASE_URL", "GAUGEWAY_API_TOKEN"})
"""What `gaugeway evaluate` and `compare` read beside the settings."""


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each GAUGEWAY_* variable that is none: most likely a misspelt setting."""
    known = {setting.variable for setting in describe()} | CLIENT_VARIABLES
    sentences: list[str] = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            nearest = get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            sentences.append(f"{name} in the environment is no setting and does nothing{hint}")
    return sentences
