-- What is set up and what is to be done: everything but logs.
-- A record is kept whole in `document` (JSON); the other columns are what it is found and sorted by.
-- `seq` is the order of creation, for records of the same millisecond.

CREATE TABLE accounts(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE TABLE tokens(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  id TEXT NOT NULL UNIQUE,
  sha256 BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX tokens_by_account ON tokens(account_id, created_at);

CREATE TABLE gateways(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE(account_id, id)
) STRICT;
CREATE INDEX gateways_by_age ON gateways(account_id, created_at);

CREATE TABLE custom_providers(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  id TEXT NOT NULL UNIQUE,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER,
  document TEXT NOT NULL,
  UNIQUE(account_id, slug)
) STRICT;

CREATE TABLE datasets(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  enable INTEGER NOT NULL,
  filters TEXT NOT NULL,  -- as people read them, to be searched
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX datasets_by_age ON datasets(account_id, gateway_id, created_at);

CREATE TABLE evaluations(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  processed INTEGER NOT NULL,
  owner TEXT,  -- who runs it now
  lease_until INTEGER,  -- Unix ms from which anybody may take it over
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX evaluations_by_age ON evaluations(account_id, gateway_id, created_at);
CREATE INDEX evaluations_to_run ON evaluations(created_at) WHERE processed = 0;

-- How often accounts, tokens, gateways or custom providers have changed.
CREATE TABLE config(one INTEGER PRIMARY KEY CHECK(one = 1), changes INTEGER NOT NULL) STRICT;
INSERT INTO config VALUES(1, 0);
