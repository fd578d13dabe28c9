"""The settings: flags win over the environment (`GAUGEWAY_*`), the environment over `gaugeway.toml`.

The only module that reads the environment. Each setting is described once, here; `docs/settings.md` is
checked against it.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from gaugeway.core.errors import GaugewayError
from gaugeway.core.ids import is_account_id

PREFIX = "GAUGEWAY_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadSetting(GaugewayError):
    """A setting that cannot be used: which, from where, and what is wanted."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything an operator can set."""

    data: Annotated[str, Meta(description="The folder everything is kept in.")] = "./gaugeway-data"
    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on; 0 takes a free one.")] = 8787
    workers: Annotated[int, Meta(ge=1, le=256, description="Server processes.")] = 1
    public_url: Annotated[
        str | None,
        Meta(description="The address clients reach this server by, where it differs (behind a proxy)."),
    ] = None
    account_id: Annotated[
        str | None, Meta(description="The default account's id, 32 lower-case hex digits; else one is made.")
    ] = None
    bootstrap_token: Annotated[
        str | None,
        Meta(description="The first token's text, at least 32 characters; else one is made and printed once."),
    ] = None
    bootstrap_email: Annotated[
        str, Meta(description="The first token's owner, for X-Auth-Email with X-Auth-Key.")
    ] = "admin@localhost"
    master_key: Annotated[
        str | None,
        Meta(
            description="What stored provider keys are sealed with, 32 bytes in base64 or hex digits; else the file"
            " master.key in the data folder is made."
        ),
    ] = None
    previous_master_key: Annotated[
        str | None, Meta(description="The master key before, until `gaugeway key rotate` has sealed all keys anew.")
    ] = None
    upstreams: Annotated[
        dict[str, str],
        Meta(description="Provider slug → base URL to use instead of the provider's own. JSON in the environment."),
    ] = field(default_factory=dict[str, str])
    private_upstreams: Annotated[
        list[str],
        Meta(
            description="Hosts and CIDRs on loopback, private or link-local addresses that requests may go to."
            " Comma-separated in the environment. These may also use plain http."
        ),
    ] = field(default_factory=list[str])
    max_request_body: Annotated[int, Meta(ge=1024, description="Bytes of a request body; larger ones get 413.")] = (
        100 * 1024 * 1024
    )
    max_socket_message: Annotated[
        int,
        Meta(ge=1024, description="Bytes of a message in a WebSocket to a provider; larger ones end it (1009)."),
    ] = 16 * 1024 * 1024
    max_log_body: Annotated[
        int, Meta(ge=0, description="Bytes of a body that a log keeps; the rest is cut, and marked so.")
    ] = 4 * 1024 * 1024
    max_header_bytes: Annotated[
        int, Meta(ge=1024, description="Bytes of a request's line and headers; larger ones get 431.")
    ] = 64 * 1024
    log_queue_bytes: Annotated[
        int,
        Meta(ge=1024 * 1024, description="Bytes of logs that a worker may hold while the store is behind."),
    ] = 64 * 1024 * 1024
    cache_bytes: Annotated[
        int,
        Meta(
            ge=32 * 1024 * 1024,
            description="Bytes of answers that the cache keeps; those not used for longest make room.",
        ),
    ] = 1024 * 1024 * 1024
    connect_timeout: Annotated[float, Meta(gt=0, description="Seconds to connect to an upstream.")] = 10.0
    first_byte_timeout: Annotated[float, Meta(gt=0, description="Seconds until an upstream's answer begins.")] = (
        600.0
    )
    idle_timeout: Annotated[float, Meta(gt=0, description="Seconds of silence within an upstream's answer.")] = (
        300.0
    )
    circuit_breaker_failures: Annotated[
        int,
        Meta(ge=0, description="Failures in a row after which an upstream is left alone for a while; 0: never."),
    ] = 0
    circuit_breaker_seconds: Annotated[
        float, Meta(gt=0, description="Seconds that it is left alone, before one request tries it again.")
    ] = 30.0
    shutdown_timeout: Annotated[
        int, Meta(ge=0, description="Seconds that requests in flight get when the server is stopped.")
    ] = 30
    connector: Annotated[
        str, Meta(pattern="^(native|aiohttp)$", description="What speaks to upstreams: native or aiohttp.")
    ] = "native"

    python_evaluators: Annotated[
        bool,
        Meta(description="Whether Python that users write is run, in a sandbox, to evaluate; see evaluators.md."),
    ] = False

    def private_networks(self) -> tuple[Network, ...]:
        """The CIDRs (and plain addresses) among private_upstreams."""
        return tuple(network for item in self.private_upstreams if (network := _network(item)) is not None)

    def private_hosts(self) -> frozenset[str]:
        """The host names among private_upstreams, lower-case."""
        return frozenset(item.lower() for item in self.private_upstreams if _network(item) is None)


