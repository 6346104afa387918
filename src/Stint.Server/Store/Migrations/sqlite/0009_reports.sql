-- Reports that can be opened for an hour with a key of their own. Five places for each person; what is over is forgotten.

CREATE TABLE reports (
    person TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 4),
    id TEXT NOT NULL UNIQUE,
    key_hash BLOB NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (ends_at > made_at AND ends_at - made_at <= 3600000000),
    body BLOB NOT NULL CHECK (length(body) <= 2097152),
    PRIMARY KEY (person, place)
);
CREATE INDEX reports_end ON reports (ends_at);

CREATE TRIGGER reports_fixed BEFORE UPDATE ON reports
WHEN NEW.person <> OLD.person OR NEW.place <> OLD.place OR NEW.id = OLD.id OR NEW.key_hash = OLD.key_hash
BEGIN SELECT RAISE(ABORT, 'stint: a report does not change; another, with a key of its own, may take its place'); END;
