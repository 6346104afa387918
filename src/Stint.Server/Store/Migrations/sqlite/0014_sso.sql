-- Logouts that providers told of, for as long as the same token could be shown again.

CREATE TABLE provider_logouts (
    mark BLOB PRIMARY KEY NOT NULL CHECK (length(mark) = 32),
    kept_until INTEGER NOT NULL
);
CREATE INDEX provider_logouts_end ON provider_logouts (kept_until);

CREATE TRIGGER provider_logouts_fixed BEFORE UPDATE ON provider_logouts
BEGIN SELECT RAISE(ABORT, 'stint: a logout that was heard does not change'); END;
