"""All stores of a data folder, opened together."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

from gaugeway.stores import Stores
from gaugeway.stores.sqlite.accounts import SqliteAccounts
from gaugeway.stores.sqlite.cache import SqliteCache
from gaugeway.stores.sqlite.config_version import ConfigVersion
from gaugeway.stores.sqlite.counters import Counters
from gaugeway.stores.sqlite.custom_providers import SqliteCustomProviders
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.datasets import SqliteDatasets
from gaugeway.stores.sqlite.documents import add_functions
from gaugeway.stores.sqlite.evaluations import SqliteEvaluations
from gaugeway.stores.sqlite.gateways import SqliteGateways
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.tokens import SqliteTokens

MIGRATIONS = files("gaugeway.stores.sqlite") / "migrations"


def open_state(folder: Path) -> Database:
    """`state.db`: what is set up and to be done. Durable: a token that was revoked stays so in a power cut."""
    return Database(folder / "state.db", MIGRATIONS / "state", durable=True, prepare=add_functions)


def open_sqlite(folder: Path, cache_bytes: int) -> Stores:
    """Every store of a data folder."""
    with ExitStack() as opened:
        state = open_state(folder)
        opened.callback(state.close)
        config = ConfigVersion(state, folder / "config.version")
        opened.callback(config.close)
        logs = SqliteLogStore(folder)
        opened.callback(logs.close)
        counters = Counters(folder)
        opened.callback(counters.close)
        cache = SqliteCache(folder, cache_bytes)
        opened.callback(cache.close)
        return Stores(
            accounts=SqliteAccounts(state, config),
            tokens=SqliteTokens(state, config),
            gateways=SqliteGateways(state, config),
            custom_providers=SqliteCustomProviders(state, config),
            datasets=SqliteDatasets(state),
            evaluations=SqliteEvaluations(state),
            logs=logs,
            config=config,
            counters=counters,
            cache=cache,
            close=opened.pop_all().close,
        )
