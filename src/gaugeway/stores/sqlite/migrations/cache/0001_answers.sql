-- Answers that are kept to be given again. Nothing here is the only copy of anything.
CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    gateway_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL, -- ms
    used_at INTEGER NOT NULL,    -- ms, within a minute or two
    size INTEGER NOT NULL,       -- bytes it counts for
    headers BLOB NOT NULL,       -- MessagePack: [[name, value], ...]
    body BLOB NOT NULL
) STRICT;

CREATE INDEX answers_of_gateway ON answers (account_id, gateway_id);
CREATE INDEX answers_by_expiry ON answers (expires_at);
CREATE INDEX answers_by_use ON answers (used_at, size);

-- When a gateway's part was emptied: what was asked for before that is not kept any more.
CREATE TABLE emptied (
    account_id TEXT NOT NULL,
    gateway_id TEXT NOT NULL,
    at INTEGER NOT NULL, -- ms
    PRIMARY KEY (account_id, gateway_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE total (bytes INTEGER NOT NULL) STRICT;
INSERT INTO total VALUES (0);

CREATE TRIGGER answer_added AFTER INSERT ON answers BEGIN
    UPDATE total SET bytes = bytes + new.size;
END;
CREATE TRIGGER answer_removed AFTER DELETE ON answers BEGIN
    UPDATE total SET bytes = bytes - old.size;
END;
