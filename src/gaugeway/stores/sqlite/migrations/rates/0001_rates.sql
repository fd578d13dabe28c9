-- How much has passed for each key of a rate, see counters.py. Nothing here outlives its interval.
CREATE TABLE rates (
  key         BLOB PRIMARY KEY,
  expires_at  INTEGER NOT NULL,  -- ms
  words       BLOB NOT NULL      -- 64-bit numbers, native order, without the zeros at the end
) STRICT, WITHOUT ROWID;
CREATE INDEX rates_by_expiry ON rates (expires_at);
