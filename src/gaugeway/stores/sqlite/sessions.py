"""Signed-in browsers in `state.db`. The foreign key ends a session together with its token."""

from __future__ import annotations

from gaugeway.core.errors import NotFound
from gaugeway.core.model import Session, Token
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row

_TOKENS = Documents(Token)
_FIND = """
SELECT sessions.token_id, sessions.created_at, sessions.expires_at, tokens.document
FROM sessions JOIN tokens ON tokens.id = sessions.token_id WHERE sessions.sha256 = ?
"""
_KEEP_NEWEST = """
DELETE FROM sessions WHERE token_id = :token AND seq NOT IN
  (SELECT seq FROM sessions WHERE token_id = :token ORDER BY seq DESC LIMIT :keep)
"""


class SqliteSessions:
    """A SessionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, session: Session, *, keep: int) -> None:
        """See SessionStore."""
        with self._database.writing() as connection:
            if not has_row(connection, "SELECT 1 FROM tokens WHERE id = ?", (session.token_id,)):
                raise NotFound("the token of this session was revoked")
            connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (session.created_at,))
            connection.execute(
                "INSERT INTO sessions(sha256, token_id, created_at, expires_at) VALUES(?, ?, ?, ?)",
                (session.sha256, session.token_id, session.created_at, session.expires_at),
            )
            connection.execute(_KEEP_NEWEST, {"token": session.token_id, "keep": keep})

    def find(self, sha256: bytes) -> tuple[Session, Token] | None:
        """See SessionStore."""
        rows = self._database.rows(_FIND, (sha256,))
        if not rows:
            return None
        token_id, created_at, expires_at, document = rows[0]
        session = Session(sha256=sha256, token_id=token_id, created_at=created_at, expires_at=expires_at)
        return session, _TOKENS.decode(document)

    def delete(self, sha256: bytes) -> None:
        """See SessionStore."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE sha256 = ?", (sha256,))
