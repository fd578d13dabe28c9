-- Snapshots of datasets. Their frozen logs are in a log store of their own (folder `snapshots`).
CREATE TABLE snapshots(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,  -- which may be gone
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  queued INTEGER NOT NULL,  -- 1: to be made, or being made
  erasing INTEGER NOT NULL DEFAULT 0,  -- 1: frozen logs of holes may still be there
  owner TEXT,  -- who makes it now
  lease_until INTEGER,  -- Unix ms from which anybody may take it over
  frozen TEXT NOT NULL,  -- the gateway id of its scope in the log store
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, dataset_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX snapshots_by_age ON snapshots(account_id, gateway_id, dataset_id, created_at);
CREATE INDEX snapshots_to_make ON snapshots(created_at) WHERE queued = 1;

CREATE TABLE snapshot_items(
  snapshot INTEGER NOT NULL REFERENCES snapshots(seq) ON DELETE CASCADE,
  log BLOB NOT NULL,
  hash BLOB NOT NULL,
  erased INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(snapshot, log)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_holes ON snapshot_items(snapshot, log) WHERE erased = 1;

-- What items should have been answered, as it was at each version: the newest up to it counts.
CREATE TABLE snapshot_answers(
  snapshot INTEGER NOT NULL REFERENCES snapshots(seq) ON DELETE CASCADE,
  log BLOB NOT NULL,
  version INTEGER NOT NULL,
  hash BLOB,  -- of the answer; NULL: from here on there is none
  answer TEXT,  -- NULL too where the item was erased
  PRIMARY KEY(snapshot, log, version)
) STRICT, WITHOUT ROWID;
