"""Where records live: `open_stores` chooses the adapters by the data folder's URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from gaugeway.core.annotations import AnnotationStore
from gaugeway.core.evals import EvalStore
from gaugeway.core.files import EvalFileStore
from gaugeway.core.items import CustomTypeStore, ItemStore
from gaugeway.core.judging import VerdictStore
from gaugeway.core.model import Scope
from gaugeway.core.monitors import MonitorStore
from gaugeway.core.notices import NoticeStore
from gaugeway.core.ports import (
    AccountStore,
    AnalyticsStore,
    CacheStore,
    ConfigStore,
    CounterStore,
    CustomProviderStore,
    DatasetStore,
    EvaluationStore,
    FlightLocks,
    GatewayStore,
    KeyedCounterStore,
    LogStore,
    Projection,
    RouteStore,
    SessionStore,
    TokenStore,
)
from gaugeway.core.price_rules import PriceRuleStore
from gaugeway.core.replays import ReplayStore
from gaugeway.core.settings import BadSetting, Settings, key_bytes
from gaugeway.core.shadows import ShadowStore
from gaugeway.core.snapshots import SnapshotStore
from gaugeway.core.spending import SpendLedger
from gaugeway.core.stored_keys import ProviderConfigStore
from gaugeway.stores.sealing import Vault

DEFAULT_CACHE_BYTES = Settings().cache_bytes
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)


class Stores(Struct, frozen=True, kw_only=True):
    """Every store of one installation, open. `close` them when nothing uses them any more."""

    accounts: AccountStore
    tokens: TokenStore
    sessions: SessionStore
    gateways: GatewayStore
    custom_providers: CustomProviderStore
    routes: RouteStore
    datasets: DatasetStore
    evaluations: EvaluationStore
    items: ItemStore
    annotations: AnnotationStore
    evals: EvalStore
    eval_files: EvalFileStore
    custom_types: CustomTypeStore
    verdicts: VerdictStore
    snapshots: SnapshotStore
    frozen_scopes: Callable[[], Sequence[Scope]]  # those in which snapshots have, or had, frozen logs
    replays: ReplayStore
    monitors: MonitorStore
    notices: NoticeStore
    shadows: ShadowStore
    logs: LogStore
    analytics: AnalyticsStore
    columns: Projection
    config: ConfigStore
    counters: CounterStore
    keyed_counters: KeyedCounterStore
    cache: CacheStore
    flight_locks: FlightLocks
    ledger: SpendLedger
    price_rules: PriceRuleStore
    provider_configs: ProviderConfigStore
    close: Callable[[], None]


def open_stores(
    data: str | Path,
    *,
    cache_bytes: int = DEFAULT_CACHE_BYTES,
    master_key: str | None = None,
    previous_master_key: str | None = None,
) -> Stores:
    """The stores in a folder, given by its path or as `sqlite:PATH`; made where there is none yet.

    `cache_bytes` is what this process's `cache.put` makes the cache hold at most. The master keys, as in the
    settings, are what stored provider keys are sealed with; without one it is a file in the folder.

    Raises BadSetting for an address that is not understood, StoreUnusable where the folder cannot be used.
    """
    from gaugeway.stores.sqlite.opening import open_sqlite

    folder = folder_of(data)
    keys = (None if text is None else key_bytes(text) for text in (master_key, previous_master_key))
    return open_sqlite(folder, cache_bytes, Vault(folder, *keys))


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
