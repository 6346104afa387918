-- What somebody who left was to answer or to review goes to whom an admin named.

ALTER TABLE step_additions DROP CONSTRAINT step_additions_cause_check;
ALTER TABLE step_additions ADD CONSTRAINT step_additions_cause_check CHECK (cause IN ('on_call', 'escalated', 'handed_over'));

CREATE FUNCTION step_additions_handed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cause = 'handed_over' AND (substr(NEW.person, 1, 9) = 'workload:' OR EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND subject = NEW.person)) THEN
        RAISE EXCEPTION 'stint: an answer is never handed to whoever asked, nor to a machine';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step_additions_handed BEFORE INSERT ON step_additions FOR EACH ROW EXECUTE FUNCTION step_additions_handed();

-- A name in each line; null for nobody.
ALTER TABLE reviews ADD COLUMN handed_to TEXT;
ALTER TABLE reviews ADD CONSTRAINT reviews_handed_to CHECK (handed_to IS NULL OR (length(handed_to) > 0 AND position(chr(10) || person || chr(10) IN chr(10) || handed_to || chr(10)) = 0
    AND position('workload:' IN handed_to) = 0));

CREATE TRIGGER reviews_handed BEFORE UPDATE ON reviews FOR EACH ROW
WHEN (NEW.handed_to IS DISTINCT FROM OLD.handed_to AND (NEW.state <> 'open'
    OR (OLD.handed_to IS NOT NULL AND substr(NEW.handed_to, 1, length(OLD.handed_to) + 1) IS DISTINCT FROM OLD.handed_to || chr(10))))
EXECUTE FUNCTION refuse('to whom an open review was handed over is added and never taken out');
