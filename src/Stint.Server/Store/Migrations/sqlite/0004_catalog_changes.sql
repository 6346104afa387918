-- Every taking effect of a catalog in its order, a version that comes back included; and changes that wait for a yes.

CREATE TABLE catalog_history (
    number INTEGER PRIMARY KEY,
    version TEXT NOT NULL REFERENCES catalogs (version),
    previous TEXT,
    applied_at INTEGER NOT NULL,
    applied_by TEXT NOT NULL,
    note TEXT NOT NULL,
    change_id TEXT,
    commit_id TEXT,
    author TEXT,
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1))
);

INSERT INTO catalog_history (number, version, previous, applied_at, applied_by, note, dirty)
SELECT ROW_NUMBER() OVER (ORDER BY applied_at, seq), version, LAG(version) OVER (ORDER BY applied_at, seq), applied_at, 'stint:operator', '', 0 FROM catalogs;

CREATE INDEX catalog_history_at ON catalog_history (applied_at, number);
CREATE INDEX catalog_history_version ON catalog_history (version, number);

CREATE TABLE catalog_changes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'applied', 'denied', 'withdrawn', 'lapsed', 'stale')),
    version INTEGER NOT NULL CHECK (version >= 1),
    base TEXT NOT NULL,
    target TEXT NOT NULL,
    files TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    note TEXT NOT NULL,
    steps TEXT NOT NULL,
    apart INTEGER NOT NULL CHECK (apart IN (0, 1)),
    lapses_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    decided_at INTEGER,
    why TEXT,
    commit_id TEXT,
    author TEXT,
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    CHECK ((state = 'pending') = (decided_at IS NULL))
);
CREATE INDEX catalog_changes_pending ON catalog_changes (seq) WHERE state = 'pending';

CREATE TABLE catalog_answers (
    seq INTEGER PRIMARY KEY,
    change_id TEXT NOT NULL REFERENCES catalog_changes (id),
    person TEXT NOT NULL,
    yes INTEGER NOT NULL CHECK (yes IN (0, 1)),
    at INTEGER NOT NULL,
    comment TEXT NOT NULL,
    saw_digest TEXT NOT NULL,
    via TEXT NOT NULL,
    UNIQUE (change_id, person),
    CHECK (yes = 1 OR length(comment) > 0)
);

INSERT INTO moves (machine, from_state, to_state) VALUES
    ('change', 'pending', 'applied'), ('change', 'pending', 'denied'), ('change', 'pending', 'withdrawn'), ('change', 'pending', 'lapsed'), ('change', 'pending', 'stale');

CREATE TRIGGER catalog_history_fixed BEFORE UPDATE ON catalog_history
BEGIN SELECT RAISE(ABORT, 'stint: what took effect does not change'); END;

CREATE TRIGGER catalog_history_stay BEFORE DELETE ON catalog_history
BEGIN SELECT RAISE(ABORT, 'stint: what took effect is never deleted'); END;

CREATE TRIGGER catalog_changes_move BEFORE UPDATE ON catalog_changes
WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'change' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'stint: a change does not move that way'); END;

CREATE TRIGGER catalog_changes_fixed BEFORE UPDATE ON catalog_changes
WHEN NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.base <> OLD.base OR NEW.target <> OLD.target OR NEW.files <> OLD.files
    OR NEW.proposed_by <> OLD.proposed_by OR NEW.steps <> OLD.steps OR NEW.apart <> OLD.apart OR NEW.digest <> OLD.digest OR NEW.lapses_at <> OLD.lapses_at
BEGIN SELECT RAISE(ABORT, 'stint: what was proposed does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER catalog_changes_done BEFORE UPDATE ON catalog_changes
WHEN OLD.state <> 'pending'
BEGIN SELECT RAISE(ABORT, 'stint: a decided change does not change'); END;

CREATE TRIGGER catalog_changes_stay BEFORE DELETE ON catalog_changes
BEGIN SELECT RAISE(ABORT, 'stint: a change is never deleted'); END;

CREATE TRIGGER catalog_answers_own BEFORE INSERT ON catalog_answers
WHEN EXISTS (SELECT 1 FROM catalog_changes WHERE id = NEW.change_id AND proposed_by = 'person:' || NEW.person)
BEGIN SELECT RAISE(ABORT, 'stint: nobody answers their own change'); END;

CREATE TRIGGER catalog_answers_pending BEFORE INSERT ON catalog_answers
WHEN NOT EXISTS (SELECT 1 FROM catalog_changes WHERE id = NEW.change_id AND state = 'pending')
BEGIN SELECT RAISE(ABORT, 'stint: only a pending change is answered'); END;

CREATE TRIGGER catalog_answers_fixed BEFORE UPDATE ON catalog_answers
BEGIN SELECT RAISE(ABORT, 'stint: an answer does not change'); END;

CREATE TRIGGER catalog_answers_stay BEFORE DELETE ON catalog_answers
BEGIN SELECT RAISE(ABORT, 'stint: an answer is never deleted'); END;
