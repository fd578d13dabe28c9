-- Sums over all logs that were ever written, for /metrics: they only grow, whatever becomes of the logs. Changes in
-- `rollup_changes` that add logs are still to be added here too.
CREATE TABLE totals (
  series            INTEGER PRIMARY KEY,  -- in the order of their first logs
  gw                INTEGER NOT NULL,
  provider          INTEGER NOT NULL,  -- as in counts
  outcome           INTEGER NOT NULL,
  logs              INTEGER NOT NULL,
  tokens_in_known   INTEGER NOT NULL,
  tokens_out_known  INTEGER NOT NULL,
  cost_known        INTEGER NOT NULL,
  saved_known       INTEGER NOT NULL,
  first_byte_known  INTEGER NOT NULL,
  thumbs_up         INTEGER NOT NULL,
  thumbs_down       INTEGER NOT NULL,
  tokens_in_high    INTEGER NOT NULL,
  tokens_in_low     INTEGER NOT NULL,
  tokens_out_high   INTEGER NOT NULL,
  tokens_out_low    INTEGER NOT NULL,
  cached_in_high    INTEGER NOT NULL,
  cached_in_low     INTEGER NOT NULL,
  cost_high         INTEGER NOT NULL,
  cost_low          INTEGER NOT NULL,
  saved_high        INTEGER NOT NULL,
  saved_low         INTEGER NOT NULL,
  duration_high     INTEGER NOT NULL,
  duration_low      INTEGER NOT NULL,
  first_byte_high   INTEGER NOT NULL,
  first_byte_low    INTEGER NOT NULL,
  cost_rest         TEXT,
  saved_rest        TEXT,
  durations         BLOB NOT NULL,
  first_bytes       BLOB NOT NULL,
  UNIQUE (gw, provider, outcome)
) STRICT;
