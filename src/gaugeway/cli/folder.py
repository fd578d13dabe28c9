"""The stores of a data folder, for an operator's commands. A running server sees each change at once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Account
from gaugeway.core.settings import Settings
from gaugeway.stores import Stores, folder_of, open_stores


@contextmanager
def opened(settings: Settings) -> Generator[tuple[Stores, Account]]:
    """The stores in the data folder and the account to work on; raises NotFound where nothing was ever started.

    Never makes a data folder: a mistyped path must not look like an empty installation.
    """
    folder = folder_of(settings.data)
    missing = NotFound(
        f"there is no Gaugeway data in {folder.resolve()}; check --data or GAUGEWAY_DATA,"
        " or start `gaugeway serve` there once"
    )
    if not folder.is_dir() or not any(folder.iterdir()):
        raise missing
    previous = settings.previous_master_key
    with closing(open_stores(folder, master_key=settings.master_key, previous_master_key=previous)) as stores:
        accounts = stores.accounts.list()
        if not accounts:
            raise missing
        yield stores, _chosen(accounts, settings.account_id)


def _chosen(accounts: list[Account], account_id: str | None) -> Account:
    if account_id is None:
        return accounts[0]
    for account in accounts:
        if account.id == account_id:
            return account
    raise BadInput(f"there is no account {account_id} here; there is: {', '.join(a.id for a in accounts)}")
