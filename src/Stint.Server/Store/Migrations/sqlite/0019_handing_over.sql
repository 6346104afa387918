-- What somebody who left was to answer or to review goes to whom an admin named.

CREATE TABLE step_additions_new (
    request_id TEXT NOT NULL REFERENCES requests (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    person TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('on_call', 'escalated', 'handed_over')),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, step, person)
) WITHOUT ROWID;
INSERT INTO step_additions_new (request_id, step, person, cause, at) SELECT request_id, step, person, cause, at FROM step_additions;
DROP TABLE step_additions;
ALTER TABLE step_additions_new RENAME TO step_additions;

CREATE TRIGGER step_additions_fixed BEFORE UPDATE ON step_additions
BEGIN SELECT RAISE(ABORT, 'stint: who may answer a step is added and never changed'); END;

CREATE TRIGGER step_additions_stay BEFORE DELETE ON step_additions
BEGIN SELECT RAISE(ABORT, 'stint: who may answer a step is added and never taken out'); END;

CREATE TRIGGER step_additions_handed BEFORE INSERT ON step_additions
WHEN NEW.cause = 'handed_over' AND (substr(NEW.person, 1, 9) = 'workload:' OR EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND subject = NEW.person))
BEGIN SELECT RAISE(ABORT, 'stint: an answer is never handed to whoever asked, nor to a machine'); END;

-- A name in each line; null for nobody.
ALTER TABLE reviews ADD COLUMN handed_to TEXT CHECK (handed_to IS NULL OR (length(handed_to) > 0 AND instr(char(10) || handed_to || char(10), char(10) || person || char(10)) = 0
    AND instr(handed_to, 'workload:') = 0));

CREATE TRIGGER reviews_handed BEFORE UPDATE ON reviews
WHEN NEW.handed_to IS NOT OLD.handed_to AND (NEW.state <> 'open' OR (OLD.handed_to IS NOT NULL AND substr(NEW.handed_to, 1, length(OLD.handed_to) + 1) IS NOT OLD.handed_to || char(10)))
BEGIN SELECT RAISE(ABORT, 'stint: to whom an open review was handed over is added and never taken out'); END;
