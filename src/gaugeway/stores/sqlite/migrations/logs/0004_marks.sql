-- How far the logs of each living sender have been written: what is sent again after a broken connection is neither
-- written nor refused a second time.
CREATE TABLE marks (
  sender  TEXT PRIMARY KEY,
  number  INTEGER NOT NULL,  -- of the batch that was written last
  logs    INTEGER NOT NULL   -- how many of its logs
) STRICT, WITHOUT ROWID;
