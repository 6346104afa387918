-- What is fetched, or told, from elsewhere: the directory over LDAP, and who is on call.

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

-- What was told last of who is on call, rota by rota, and who was on call by it when that was looked at last.
CREATE TABLE rota_feeds (
    rota TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    body TEXT,
    etag TEXT,
    known_at INTEGER,
    tried_at INTEGER NOT NULL,
    trouble TEXT,
    on_call TEXT NOT NULL DEFAULT '',
    CHECK ((body IS NULL) = (known_at IS NULL))
);
