-- Browsers in which somebody is signed in. The secret that a browser shows is nowhere.

CREATE TABLE web_sessions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    csrf TEXT NOT NULL CHECK (length(csrf) >= 43),
    person TEXT NOT NULL CHECK (substr(person, 1, 9) <> 'workload:'),
    proved_by TEXT NOT NULL,
    proved_at INTEGER NOT NULL,
    acr TEXT,
    provider TEXT,
    provider_subject TEXT,
    provider_session TEXT,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL CHECK (used_at >= made_at),
    expires_at INTEGER NOT NULL CHECK (expires_at > made_at),
    ended_at INTEGER,
    end_reason TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (provider IS NOT NULL OR (provider_subject IS NULL AND provider_session IS NULL))
);
CREATE INDEX web_sessions_person ON web_sessions (person, seq);
CREATE INDEX web_sessions_live ON web_sessions (person) WHERE ended_at IS NULL;
CREATE INDEX web_sessions_provider ON web_sessions (provider, provider_subject) WHERE ended_at IS NULL;
CREATE INDEX web_sessions_end ON web_sessions (expires_at);

CREATE TRIGGER web_sessions_fixed BEFORE UPDATE ON web_sessions
WHEN NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.csrf <> OLD.csrf OR NEW.person <> OLD.person OR NEW.made_at <> OLD.made_at OR NEW.expires_at <> OLD.expires_at
    OR NEW.address <> OLD.address OR NEW.agent <> OLD.agent OR NEW.proved_at < OLD.proved_at
BEGIN SELECT RAISE(ABORT, 'stint: whose a signed-in browser is, and until when, does not change'); END;

CREATE TRIGGER web_sessions_over BEFORE UPDATE ON web_sessions
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: who signed out signs in anew'); END;
