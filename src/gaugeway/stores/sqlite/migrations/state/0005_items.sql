-- What item-wise evaluators found: one item per log and evaluation type. Custom evaluation types.

-- Which logs an evaluation is about, from the moment it began: a run that is taken over goes on with the same.
CREATE TABLE evaluation_logs(
  evaluation INTEGER NOT NULL REFERENCES evaluations(seq) ON DELETE CASCADE,
  log BLOB NOT NULL,
  PRIMARY KEY(evaluation, log)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluation_items(
  evaluation INTEGER NOT NULL REFERENCES evaluations(seq) ON DELETE CASCADE,
  log BLOB NOT NULL,
  position INTEGER NOT NULL,  -- of the result in the evaluation
  status INTEGER NOT NULL,  -- 0 scored, 1 failed, 2 skipped
  score REAL,
  badness REAL,  -- the higher the worse
  note TEXT NOT NULL,
  PRIMARY KEY(evaluation, log, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_items_worst ON evaluation_items(evaluation, position, status, badness DESC, log);

CREATE TABLE custom_types(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE(account_id, name)
) STRICT;
