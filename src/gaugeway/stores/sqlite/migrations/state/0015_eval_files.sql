-- Files that clients upload for their evals.

CREATE TABLE eval_files(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  bytes INTEGER NOT NULL,
  document TEXT NOT NULL,
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX eval_files_by_gateway ON eval_files(account_id, gateway_id, seq);

-- Apart, so that a list reads no content.
CREATE TABLE eval_file_content(
  file INTEGER PRIMARY KEY REFERENCES eval_files(seq) ON DELETE CASCADE,
  frame BLOB NOT NULL  -- zstd
) STRICT;
