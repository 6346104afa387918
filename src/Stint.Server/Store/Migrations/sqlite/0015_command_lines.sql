-- Command lines that want in for a person, those that were let in, and their tokens. Codes and tokens are kept as their hashes.

-- One that asks: by a code that its person types into a browser (device), or by one that a browser brings back to its own machine (loopback).
CREATE TABLE cli_askings (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    user_code BLOB UNIQUE CHECK (length(user_code) = 32),
    challenge TEXT CHECK (length(challenge) = 43),
    redirect TEXT,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    address TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > made_at),
    poll_every INTEGER NOT NULL CHECK (poll_every BETWEEN 0 AND 60000000),
    polled_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'used')),
    person TEXT CHECK (substr(person, 1, 9) <> 'workload:'),
    sign_in TEXT,
    proved_by TEXT,
    proved_at INTEGER,
    login TEXT UNIQUE,
    CHECK ((user_code IS NULL) = (challenge IS NOT NULL) AND (challenge IS NULL) = (redirect IS NULL)),
    CHECK (expires_at - made_at <= CASE WHEN user_code IS NULL THEN 60000000 ELSE 600000000 END),
    CHECK ((state = 'waiting') = (person IS NULL) AND (person IS NULL) = (sign_in IS NULL) AND (person IS NULL) = (proved_by IS NULL) AND (person IS NULL) = (proved_at IS NULL)),
    CHECK (login IS NULL OR state = 'used')
);
CREATE INDEX cli_askings_end ON cli_askings (expires_at);

CREATE TRIGGER cli_askings_begin BEFORE INSERT ON cli_askings
WHEN NEW.state <> CASE WHEN NEW.user_code IS NULL THEN 'allowed' ELSE 'waiting' END
BEGIN SELECT RAISE(ABORT, 'stint: a command line waits until its person answers'); END;

CREATE TRIGGER cli_askings_move BEFORE UPDATE ON cli_askings
WHEN NOT ((OLD.state = 'waiting' AND NEW.state IN ('waiting', 'allowed', 'denied')) OR (OLD.state = 'allowed' AND NEW.state = 'used'))
BEGIN SELECT RAISE(ABORT, 'stint: a command line is answered once, and a code is used once'); END;

CREATE TRIGGER cli_askings_fixed BEFORE UPDATE ON cli_askings
WHEN NEW.hash <> OLD.hash OR NEW.user_code IS NOT OLD.user_code OR NEW.challenge IS NOT OLD.challenge OR NEW.redirect IS NOT OLD.redirect
    OR NEW.host <> OLD.host OR NEW.version <> OLD.version OR NEW.address <> OLD.address OR NEW.made_at <> OLD.made_at OR NEW.expires_at <> OLD.expires_at
    OR NEW.poll_every < OLD.poll_every OR (OLD.person IS NOT NULL AND (NEW.person <> OLD.person OR NEW.proved_by <> OLD.proved_by OR NEW.proved_at <> OLD.proved_at))
BEGIN SELECT RAISE(ABORT, 'stint: what a command line asked, and who answered, does not change'); END;

-- One that was let in.
CREATE TABLE cli_logins (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL CHECK (substr(person, 1, 9) <> 'workload:'),
    kind TEXT NOT NULL CHECK (kind IN ('device', 'loopback')),
    sign_in TEXT NOT NULL,
    proved_by TEXT NOT NULL,
    proved_at INTEGER NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    address TEXT NOT NULL,
    made_at INTEGER NOT NULL CHECK (made_at >= proved_at),
    used_at INTEGER NOT NULL CHECK (used_at >= made_at),
    expires_at INTEGER NOT NULL CHECK (expires_at > made_at),
    ended_at INTEGER,
    end_reason TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX cli_logins_person ON cli_logins (person, seq);
CREATE INDEX cli_logins_live ON cli_logins (person) WHERE ended_at IS NULL;
CREATE INDEX cli_logins_end ON cli_logins (expires_at);

CREATE TRIGGER cli_logins_begin BEFORE INSERT ON cli_logins
WHEN NEW.ended_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM cli_askings WHERE login = NEW.id AND state = 'used' AND person = NEW.person AND proved_at = NEW.proved_at
    AND (user_code IS NULL) = (NEW.kind = 'loopback'))
BEGIN SELECT RAISE(ABORT, 'stint: a command line is let in by its person''s answer'); END;

CREATE TRIGGER cli_logins_fixed BEFORE UPDATE ON cli_logins
WHEN NEW.id <> OLD.id OR NEW.person <> OLD.person OR NEW.kind <> OLD.kind OR NEW.sign_in <> OLD.sign_in OR NEW.proved_by <> OLD.proved_by OR NEW.proved_at <> OLD.proved_at
    OR NEW.host <> OLD.host OR NEW.version <> OLD.version OR NEW.address <> OLD.address OR NEW.made_at <> OLD.made_at OR NEW.expires_at <> OLD.expires_at OR NEW.used_at < OLD.used_at
BEGIN SELECT RAISE(ABORT, 'stint: whose a command line is, and until when, does not change'); END;

CREATE TRIGGER cli_logins_over BEFORE UPDATE ON cli_logins
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a command line that was logged out logs in anew'); END;

-- Its tokens, two and two: one to come in with, for minutes, and one to get the next two with. One pair counts at a time.
CREATE TABLE cli_tokens (
    seq INTEGER PRIMARY KEY,
    login_id TEXT NOT NULL REFERENCES cli_logins (id),
    access BLOB NOT NULL UNIQUE CHECK (length(access) = 32),
    refresh BLOB NOT NULL UNIQUE CHECK (length(refresh) = 32),
    comes_of BLOB,
    made_at INTEGER NOT NULL,
    access_until INTEGER NOT NULL CHECK (access_until > made_at AND access_until - made_at <= 3600000000),
    refresh_until INTEGER NOT NULL CHECK (refresh_until > made_at),
    state TEXT NOT NULL CHECK (state IN ('live', 'replaced', 'void')),
    replaced_at INTEGER,
    CHECK ((state = 'live') = (replaced_at IS NULL))
);
CREATE UNIQUE INDEX cli_tokens_live ON cli_tokens (login_id) WHERE state = 'live';
CREATE INDEX cli_tokens_login ON cli_tokens (login_id);

CREATE TRIGGER cli_tokens_begin BEFORE INSERT ON cli_tokens
WHEN NEW.state <> 'live'
BEGIN SELECT RAISE(ABORT, 'stint: a token begins as one that counts'); END;

CREATE TRIGGER cli_tokens_move BEFORE UPDATE ON cli_tokens
WHEN OLD.state <> 'live' OR NEW.state = 'live' OR NEW.login_id <> OLD.login_id OR NEW.access <> OLD.access OR NEW.refresh <> OLD.refresh OR NEW.comes_of IS NOT OLD.comes_of
    OR NEW.made_at <> OLD.made_at OR NEW.access_until <> OLD.access_until OR NEW.refresh_until <> OLD.refresh_until
BEGIN SELECT RAISE(ABORT, 'stint: a token is replaced once, and does not change'); END;
