-- Access that is bound to a task of another system, and which of its calls were taken already.

ALTER TABLE requests ADD COLUMN task TEXT CHECK (task IS NULL OR length(task) BETWEEN 3 AND 200);
ALTER TABLE grants ADD COLUMN task TEXT;
CREATE INDEX requests_task ON requests (task) WHERE task IS NOT NULL AND state = 'pending';
CREATE INDEX grants_task ON grants (task) WHERE task IS NOT NULL AND state <> 'closed';

-- Kept for some time, so that what was sent once ends nothing later.
CREATE TABLE task_deliveries (
    sender TEXT NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    at BIGINT NOT NULL,
    PRIMARY KEY (sender, digest)
);
CREATE INDEX task_deliveries_at ON task_deliveries (at);

CREATE TRIGGER requests_task_fixed BEFORE UPDATE ON requests FOR EACH ROW
WHEN (NEW.task IS DISTINCT FROM OLD.task)
EXECUTE FUNCTION refuse('what was asked does not change');

CREATE FUNCTION grants_task_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND task IS NOT DISTINCT FROM NEW.task) THEN
        RAISE EXCEPTION 'stint: a grant is bound to the task of its request';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_task_begin BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION grants_task_begin();

CREATE TRIGGER grants_task_fixed BEFORE UPDATE ON grants FOR EACH ROW
WHEN (NEW.task IS DISTINCT FROM OLD.task)
EXECUTE FUNCTION refuse('the task that a grant is bound to does not change');
