-- The columnar projection of the logs (columns/): files that say again what `logs` says, for the figures of
-- evaluations. All of it is derived from `logs`, and may be thrown away at any time.

-- A file with the columns of a gateway's logs whose ids lie from `low` up to, not including, `high`.
CREATE TABLE segments (
  file    TEXT PRIMARY KEY,  -- its name, used once only
  gw      INTEGER NOT NULL,
  low     BLOB NOT NULL,
  high    BLOB NOT NULL,
  format  INTEGER NOT NULL,
  logs    INTEGER NOT NULL,
  bytes   INTEGER NOT NULL,
  parts   BLOB NOT NULL      -- where each column stands in the file, and its checksum (MessagePack)
) STRICT, WITHOUT ROWID;

-- Gateways that have segments, or will have: changes of their logs with ids below `high` are noted.
CREATE TABLE projected (
  gw    INTEGER PRIMARY KEY,
  high  BLOB NOT NULL,
  era   INTEGER NOT NULL     -- how often all segments were given up, so that none of an earlier era comes back
) STRICT;

-- Logs that were added, changed or removed since their segment was read: its file does not tell of them.
CREATE TABLE changed (
  gw    INTEGER NOT NULL,
  id    BLOB NOT NULL,
  file  TEXT,                -- of a segment that is being written, and was begun after the change; else NULL
  PRIMARY KEY (gw, id)
) STRICT, WITHOUT ROWID;

-- Noted by SQLite itself, in the transaction that makes the change: whoever writes, nothing is forgotten.
CREATE TRIGGER changed_by_insert AFTER INSERT ON logs
WHEN NEW.id < (SELECT high FROM projected WHERE gw = NEW.gw)
BEGIN
  INSERT INTO changed (gw, id) VALUES (NEW.gw, NEW.id) ON CONFLICT DO UPDATE SET file = NULL;
END;

CREATE TRIGGER changed_by_update AFTER UPDATE ON logs
WHEN OLD.id < (SELECT high FROM projected WHERE gw = OLD.gw)
BEGIN
  INSERT INTO changed (gw, id) VALUES (OLD.gw, OLD.id) ON CONFLICT DO UPDATE SET file = NULL;
END;

CREATE TRIGGER changed_by_delete AFTER DELETE ON logs
WHEN OLD.id < (SELECT high FROM projected WHERE gw = OLD.gw)
BEGIN
  INSERT INTO changed (gw, id) VALUES (OLD.gw, OLD.id) ON CONFLICT DO UPDATE SET file = NULL;
END;