def load(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Settings from flags (None values are unset), the environment and a TOML file; raises BadSetting.

    `file` None: `gaugeway.toml` in the working directory, if there is one.
    """
    environment = os.environ if environment is None else environment
    merged: dict[str, tuple[Any, str]] = {}
    for name, value in _read_file(file).items():
        merged[name] = (value, "gaugeway.toml" if file is None else str(file))
    for name in Settings.__struct_fields__:
        variable = PREFIX + name.upper()
        if variable in environment:
            merged[name] = (_from_text(name, environment[variable], variable), variable)
    for name, value in (flags or {}).items():
        if value is not None:
            merged[name] = (value, "--" + name.replace("_", "-"))
    return _checked(merged)


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as GAUGEWAY_* variables, for a child process that must see the same ones."""
    variables: dict[str, str] = {}
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if value is None:
            continue
        if name == "upstreams":
            value = msgspec.json.encode(value).decode()
        elif name == "private_upstreams":
            value = ",".join(value)
        variables[PREFIX + name.upper()] = str(value)
    return variables


def key_bytes(text: str) -> bytes | None:
    """The 32 bytes that a master key's text stands for; None where it stands for none."""
    text = text.strip()
    try:
        key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return key if len(key) == 32 else None


def _network(item: str) -> Network | None:
    try:
        return ipaddress.ip_network(item.strip("[]"), strict=False)
    except ValueError:
        return None


def _read_file(file: Path | None) -> dict[str, Any]:
    path = file or Path("gaugeway.toml")
    if file is None and not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadSetting(f"{path}: cannot be read: {problem}") from problem
    unknown = sorted(set(content) - set(Settings.__struct_fields__))
    if unknown:
        known = ", ".join(Settings.__struct_fields__)
        raise BadSetting(f"{path}: there is no setting {unknown[0]!r}. The settings are: {known}")
    return content


def _from_text(name: str, text: str, variable: str) -> Any:
    if name == "upstreams":
        try:
            return msgspec.json.decode(text or "{}", type=dict[str, str])
        except msgspec.MsgspecError as problem:
            raise BadSetting(f"{variable}: expected a JSON object of slug to base URL: {problem}") from problem
    if name == "private_upstreams":
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def _checked(merged: Mapping[str, tuple[Any, str]]) -> Settings:
    for name, (value, source) in merged.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as problem:
            wanted = str(problem).partition(" - at `$")[0]  # the source says where
            raise BadSetting(f"{source}: {wanted}") from problem
    settings = msgspec.convert({name: value for name, (value, _) in merged.items()}, Settings, strict=False)
    _check_meaning(settings, {name: source for name, (_, source) in merged.items()})
    return settings


def _check_meaning(settings: Settings, sources: Mapping[str, str]) -> None:
    def wrong(name: str, message: str) -> BadSetting:
        return BadSetting(f"{sources.get(name, name)}: {message}")

    if settings.account_id is not None and not is_account_id(settings.account_id):
        raise wrong("account_id", "expected 32 lower-case hex digits")
    if settings.bootstrap_token is not None and len(settings.bootstrap_token) < 32:
        raise wrong("bootstrap_token", "expected at least 32 characters; a short one can be guessed")
    for name in ("master_key", "previous_master_key"):
        text = getattr(settings, name)
        if text is not None and key_bytes(text) is None:
            raise wrong(name, "expected 32 bytes in base64 or hex digits, as `openssl rand -base64 32` makes them")
    for slug, url in settings.upstreams.items():
        if not url.startswith(("http://", "https://")):
            raise wrong("upstreams", f"the base URL of {slug!r} must begin with http:// or https://, not {url!r}")
