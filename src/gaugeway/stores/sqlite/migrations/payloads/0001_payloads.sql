-- The bodies of logs, compressed. Which log one belongs to stands in logs.db (logs.pid).

CREATE TABLE payloads (
  pid            INTEGER PRIMARY KEY,
  zdict          INTEGER NOT NULL,  -- the dictionary it was compressed with; 0: none
  request_size   INTEGER,           -- bytes kept; NULL: not kept
  response_size  INTEGER,
  cut            INTEGER NOT NULL,  -- 1: the request is only a beginning, 2: the response
  data           BLOB NOT NULL      -- one zstd frame: request, then response
) STRICT;

-- Compression dictionaries, learnt from bodies. One that no payload needs any more is deleted: it holds parts of them.
CREATE TABLE zdicts (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  learnt_at  INTEGER NOT NULL,  -- the newest pid then
  data       BLOB NOT NULL
) STRICT;

-- How many payloads need a dictionary, from its first use on. A table of its own: it changes with every write.
CREATE TABLE zdict_users (
  id        INTEGER PRIMARY KEY,
  payloads  INTEGER NOT NULL
) STRICT;
