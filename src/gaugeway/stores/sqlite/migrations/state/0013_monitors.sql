-- Live traffic evaluated window by window, and what is told of it.
CREATE TABLE monitors(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER,  -- Unix ms of its next window; null: it is not enabled
  open_evaluation TEXT NOT NULL,  -- of the window that is under way; '': none is
  owner TEXT,  -- who works on it now
  lease_until INTEGER,  -- Unix ms from which anybody may take it over
  document TEXT NOT NULL,
  sealed BLOB,  -- what signs notices to its webhook
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE monitor_windows(
  seq INTEGER PRIMARY KEY,
  monitor INTEGER NOT NULL REFERENCES monitors(seq) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  evaluation_id TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX monitor_windows_by_monitor ON monitor_windows(monitor, seq);

-- What is to be told; kept until it was delivered, and after.
CREATE TABLE notices(
  seq INTEGER PRIMARY KEY,
  monitor INTEGER NOT NULL REFERENCES monitors(seq) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  pending INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  owner TEXT,
  lease_until INTEGER,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX notices_by_monitor ON notices(monitor, seq);
CREATE INDEX notices_due ON notices(due_at) WHERE pending;
