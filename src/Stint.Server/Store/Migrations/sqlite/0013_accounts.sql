-- What lets a person in here without an identity provider: a password, passkeys, a second step, recovery codes, and the links that make them.
-- Secrets stand here hashed or sealed, and nothing of them is ever read back out of the API.

CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY,
    person TEXT NOT NULL UNIQUE CHECK (length(person) > 0 AND substr(person, 1, 9) <> 'workload:'),
    handle TEXT NOT NULL UNIQUE CHECK (length(handle) >= 16),
    made_at INTEGER NOT NULL,
    password TEXT CHECK (length(password) > 0),
    password_at INTEGER,
    totp TEXT CHECK (substr(totp, 1, 10) = 'sealed:v1:'),
    totp_at INTEGER,
    totp_step INTEGER,
    CHECK ((password IS NULL) = (password_at IS NULL)),
    CHECK ((totp IS NULL) = (totp_at IS NULL) AND (totp IS NULL) = (totp_step IS NULL))
);

CREATE TRIGGER accounts_fixed BEFORE UPDATE ON accounts
WHEN NEW.seq <> OLD.seq OR NEW.person <> OLD.person OR NEW.handle <> OLD.handle OR NEW.made_at <> OLD.made_at
    OR (NEW.totp IS OLD.totp AND OLD.totp IS NOT NULL AND NEW.totp_step < OLD.totp_step)
BEGIN SELECT RAISE(ABORT, 'stint: whose an account is does not change, and a used step is used up'); END;

CREATE TRIGGER accounts_stay BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'stint: an account is never deleted'); END;

-- The transports are a word in each line.
CREATE TABLE passkeys (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 1023),
    person TEXT NOT NULL REFERENCES accounts (person),
    name TEXT NOT NULL CHECK (length(name) > 0),
    public_key BLOB NOT NULL CHECK (length(public_key) > 0),
    sign_count INTEGER NOT NULL CHECK (sign_count >= 0),
    transports TEXT NOT NULL,
    backup_eligible INTEGER NOT NULL CHECK (backup_eligible IN (0, 1)),
    backed_up INTEGER NOT NULL CHECK (backed_up IN (0, 1)),
    made_at INTEGER NOT NULL,
    used_at INTEGER,
    removed_at INTEGER
);
CREATE INDEX passkeys_person ON passkeys (person) WHERE removed_at IS NULL;

CREATE TRIGGER passkeys_begin BEFORE INSERT ON passkeys
WHEN NEW.removed_at IS NOT NULL OR NEW.used_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a passkey begins unused'); END;

CREATE TRIGGER passkeys_fixed BEFORE UPDATE ON passkeys
WHEN OLD.removed_at IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.id <> OLD.id OR NEW.person <> OLD.person OR NEW.public_key <> OLD.public_key
    OR NEW.transports <> OLD.transports OR NEW.backup_eligible <> OLD.backup_eligible OR NEW.made_at <> OLD.made_at OR NEW.sign_count < OLD.sign_count
BEGIN SELECT RAISE(ABORT, 'stint: a passkey does not change hands, does not count back, and is removed for good'); END;

CREATE TRIGGER passkeys_stay BEFORE DELETE ON passkeys
BEGIN SELECT RAISE(ABORT, 'stint: a passkey is removed, never deleted'); END;

CREATE TABLE recovery_codes (
    seq INTEGER PRIMARY KEY,
    person TEXT NOT NULL REFERENCES accounts (person),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    made_at INTEGER NOT NULL,
    used_at INTEGER,
    voided_at INTEGER,
    CHECK (used_at IS NULL OR voided_at IS NULL)
);
CREATE INDEX recovery_codes_left ON recovery_codes (person) WHERE used_at IS NULL AND voided_at IS NULL;

CREATE TRIGGER recovery_codes_begin BEFORE INSERT ON recovery_codes
WHEN NEW.used_at IS NOT NULL OR NEW.voided_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a code begins unused'); END;

CREATE TRIGGER recovery_codes_once BEFORE UPDATE ON recovery_codes
WHEN OLD.used_at IS NOT NULL OR OLD.voided_at IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.person <> OLD.person OR NEW.hash <> OLD.hash OR NEW.made_at <> OLD.made_at
BEGIN SELECT RAISE(ABORT, 'stint: a code is used or voided once'); END;

CREATE TRIGGER recovery_codes_stay BEFORE DELETE ON recovery_codes
BEGIN SELECT RAISE(ABORT, 'stint: a code is never deleted'); END;

-- One-time links: the first administrator's, for whoever has it; an invitation or a reset, for the person that it names. A day at the most, in microseconds.
CREATE TABLE account_links (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('set_up', 'invite', 'reset')),
    person TEXT,
    made_by TEXT,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_by TEXT,
    voided_at INTEGER,
    CHECK (expires_at > made_at AND expires_at - made_at <= 86400000000),
    CHECK ((kind = 'set_up') = (person IS NULL) AND (kind = 'set_up') = (made_by IS NULL)),
    CHECK ((used_at IS NULL) = (used_by IS NULL) AND (used_at IS NULL OR voided_at IS NULL)),
    CHECK (used_by IS NULL OR person IS NULL OR used_by = person)
);
CREATE INDEX account_links_person ON account_links (person) WHERE used_at IS NULL AND voided_at IS NULL;

-- Of several nodes that offer to set up, the last one counts.
CREATE UNIQUE INDEX account_links_set_up ON account_links (kind) WHERE kind = 'set_up' AND used_at IS NULL AND voided_at IS NULL;

CREATE TRIGGER account_links_begin BEFORE INSERT ON account_links
WHEN NEW.used_at IS NOT NULL OR NEW.voided_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a link begins unused'); END;

CREATE TRIGGER account_links_once BEFORE UPDATE ON account_links
WHEN OLD.used_at IS NOT NULL OR OLD.voided_at IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.hash <> OLD.hash OR NEW.kind <> OLD.kind OR NEW.person IS NOT OLD.person
    OR NEW.made_by IS NOT OLD.made_by OR NEW.made_at <> OLD.made_at OR NEW.expires_at <> OLD.expires_at
BEGIN SELECT RAISE(ABORT, 'stint: a link is used or voided once'); END;

CREATE TRIGGER account_links_stay BEFORE DELETE ON account_links
BEGIN SELECT RAISE(ABORT, 'stint: a link is never deleted'); END;

-- People who are in no catalog and no directory: the first administrator, where the catalog named none. They come to the others as the directory's people do. Names in small letters.
CREATE TABLE local_people (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) > 0 AND name = lower(name) AND substr(name, 1, 9) <> 'workload:'),
    made_at INTEGER NOT NULL
);

CREATE TRIGGER local_people_fixed BEFORE UPDATE ON local_people
BEGIN SELECT RAISE(ABORT, 'stint: whoever was made here keeps their name'); END;

CREATE TRIGGER local_people_stay BEFORE DELETE ON local_people
BEGIN SELECT RAISE(ABORT, 'stint: whoever was made here stays on record'); END;

-- How an approver proved themselves anew where a rule demands it: a JSON object, with a passkey's assertion over what they approved.
ALTER TABLE approvals ADD COLUMN proof TEXT CHECK (length(proof) > 0);
