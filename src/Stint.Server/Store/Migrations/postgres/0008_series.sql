-- What somebody held and holds no longer, for roles that are kept apart for a time.

CREATE INDEX grants_held ON grants (subject, resource, closed_at) WHERE state = 'closed' AND begun_at IS NOT NULL;

-- When calendars end a grant at the latest: fixed as its opening is intended.

ALTER TABLE grants ADD COLUMN ends_by BIGINT CHECK (ends_by IS NULL OR not_after IS NULL OR not_after <= ends_by);

CREATE TRIGGER grants_ends_by BEFORE UPDATE ON grants FOR EACH ROW
WHEN (OLD.state <> 'ready' AND NEW.ends_by IS DISTINCT FROM OLD.ends_by)
EXECUTE FUNCTION refuse('what ends a grant at the latest does not change once its opening is intended');
