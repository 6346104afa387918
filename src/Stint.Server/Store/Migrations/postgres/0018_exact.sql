-- Access that is for exact statements, and how often those ran that may run so many times only.

ALTER TABLE requests ADD COLUMN statements TEXT CHECK (statements IS NULL OR length(statements) > 0);
ALTER TABLE grants ADD COLUMN statements TEXT;

CREATE TRIGGER requests_statements_fixed BEFORE UPDATE ON requests FOR EACH ROW
WHEN (NEW.statements IS DISTINCT FROM OLD.statements)
EXECUTE FUNCTION refuse('what was asked does not change');

CREATE FUNCTION grants_statements_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND statements IS NOT DISTINCT FROM NEW.statements) THEN
        RAISE EXCEPTION 'stint: a grant is for the statements of its request';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_statements_begin BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION grants_statements_begin();

CREATE TRIGGER grants_statements_fixed BEFORE UPDATE ON grants FOR EACH ROW
WHEN (NEW.statements IS DISTINCT FROM OLD.statements)
EXECUTE FUNCTION refuse('the statements that a grant is for do not change');

CREATE TABLE statement_uses (
    grant_id TEXT NOT NULL REFERENCES grants (id),
    statement BIGINT NOT NULL CHECK (statement >= 0),
    used BIGINT NOT NULL,
    most BIGINT NOT NULL,
    PRIMARY KEY (grant_id, statement),
    CONSTRAINT statement_uses_bound CHECK (used >= 1 AND used <= most)
);

CREATE FUNCTION statement_uses_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM grants WHERE id = NEW.grant_id AND statements IS NOT NULL AND state = 'open') THEN
        RAISE EXCEPTION 'stint: a statement is counted under an open grant that is for it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_uses_begin BEFORE INSERT ON statement_uses FOR EACH ROW EXECUTE FUNCTION statement_uses_begin();

CREATE TRIGGER statement_uses_grow BEFORE UPDATE ON statement_uses FOR EACH ROW
WHEN (NEW.grant_id <> OLD.grant_id OR NEW.statement <> OLD.statement OR NEW.most <> OLD.most OR NEW.used <> OLD.used + 1)
EXECUTE FUNCTION refuse('a count of statements grows by one');

CREATE TRIGGER statement_uses_stay BEFORE DELETE ON statement_uses FOR EACH ROW EXECUTE FUNCTION refuse('a count of statements is never deleted');
