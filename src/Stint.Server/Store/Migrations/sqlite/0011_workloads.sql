-- Workloads: what a machine's token said on its requests, the ways in that were given for such tokens, and static tokens.
-- Machines ask; whatever is answered, handed on or reviewed is a person's.

ALTER TABLE requests ADD COLUMN claims TEXT CHECK ((claims IS NOT NULL) = (substr(subject, 1, 9) = 'workload:'));

CREATE TRIGGER requests_claims_fixed BEFORE UPDATE ON requests
WHEN NEW.claims IS NOT OLD.claims
BEGIN SELECT RAISE(ABORT, 'stint: what a workload''s token said does not change'); END;

CREATE TRIGGER approvals_by_persons BEFORE INSERT ON approvals
WHEN substr(NEW.person, 1, 9) = 'workload:'
BEGIN SELECT RAISE(ABORT, 'stint: machines never approve'); END;

CREATE TRIGGER request_approvers_are_persons BEFORE INSERT ON request_approvers
WHEN substr(NEW.person, 1, 9) = 'workload:'
BEGIN SELECT RAISE(ABORT, 'stint: machines never approve'); END;

CREATE TRIGGER requests_glass_by_persons BEFORE INSERT ON requests
WHEN NEW.break_glass = 1 AND substr(NEW.subject, 1, 9) = 'workload:'
BEGIN SELECT RAISE(ABORT, 'stint: only persons break the glass'); END;

-- A way in, for an hour at the most. The claims are a JSON object of texts.
CREATE TABLE workload_passes (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    subject TEXT NOT NULL CHECK (substr(subject, 1, 9) = 'workload:'),
    issuer TEXT NOT NULL,
    claims TEXT NOT NULL,
    shown BLOB UNIQUE CHECK (length(shown) = 32),
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > made_at AND expires_at - made_at <= 3600000000),
    kept_until INTEGER NOT NULL CHECK (kept_until >= expires_at)
);
CREATE INDEX workload_passes_end ON workload_passes (kept_until);

CREATE TRIGGER workload_passes_fixed BEFORE UPDATE ON workload_passes
BEGIN SELECT RAISE(ABORT, 'stint: a way in does not change'); END;

-- A token that lasts. The scope is a role in each line.
CREATE TABLE workload_tokens (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    prefix TEXT NOT NULL,
    subject TEXT NOT NULL CHECK (substr(subject, 1, 9) = 'workload:'),
    scope TEXT NOT NULL CHECK (length(scope) > 0),
    made_by TEXT NOT NULL CHECK (substr(made_by, 1, 9) <> 'workload:'),
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > made_at),
    used_at INTEGER,
    revoked_at INTEGER
);
CREATE INDEX workload_tokens_subject ON workload_tokens (subject, seq);

CREATE TRIGGER workload_tokens_fixed BEFORE UPDATE ON workload_tokens
WHEN NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.prefix <> OLD.prefix OR NEW.subject <> OLD.subject OR NEW.scope <> OLD.scope OR NEW.made_by <> OLD.made_by
    OR NEW.made_at <> OLD.made_at OR NEW.expires_at <> OLD.expires_at OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
BEGIN SELECT RAISE(ABORT, 'stint: a token does not change; it is used, and revoked for good'); END;
