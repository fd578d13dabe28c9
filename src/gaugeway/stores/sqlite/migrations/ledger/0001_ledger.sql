-- What was spent under spend limits, and what is reserved. Amounts are whole 10^-12 dollars, times Unix ms.

-- A bucket's key is a hash of account, gateway, rule and partition.
CREATE TABLE buckets(
  key BLOB PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  partition TEXT NOT NULL,  -- JSON: [[key, value], …]
  window_ms INTEGER NOT NULL  -- the longest it was asked for: until then its slots are kept
) STRICT, WITHOUT ROWID;
CREATE INDEX buckets_by_rule ON buckets(account_id, gateway_id, rule_id, partition);

CREATE TABLE slots(
  bucket BLOB NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  held INTEGER NOT NULL,  -- the sum of its holds
  PRIMARY KEY(bucket, from_ms, until_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds(
  id BLOB NOT NULL,  -- of one request at one target
  bucket BLOB NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  holder TEXT NOT NULL,  -- the process
  PRIMARY KEY(id, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_by_bucket ON holds(bucket);

-- Processes say every few seconds that they live.
CREATE TABLE holders(id TEXT PRIMARY KEY, lease_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
