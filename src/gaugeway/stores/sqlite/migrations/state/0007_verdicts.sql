-- What judges have said, so that the same question is not paid for twice.
CREATE TABLE verdicts(
  account_id TEXT NOT NULL,
  key BLOB NOT NULL,  -- SHA-256 of everything that was asked, and of whom
  given_at INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  PRIMARY KEY(account_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_by_age ON verdicts(given_at);
