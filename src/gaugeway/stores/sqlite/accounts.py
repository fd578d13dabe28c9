"""Accounts in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import Conflict
from gaugeway.core.model import Account, Token
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.tokens import insert_token

_ACCOUNTS = Documents(Account)


class SqliteAccounts:
    """An AccountStore."""

    def __init__(self, database: Database, witness: CommitWitness) -> None:
        self._database = database
        self._witness = witness

    def create(self, account: Account) -> None:
        """See AccountStore."""
        with self._database.writing(self._witness) as connection:
            _insert(connection, account)

    def bootstrap(self, account: Account, token: Token) -> tuple[Account, bool]:
        """See AccountStore."""
        with self._database.writing(self._witness) as connection:
            first = connection.execute("SELECT document FROM accounts ORDER BY created_at, seq LIMIT 1").fetchall()
            if first:
                return _ACCOUNTS.decode(first[0][0]), False
            _insert(connection, account)
            insert_token(connection, token)
        return account, True

    def get(self, account_id: str) -> Account | None:
        """See AccountStore."""
        return _ACCOUNTS.one(self._database.rows("SELECT document FROM accounts WHERE id = ?", (account_id,)))

    def list(self) -> list[Account]:
        """See AccountStore."""
        rows = self._database.rows("SELECT document FROM accounts ORDER BY created_at, seq")
        return [_ACCOUNTS.decode(row[0]) for row in rows]


def _insert(connection: Connection, account: Account) -> None:
    if has_row(connection, "SELECT 1 FROM accounts WHERE id = ?", (account.id,)):
        raise Conflict(f"there is an account {account.id} already", ("body", "id"))
    connection.execute(
        "INSERT INTO accounts(id, created_at, document) VALUES(?, ?, ?)",
        (account.id, account.created_at, _ACCOUNTS.encode(account)),
    )
