"""API tokens in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Token
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_account

_TOKENS = Documents(Token)


class SqliteTokens:
    """A TokenStore."""

    def __init__(self, database: Database, witness: CommitWitness) -> None:
        self._database = database
        self._witness = witness

    def create(self, token: Token) -> None:
        """See TokenStore."""
        with self._database.writing(self._witness) as connection:
            insert_token(connection, token)

    def find(self, sha256: bytes) -> Token | None:
        """See TokenStore."""
        return _TOKENS.one(self._database.rows("SELECT document FROM tokens WHERE sha256 = ?", (sha256,)))

    def list(self, account_id: str) -> list[Token]:
        """See TokenStore."""
        sql = "SELECT document FROM tokens WHERE account_id = ? ORDER BY created_at, seq"
        return [_TOKENS.decode(row[0]) for row in self._database.rows(sql, (account_id,))]

    def revoke(self, account_id: str, token_id: str) -> Token:
        """See TokenStore."""
        sql = "DELETE FROM tokens WHERE account_id = ? AND id = ? RETURNING document"
        with self._database.writing(self._witness) as connection:
            token = _TOKENS.one(connection.execute(sql, (account_id, token_id)).fetchall())
            if token is None:
                raise NotFound(f"there is no token {token_id!r}")
        return token


def insert_token(connection: Connection, token: Token) -> None:
    """Add a token within a transaction: NotFound without its account, Conflict where the id or hash is taken."""
    require_account(connection, token.account_id)
    if has_row(connection, "SELECT 1 FROM tokens WHERE id = ? OR sha256 = ?", (token.id, token.sha256)):
        raise Conflict("there is a token of that id or text already", ("body",))
    connection.execute(
        "INSERT INTO tokens(account_id, id, sha256, created_at, document) VALUES(?, ?, ?, ?, ?)",
        (token.account_id, token.id, token.sha256, token.created_at, _TOKENS.encode(token)),
    )
