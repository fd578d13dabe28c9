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
  data       BLOB NOT NULL,
  learnt_at  INTEGER NOT NULL,  -- the newest pid then
  payloads   INTEGER            -- how many need it; NULL: none has used it yet
) STRICT;
