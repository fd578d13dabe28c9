-- Shares of live requests that are also sent to other models.
CREATE TABLE shadows(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  processed INTEGER NOT NULL,
  owner TEXT,  -- who runs it now
  lease_until INTEGER,  -- Unix ms from which anybody may take it over
  looked_until INTEGER,  -- Unix ms: where the last span ends; NULL: there is none
  seen INTEGER NOT NULL DEFAULT 0,  -- logs of the spans that are done
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX shadows_by_age ON shadows(account_id, gateway_id, created_at);
CREATE INDEX shadows_to_run ON shadows(created_at) WHERE processed = 0;

-- The last minutes: logs of the requests that arrived in them may still come.
CREATE TABLE shadow_spans(
  shadow INTEGER NOT NULL REFERENCES shadows(seq) ON DELETE CASCADE,
  low INTEGER NOT NULL,  -- Unix ms
  high INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  looks INTEGER NOT NULL,
  due INTEGER NOT NULL,  -- Unix ms
  PRIMARY KEY(shadow, low)
) STRICT, WITHOUT ROWID;
CREATE INDEX shadow_spans_due ON shadow_spans(shadow, due);

-- Requests that were drawn. Those that were skipped or missed go when no look can draw them again.
CREATE TABLE shadow_plan(
  shadow INTEGER NOT NULL REFERENCES shadows(seq) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  log BLOB NOT NULL,
  state INTEGER NOT NULL,  -- 0 waiting, 1 called, 2 skipped, 3 missed
  PRIMARY KEY(shadow, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shadow_plan_logs ON shadow_plan(shadow, log);
CREATE INDEX shadow_plan_states ON shadow_plan(shadow, state, place);

-- How many were skipped or missed, and why.
CREATE TABLE shadow_ends(
  shadow INTEGER NOT NULL REFERENCES shadows(seq) ON DELETE CASCADE,
  state INTEGER NOT NULL,
  reason TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY(shadow, state, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE shadow_items(
  shadow INTEGER NOT NULL REFERENCES shadows(seq) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  side INTEGER NOT NULL,  -- 0: what was logged; k: the k-th candidate
  state INTEGER NOT NULL,  -- 0 replayed, 1 failed, 2 skipped, 3 sent, 4 answered
  reason TEXT,
  resent INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY(shadow, place, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX shadow_items_by_state ON shadow_items(shadow, side, state, place);
