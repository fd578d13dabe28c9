-- Evals, their runs, the items of these, and what came of them.

CREATE TABLE evals(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  modified_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX evals_by_gateway ON evals(account_id, gateway_id, seq);

CREATE TABLE eval_runs(
  seq INTEGER PRIMARY KEY,
  eval INTEGER NOT NULL REFERENCES evals(seq) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  ended INTEGER NOT NULL,
  owner TEXT,
  lease_until INTEGER,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX eval_runs_by_eval ON eval_runs(eval, seq);
CREATE INDEX eval_runs_to_do ON eval_runs(seq) WHERE NOT ended;

CREATE TABLE eval_items(
  run INTEGER NOT NULL REFERENCES eval_runs(seq) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  log BLOB,  -- the log that it is; null: it is in the document
  document TEXT,
  PRIMARY KEY(run, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE eval_outputs(
  run INTEGER NOT NULL,
  place INTEGER NOT NULL,
  state INTEGER NOT NULL,  -- 0 pass, 1 fail, 2 error, 3 sent
  document TEXT NOT NULL,
  PRIMARY KEY(run, place),
  FOREIGN KEY(run, place) REFERENCES eval_items(run, place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX eval_outputs_by_state ON eval_outputs(run, state, place);
