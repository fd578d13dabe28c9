"""Where records live: `open_stores` chooses the adapters by the data folder's URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from gaugeway.core.ports import (
    AccountStore,
    CacheStore,
    ConfigStore,
    CounterStore,
    CustomProviderStore,
    DatasetStore,
    EvaluationStore,
    GatewayStore,
    LogStore,
    TokenStore,
)
from gaugeway.core.settings import BadSetting, Settings

DEFAULT_CACHE_BYTES = Settings().cache_bytes
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)


class Stores(Struct, frozen=True, kw_only=True):
    """Every store of one installation, open. `close` them when nothing uses them any more."""

    accounts: AccountStore
    tokens: TokenStore
    gateways: GatewayStore
    custom_providers: CustomProviderStore
    datasets: DatasetStore
    evaluations: EvaluationStore
    logs: LogStore
    config: ConfigStore
    counters: CounterStore
    cache: CacheStore
    close: Callable[[], None]


def open_stores(data: str | Path, *, cache_bytes: int = DEFAULT_CACHE_BYTES) -> Stores:
    """The stores in a folder, given by its path or as `sqlite:PATH`; made where there is none yet.

    `cache_bytes` is what this process's `cache.put` makes the cache hold at most.

    Raises BadSetting for an address that is not understood, StoreUnusable where the folder cannot be used.
    """
    from gaugeway.stores.sqlite.opening import open_sqlite

    return open_sqlite(folder_of(data), cache_bytes)


def folder_of(data: str | Path) -> Path:
    """The folder that an address names; raises BadSetting. Makes nothing."""
    if isinstance(data, Path):
        return data
    match = _SCHEME.fullmatch(data)
    if match is None:
        path = data
    elif match[1].lower() == "sqlite":
        path = _path_of_url(match[2], data)
    else:
        raise BadSetting(
            f"data: {data!r} names a store of the kind {match[1]!r}. Supported are a folder's path and"
            f" sqlite:PATH (a folder whose name has a colon: ./{data})"
        )
    if not path.strip() or "\0" in path:
        raise BadSetting(f"data: {data!r} names no folder")
    return Path(path).expanduser()


def _path_of_url(rest: str, data: str) -> str:
    if rest.startswith("//"):
        rest = rest[2:]
        if not rest.startswith("/"):
            raise BadSetting(
                f"data: {data!r} names a host, and there is none. Write sqlite:relative/path or sqlite:///absolute"
            )
    if "?" in rest or "#" in rest:
        raise BadSetting(f"data: {data!r} has options after the path; a sqlite: address takes none")
    return unquote(rest)
