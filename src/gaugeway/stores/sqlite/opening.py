"""All stores of a data folder, opened together."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

from gaugeway.stores import Stores
from gaugeway.stores.sealing import Vault
from gaugeway.stores.sqlite.accounts import SqliteAccounts
from gaugeway.stores.sqlite.all_logs import AllLogs
from gaugeway.stores.sqlite.annotations import SqliteAnnotations
from gaugeway.stores.sqlite.cache import SqliteCache
from gaugeway.stores.sqlite.config_version import ConfigVersion
from gaugeway.stores.sqlite.counters import Counters
from gaugeway.stores.sqlite.custom_providers import SqliteCustomProviders
from gaugeway.stores.sqlite.custom_types import SqliteCustomTypes
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.datasets import SqliteDatasets
from gaugeway.stores.sqlite.documents import add_functions
from gaugeway.stores.sqlite.eval_files import SqliteEvalFiles
from gaugeway.stores.sqlite.evals import SqliteEvals
from gaugeway.stores.sqlite.evaluations import SqliteEvaluations
from gaugeway.stores.sqlite.flight_locks import FileFlightLocks
from gaugeway.stores.sqlite.gateways import SqliteGateways
from gaugeway.stores.sqlite.items import SqliteItems
from gaugeway.stores.sqlite.keyed_counters import KeyedCounters
from gaugeway.stores.sqlite.ledger import SqliteLedger
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.monitors import SqliteMonitors
from gaugeway.stores.sqlite.notices import SqliteNotices
from gaugeway.stores.sqlite.price_rules import SqlitePriceRules
from gaugeway.stores.sqlite.provider_configs import SqliteProviderConfigs
from gaugeway.stores.sqlite.replays import SqliteReplays
from gaugeway.stores.sqlite.routes import SqliteRoutes
from gaugeway.stores.sqlite.sessions import SqliteSessions
from gaugeway.stores.sqlite.shadows import SqliteShadows
from gaugeway.stores.sqlite.snapshots import SqliteSnapshots
from gaugeway.stores.sqlite.tokens import SqliteTokens
from gaugeway.stores.sqlite.verdicts import SqliteVerdicts

MIGRATIONS = files("gaugeway.stores.sqlite") / "migrations"


def open_state(folder: Path) -> Database:
    """`state.db`: what is set up and to be done. Durable: a token that was revoked stays so in a power cut."""
    return Database(folder / "state.db", MIGRATIONS / "state", durable=True, prepare=add_functions)


def open_sqlite(folder: Path, cache_bytes: int, vault: Vault) -> Stores:
    """Every store of a data folder."""
    with ExitStack() as opened:
        state = open_state(folder)
        opened.callback(state.close)
        config = ConfigVersion(state, folder / "config.version")
        opened.callback(config.close)
        live = SqliteLogStore(folder)
        logs = AllLogs(live, folder)
        opened.callback(logs.close)
        counters = Counters(folder)
        opened.callback(counters.close)
        keyed_counters = KeyedCounters(folder)
        opened.callback(keyed_counters.close)
        cache = SqliteCache(folder, cache_bytes)
        opened.callback(cache.close)
        flight_locks = FileFlightLocks(folder)
        opened.callback(flight_locks.close)
        ledger = SqliteLedger(folder)
        opened.callback(ledger.close)
        return Stores(
            accounts=SqliteAccounts(state, config),
            tokens=SqliteTokens(state, config),
            sessions=SqliteSessions(state),
            gateways=SqliteGateways(state, config),
            custom_providers=SqliteCustomProviders(state, config),
            routes=SqliteRoutes(state, config),
            datasets=SqliteDatasets(state),
            evaluations=SqliteEvaluations(state),
            items=SqliteItems(state),
            annotations=SqliteAnnotations(state),
            evals=SqliteEvals(state),
            eval_files=SqliteEvalFiles(state),
            custom_types=SqliteCustomTypes(state),
            verdicts=SqliteVerdicts(state),
            snapshots=SqliteSnapshots(state),
            frozen_scopes=logs.frozen_scopes,
            replays=SqliteReplays(state),
            monitors=SqliteMonitors(state, vault),
            notices=SqliteNotices(state, vault),
            shadows=SqliteShadows(state),
            logs=logs,
            analytics=live.analytics,
            columns=live.columns,
            config=config,
            counters=counters,
            keyed_counters=keyed_counters,
            cache=cache,
            flight_locks=flight_locks,
            ledger=ledger,
            price_rules=SqlitePriceRules(state, config),
            provider_configs=SqliteProviderConfigs(state, config, vault),
            close=opened.pop_all().close,
        )
