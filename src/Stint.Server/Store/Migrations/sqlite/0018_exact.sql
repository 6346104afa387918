-- Access that is for exact statements, and how often those ran that may run so many times only.

ALTER TABLE requests ADD COLUMN statements TEXT CHECK (statements IS NULL OR length(statements) > 0);
ALTER TABLE grants ADD COLUMN statements TEXT;

CREATE TRIGGER requests_statements_fixed BEFORE UPDATE ON requests
WHEN NEW.statements IS NOT OLD.statements
BEGIN SELECT RAISE(ABORT, 'stint: what was asked does not change'); END;

CREATE TRIGGER grants_statements_begin BEFORE INSERT ON grants
WHEN NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND statements IS NEW.statements)
BEGIN SELECT RAISE(ABORT, 'stint: a grant is for the statements of its request'); END;

CREATE TRIGGER grants_statements_fixed BEFORE UPDATE ON grants
WHEN NEW.statements IS NOT OLD.statements
BEGIN SELECT RAISE(ABORT, 'stint: the statements that a grant is for do not change'); END;

CREATE TABLE statement_uses (
    grant_id TEXT NOT NULL REFERENCES grants (id),
    statement INTEGER NOT NULL CHECK (statement >= 0),
    used INTEGER NOT NULL CHECK (used >= 1 AND used <= most),
    most INTEGER NOT NULL,
    PRIMARY KEY (grant_id, statement)
) WITHOUT ROWID;

CREATE TRIGGER statement_uses_begin BEFORE INSERT ON statement_uses
WHEN NOT EXISTS (SELECT 1 FROM grants WHERE id = NEW.grant_id AND statements IS NOT NULL AND state = 'open')
BEGIN SELECT RAISE(ABORT, 'stint: a statement is counted under an open grant that is for it'); END;

CREATE TRIGGER statement_uses_grow BEFORE UPDATE ON statement_uses
WHEN NEW.grant_id <> OLD.grant_id OR NEW.statement <> OLD.statement OR NEW.most <> OLD.most OR NEW.used <> OLD.used + 1
BEGIN SELECT RAISE(ABORT, 'stint: a count of statements grows by one'); END;

CREATE TRIGGER statement_uses_stay BEFORE DELETE ON statement_uses
BEGIN SELECT RAISE(ABORT, 'stint: a count of statements is never deleted'); END;
