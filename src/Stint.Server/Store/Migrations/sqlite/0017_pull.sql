-- How the pulling from the company's directory stands, and whose turn it is: one node pulls at a time.

CREATE TABLE directory_pull (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    node TEXT NOT NULL,
    fence INTEGER NOT NULL CHECK (fence >= 1),
    held_until INTEGER NOT NULL,
    since INTEGER NOT NULL,
    good_at INTEGER,
    trouble TEXT,
    leaving INTEGER CHECK (leaving > 0),
    leaving_of INTEGER,
    silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1)),
    notes TEXT NOT NULL DEFAULT '',
    CHECK ((leaving IS NULL) = (leaving_of IS NULL)),
    CHECK (good_at IS NULL OR good_at >= since)
);

CREATE TRIGGER directory_pull_forward BEFORE UPDATE ON directory_pull
WHEN NEW.fence < OLD.fence OR NEW.fence > OLD.fence + 1 OR (NEW.node <> OLD.node AND NEW.fence = OLD.fence) OR NEW.since <> OLD.since
    OR (OLD.good_at IS NOT NULL AND (NEW.good_at IS NULL OR NEW.good_at < OLD.good_at))
BEGIN SELECT RAISE(ABORT, 'stint: a turn of pulling goes on, or is another''s under a higher number; what was good stays so'); END;
