-- Browsers that are signed in. A session is gone in the same transaction as its token.

CREATE TABLE sessions(
  seq INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  token_id TEXT NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_token ON sessions(token_id);
CREATE INDEX sessions_by_expiry ON sessions(expires_at);
