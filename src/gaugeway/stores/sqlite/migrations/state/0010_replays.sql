-- Logged requests that are sent again to other models.
CREATE TABLE replays(
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
CREATE INDEX replays_by_age ON replays(account_id, gateway_id, created_at);
CREATE INDEX replays_to_run ON replays(created_at) WHERE processed = 0;

-- Which logs a replay is about, in an order drawn by lot: what is sent before a cap is reached is a fair sample.
CREATE TABLE replay_plan(
  replay INTEGER NOT NULL REFERENCES replays(seq) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  log BLOB NOT NULL,
  PRIMARY KEY(replay, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE replay_items(
  replay INTEGER NOT NULL REFERENCES replays(seq) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  side INTEGER NOT NULL,  -- 0: what was logged; k: the k-th candidate
  state INTEGER NOT NULL,  -- 0 replayed, 1 failed, 2 skipped, 3 sent, 4 answered
  reason TEXT,
  resent INTEGER NOT NULL,
  marks_failed INTEGER NOT NULL,  -- evaluators that failed on it
  document TEXT NOT NULL,
  PRIMARY KEY(replay, place, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_items_by_state ON replay_items(replay, side, state, place);
