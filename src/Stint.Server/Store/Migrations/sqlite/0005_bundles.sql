-- Askings for bundles: what several requests of one asking have in common; and askings that people keep to repeat them.

CREATE TABLE bundles (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    lasts INTEGER CHECK (lasts > 0),
    reason TEXT NOT NULL,
    ticket TEXT,
    start_at INTEGER,
    catalog_version TEXT NOT NULL,
    left_out INTEGER NOT NULL CHECK (left_out >= 0),
    digest TEXT NOT NULL
);
CREATE INDEX bundles_subject ON bundles (subject, seq);

ALTER TABLE requests ADD COLUMN bundle_id TEXT REFERENCES bundles (id);
CREATE INDEX requests_bundle ON requests (bundle_id, seq) WHERE bundle_id IS NOT NULL;

CREATE TABLE saved_requests (
    person TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    asking TEXT NOT NULL CHECK (length(asking) BETWEEN 2 AND 4000),
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (person, name)
) WITHOUT ROWID;

CREATE TRIGGER bundles_fixed BEFORE UPDATE ON bundles
BEGIN SELECT RAISE(ABORT, 'stint: an asking for a bundle does not change'); END;

CREATE TRIGGER bundles_stay BEFORE DELETE ON bundles
BEGIN SELECT RAISE(ABORT, 'stint: an asking for a bundle is never deleted'); END;

CREATE TRIGGER requests_bundle_begin BEFORE INSERT ON requests
WHEN NEW.bundle_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bundles WHERE id = NEW.bundle_id AND subject = NEW.subject AND asked_at = NEW.asked_at
    AND catalog_version = NEW.catalog_version AND (NEW.state <> 'pending' OR digest = NEW.digest))
BEGIN SELECT RAISE(ABORT, 'stint: a request of a bundle is of the same asker and moment, and waits for a yes to the whole of it'); END;

CREATE TRIGGER requests_bundle_fixed BEFORE UPDATE ON requests
WHEN NEW.bundle_id IS NOT OLD.bundle_id OR NEW.digest <> OLD.digest
BEGIN SELECT RAISE(ABORT, 'stint: which bundle a request is of, and what is said yes to, does not change'); END;

-- A yes to a part is a yes to the whole: it may not let one part through that others, asked of the same people, still wait with.
CREATE TRIGGER approvals_bundle BEFORE INSERT ON approvals
WHEN EXISTS (SELECT 1 FROM requests AS one JOIN bundles ON bundles.id = one.bundle_id WHERE one.id = NEW.request_id AND bundles.digest <> NEW.saw_digest AND NEW.yes = 1)
BEGIN SELECT RAISE(ABORT, 'stint: a yes to a part of a bundle is a yes to the whole of it'); END;

CREATE TRIGGER offers_bundle BEFORE INSERT ON offers
WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND bundle_id IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'stint: a part of a bundle is answered with the whole of it'); END;

CREATE TRIGGER saved_requests_bound BEFORE INSERT ON saved_requests
WHEN (SELECT COUNT(*) FROM saved_requests WHERE person = NEW.person AND name <> NEW.name) >= 100
BEGIN SELECT RAISE(ABORT, 'stint: a person keeps at most 100 requests'); END;
