"""The recorder's hall: `python -m gaugeway.record` wires the stores and the prices to it and serves a data folder.

Server processes start it themselves (`recorder.spawn`), and it leaves when they are gone. Its settings come
from the environment, as theirs do.
"""

from __future__ import annotations

import argparse
import contextlib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from gaugeway.core import settings
from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import LogRecord, Scope
from gaugeway.core.ports import LogStore, Retention
from gaugeway.recorder.address import present
from gaugeway.recorder.losses import write_journal
from gaugeway.recorder.notice import notice
from gaugeway.recorder.process import serve
from gaugeway.recorder.retention import Retentions
from gaugeway.recorder.writing import Parts
from gaugeway.stores import Stores, folder_of, open_stores

if TYPE_CHECKING:
    from gaugeway.core.price_rules import FindRules, KnownRules
    from gaugeway.core.pricing import PriceBook, Priced

NAME = "gaugeway-record"  # at most 15 bytes, for `ps` and `top`


class _Opened:
    """The stores, opened when the first log is to be written: a folder that cannot be opened is tried again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stores: Stores | None = None
        self._retentions: Retentions | None = None

    def logs(self) -> LogStore:
        self._stores = open_stores(self._data)
        self._retentions = Retentions(self._stores.gateways, self._stores.config)
        return self._stores.logs

    def retention(self, scope: Scope) -> Retention:
        if self._retentions is None:
            raise RuntimeError("the stores are not open")
        return self._retentions(scope)

    def price_rules(self, account_id: str) -> KnownRules:
        if self._stores is None:
            raise RuntimeError("the stores are not open")
        return self._stores.price_rules.known(account_id)

    def close(self) -> None:
        if self._stores is not None:
            self._stores.close()


class _Prices:
    """Prices by every provider's own data, loaded with the first log: they cost some 25 MB and 0.3 s."""

    def __init__(self, find_rules: FindRules) -> None:
        self._find_rules = find_rules
        self._book: PriceBook | None = None
        self._problem: GaugewayError | None = None

    def price(self, record: LogRecord) -> Priced:
        return (self._book or self._load()).price(record)

    def saved(self, record: LogRecord) -> Decimal | None:
        return (self._book or self._load()).saved(record)

    def _load(self) -> PriceBook:
        from gaugeway import providers
        from gaugeway.core.pricing import PriceBook

        if self._problem is not None:  # a broken provider package stays broken: do not import it for every log
            raise self._problem
        try:
            found = providers.load()
        except GaugewayError as problem:
            self._problem = problem
            raise
        self._book = PriceBook({slug: provider.price_id for slug, provider in found.items()}, self._find_rules)
        return self._book


def main() -> None:
    """Be the recorder of the settings' data folder."""
    parser = argparse.ArgumentParser(prog="python -m gaugeway.record", description=main.__doc__)
    parser.add_argument("--data", help="the data folder, where it is not the settings'")
    parser.add_argument("--lock-fd", type=int, help="the descriptor that holds the recorder's lock (internal)")
    arguments = parser.parse_args()
    try:
        data = folder_of(settings.load({"data": arguments.data}).data).resolve()
    except GaugewayError as problem:
        parser.error(str(problem))
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(NAME)
    opened = _Opened(data)
    prices = _Prices(opened.price_rules)
    parts = Parts(
        open_store=opened.logs,
        retention=opened.retention,
        price=prices.price,
        saved=prices.saved,
        note_losses=lambda losses: write_journal(data, losses),
        living=lambda: present(data),
        say=notice,
    )
    try:
        serve(data, parts, arguments.lock_fd)
    finally:
        opened.close()


if __name__ == "__main__":
    main()
