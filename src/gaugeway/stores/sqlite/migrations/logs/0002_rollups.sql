-- Sums over the logs for analytics, kept in the transactions that add, change and remove logs (rollups.py).
-- What may be large is kept as two numbers, high * 2^32 + low, so that no sum of them can overflow.
CREATE TABLE rollups (
  gw                INTEGER NOT NULL,
  grain             INTEGER NOT NULL,  -- 0 hour, 1 day
  number            INTEGER NOT NULL,  -- of the hour or day, counted from 1970-01-01T00:00Z
  provider          INTEGER NOT NULL,  -- as in counts
  model             INTEGER NOT NULL,
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
  cost_high         INTEGER NOT NULL,  -- 1e-12 dollars, each log's rounded down
  cost_low          INTEGER NOT NULL,
  saved_high        INTEGER NOT NULL,
  saved_low         INTEGER NOT NULL,
  duration_high     INTEGER NOT NULL,  -- ms
  duration_low      INTEGER NOT NULL,
  first_byte_high   INTEGER NOT NULL,
  first_byte_low    INTEGER NOT NULL,
  cost_rest         TEXT,              -- dollars that the rounded costs lack; rare
  saved_rest        TEXT,
  durations         BLOB NOT NULL,     -- logs by bin (core.timings): pairs of 16 and 32 bits
  first_bytes       BLOB NOT NULL,
  PRIMARY KEY (gw, grain, number, provider, model, outcome)
) STRICT, WITHOUT ROWID;

-- Changes of hours that are still to be added to `rollups`: to append one costs a quarter of adding it, and whoever
-- reads adds them himself. Numbered from 1 on, as they are all deleted at once.
CREATE TABLE rollup_changes (
  change            INTEGER PRIMARY KEY,
  gw                INTEGER NOT NULL,
  number            INTEGER NOT NULL,  -- of the hour
  provider          INTEGER NOT NULL,
  model             INTEGER NOT NULL,
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
  first_bytes       BLOB NOT NULL
) STRICT;

-- Gateways whose logs were written before there were rollups: counted when the store is next opened.
CREATE TABLE unrolled (gw INTEGER PRIMARY KEY) STRICT;
INSERT INTO unrolled SELECT gw FROM gateways WHERE logs > 0;
