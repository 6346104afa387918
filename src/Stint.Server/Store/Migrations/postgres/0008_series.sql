-- What somebody held and holds no longer, for roles that are kept apart for a time.

CREATE INDEX grants_held ON grants (subject, resource, closed_at) WHERE state = 'closed' AND begun_at IS NOT NULL;

-- When calendars end a grant at the latest: fixed as its opening is intended.

ALTER TABLE grants ADD COLUMN ends_by BIGINT CHECK (ends_by IS NULL OR not_after IS NULL OR not_after <= ends_by);

CREATE TRIGGER grants_ends_by BEFORE UPDATE ON grants FOR EACH ROW
WHEN (OLD.state <> 'ready' AND NEW.ends_by IS DISTINCT FROM OLD.ends_by)
EXECUTE FUNCTION refuse('what ends a grant at the latest does not change once its opening is intended');

-- Requests that were approved once and open again and again. The series keeps its next occurrence; each that comes is a request of its own.

ALTER TABLE requests ADD COLUMN recurrence TEXT CHECK (recurrence IS NULL OR (start_at IS NOT NULL AND extends IS NULL));
ALTER TABLE requests ADD COLUMN occurrence_of TEXT REFERENCES requests (id) CHECK (occurrence_of IS NULL OR (start_at IS NOT NULL AND recurrence IS NULL AND state = 'approved'));
CREATE UNIQUE INDEX requests_occurrence ON requests (occurrence_of, start_at) WHERE occurrence_of IS NOT NULL;

CREATE TABLE series (
    request_id TEXT PRIMARY KEY REFERENCES requests (id),
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'ended')),
    version BIGINT NOT NULL CHECK (version >= 1),
    next_at BIGINT,
    made BIGINT NOT NULL CHECK (made >= 0),
    end_reason TEXT CHECK (end_reason IN ('finished', 'cancelled', 'revoked', 'offboarded', 'outgrown')),
    end_note TEXT,
    ended_at BIGINT,
    CHECK ((state = 'running') = (next_at IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((state = 'ended') = (end_reason IS NOT NULL))
);
CREATE INDEX series_next ON series (next_at) WHERE state = 'running';
CREATE INDEX series_subject ON series (subject) WHERE state = 'running';

INSERT INTO moves (machine, from_state, to_state) VALUES ('series', 'running', 'ended');

CREATE TRIGGER requests_series_fixed BEFORE UPDATE ON requests FOR EACH ROW
WHEN (NEW.recurrence IS DISTINCT FROM OLD.recurrence OR NEW.occurrence_of IS DISTINCT FROM OLD.occurrence_of)
EXECUTE FUNCTION refuse('when something comes again does not change');

CREATE FUNCTION requests_occurrence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.occurrence_of IS NOT NULL AND NOT EXISTS (SELECT 1 FROM requests r JOIN series s ON s.request_id = r.id WHERE r.id = NEW.occurrence_of AND s.state = 'running'
    AND r.state = 'approved' AND r.subject = NEW.subject AND r.resource = NEW.resource AND r.role = NEW.role AND r.lasts >= NEW.lasts AND s.next_at = NEW.start_at) THEN
        RAISE EXCEPTION 'stint: an occurrence comes of a running series of the same subject and role, at its time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_occurrence BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION requests_occurrence();

CREATE FUNCTION grants_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND recurrence IS NOT NULL) THEN
        RAISE EXCEPTION 'stint: a series has no grant of its own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_series BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION grants_series();

CREATE FUNCTION series_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'approved' AND recurrence IS NOT NULL AND subject = NEW.subject) THEN
        RAISE EXCEPTION 'stint: a series comes of an approved request that comes again';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER series_request BEFORE INSERT ON series FOR EACH ROW EXECUTE FUNCTION series_request();

CREATE TRIGGER series_fixed BEFORE UPDATE ON series FOR EACH ROW
WHEN (NEW.version <> OLD.version + 1 OR NEW.request_id <> OLD.request_id OR NEW.subject <> OLD.subject OR NEW.made < OLD.made OR NEW.next_at <= OLD.next_at)
EXECUTE FUNCTION refuse('a series goes forward only, and every change makes the version grow by one');

CREATE TRIGGER series_done BEFORE UPDATE ON series FOR EACH ROW
WHEN (OLD.state <> 'running')
EXECUTE FUNCTION refuse('an ended series does not change');

CREATE TRIGGER series_stay BEFORE DELETE ON series FOR EACH ROW EXECUTE FUNCTION refuse('a series is never deleted');
