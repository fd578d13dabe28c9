-- The columns of every log. Bodies are in payloads.db.

-- An account's gateway as a small number. Never deleted: another process may be about to write under it.
CREATE TABLE gateways (
  gw          INTEGER PRIMARY KEY,
  account_id  TEXT NOT NULL,
  gateway_id  TEXT NOT NULL,
  logs        INTEGER NOT NULL DEFAULT 0,  -- how many it has
  refused     INTEGER NOT NULL DEFAULT 0,  -- how many STOP_INSERTING left out
  UNIQUE (account_id, gateway_id)
) STRICT;

-- Text that repeats, as small numbers of its own per kind (words.py). Never changed, never deleted.
CREATE TABLE words (
  kind  INTEGER NOT NULL,
  code  INTEGER NOT NULL,
  text  TEXT NOT NULL,
  PRIMARY KEY (kind, code),
  UNIQUE (kind, text)
) STRICT, WITHOUT ROWID;

-- Kinds whose words are too many or too long, so that some logs carry the text itself.
CREATE TABLE spilled (kind INTEGER PRIMARY KEY) STRICT;

CREATE TABLE logs (
  gw                     INTEGER NOT NULL,
  id                     BLOB NOT NULL,     -- UUIDv7: its first 48 bits are created_at
  cost                   INTEGER,           -- 1e-12 dollars, rounded down
  duration               INTEGER NOT NULL,  -- ms
  feedback               INTEGER,           -- -1, 1
  outcome                INTEGER NOT NULL,  -- log_rows.OUTCOMES: 0 success, 1 cached, others are failures
  provider               ANY NOT NULL,      -- ANY: a word's code, or the text itself
  model                  ANY NOT NULL,
  tokens_in              INTEGER,
  tokens_out             INTEGER,
  first_byte_ms          INTEGER,
  score                  REAL,
  status_code            INTEGER,
  flags                  INTEGER NOT NULL,  -- 1 authentication, 2 usage_estimated, 4 bodies_lost
  model_type             ANY,
  request_type           ANY,
  request_content_type   ANY,
  response_content_type  ANY,
  user_agent             ANY,
  path                   ANY NOT NULL,
  metadata_keys          ANY,               -- the keys and types of the metadata, as one word
  metadata_values        TEXT,              -- its values as text (metadata_text.py)
  event_id               TEXT,
  pid                    INTEGER,           -- of payloads.db; NULL: no body was kept
  rest                   BLOB NOT NULL,     -- log_rows.Rest: what nothing filters or orders by
  cost_fraction          TEXT,              -- decimal digits of the cost beyond 1e-12 dollars; rare
  PRIMARY KEY (gw, id)
) STRICT, WITHOUT ROWID;

-- The newest failures without a walk over everything else.
CREATE INDEX failures ON logs (gw) WHERE outcome > 1;

-- The costs that need more than `cost`.
CREATE INDEX cost_fractions ON logs (gw) WHERE cost_fraction IS NOT NULL;

-- How many logs there are of each sort and where, kept with every change: the usual counts need no walk over the
-- logs, and a walk for a sort begins and ends where it occurs.
CREATE TABLE counts (
  gw        INTEGER NOT NULL,
  provider  INTEGER NOT NULL,  -- 0: any text that is no word
  model     INTEGER NOT NULL,
  outcome   INTEGER NOT NULL,
  logs      INTEGER NOT NULL,
  oldest    BLOB NOT NULL,     -- no log of the sort has a lower id
  newest    BLOB NOT NULL,     -- or a higher one
  PRIMARY KEY (gw, provider, model, outcome)
) STRICT, WITHOUT ROWID;

-- The last payload number given to a log that is here. Payloads beyond it belong to nobody.
CREATE TABLE last_payload (pid INTEGER NOT NULL) STRICT;
INSERT INTO last_payload VALUES (0);

-- Payloads whose logs are gone but which may still be in payloads.db: packed 64-bit numbers.
CREATE TABLE dropped (
  seq   INTEGER PRIMARY KEY,
  pids  BLOB NOT NULL
) STRICT;
