-- Annotation queues: which logs people are to mark, and what they said of them.

CREATE TABLE annotation_queues(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE annotation_items(
  queue INTEGER NOT NULL REFERENCES annotation_queues(seq) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  log BLOB NOT NULL,
  gone INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(queue, position),
  UNIQUE(queue, log)
) STRICT, WITHOUT ROWID;

-- What was said, and who holds an item: label and note are null until something is said.
CREATE TABLE annotations(
  queue INTEGER NOT NULL,
  log BLOB NOT NULL,
  annotator TEXT NOT NULL,
  label TEXT,
  note TEXT,
  at INTEGER NOT NULL,  -- of the last change, or of the handing out
  PRIMARY KEY(queue, log, annotator),
  FOREIGN KEY(queue, log) REFERENCES annotation_items(queue, log) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
