-- Rights in Stint itself that no grant gives: the first administrator's, for a bounded time. Only inserted, never changed.
CREATE TABLE stint_rights (
    seq INTEGER PRIMARY KEY,
    person TEXT NOT NULL CHECK (length(person) > 0 AND substr(person, 1, 9) <> 'workload:'),
    role TEXT NOT NULL CHECK (role = 'administrator'),
    given_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at > given_at AND until_at - given_at <= 604800000000),
    cause TEXT NOT NULL CHECK (length(cause) BETWEEN 1 AND 500),
    UNIQUE (person, role, until_at)
);
CREATE INDEX stint_rights_until ON stint_rights (until_at);

CREATE TRIGGER stint_rights_fixed BEFORE UPDATE ON stint_rights
BEGIN SELECT RAISE(ABORT, 'stint: a right that was given does not change'); END;

CREATE TRIGGER stint_rights_stay BEFORE DELETE ON stint_rights
BEGIN SELECT RAISE(ABORT, 'stint: a right that was given stays on record'); END;

-- Looked at twice a second while anybody holds one; no other grant is in it.
CREATE INDEX grants_in_stint ON grants (not_after) WHERE state = 'open' AND role IN ('administrator', 'auditor', 'catalog-keeper');
