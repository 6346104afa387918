-- Emergencies: what opened at once, who was told, the review that follows, and one-time codes for when nothing else lets in.

ALTER TABLE requests ADD COLUMN break_glass INTEGER NOT NULL DEFAULT 0 CHECK (break_glass IN (0, 1));
ALTER TABLE grants ADD COLUMN break_glass INTEGER NOT NULL DEFAULT 0 CHECK (break_glass IN (0, 1));

-- The lists hold a name in each line.
CREATE TABLE reviews (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL UNIQUE REFERENCES requests (id),
    person TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'concern')),
    version INTEGER NOT NULL CHECK (version >= 1),
    opened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    overdue_at INTEGER,
    sources TEXT NOT NULL CHECK (length(sources) > 0),
    reviewers TEXT NOT NULL CHECK (length(reviewers) > 0),
    told TEXT NOT NULL CHECK (length(told) > 0),
    closed_at INTEGER,
    closed_by TEXT,
    comment TEXT,
    CHECK (due_at > opened_at),
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (comment IS NULL)),
    CHECK (closed_by IS NULL OR closed_by <> person),
    CHECK (comment IS NULL OR length(comment) > 0)
);

-- While one is open, its person breaks no further glass; of two askings at once the second meets this.
CREATE UNIQUE INDEX reviews_open ON reviews (person) WHERE state = 'open';
CREATE INDEX reviews_due ON reviews (due_at) WHERE state = 'open' AND overdue_at IS NULL;

-- Whom a review concerns: who may close it, and who was told and has or has not said that they saw it.
CREATE TABLE review_people (
    review_id TEXT NOT NULL REFERENCES reviews (id),
    person TEXT NOT NULL,
    reviews INTEGER NOT NULL CHECK (reviews IN (0, 1)),
    told INTEGER NOT NULL CHECK (told IN (0, 1)),
    seen_at INTEGER,
    PRIMARY KEY (review_id, person),
    CHECK (seen_at IS NULL OR told = 1)
) WITHOUT ROWID;
CREATE INDEX review_people_person ON review_people (person);
CREATE INDEX review_people_unseen ON review_people (person) WHERE told = 1 AND seen_at IS NULL;

CREATE TABLE glass_codes (
    seq INTEGER PRIMARY KEY,
    person TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    made_at INTEGER NOT NULL,
    used_at INTEGER,
    voided_at INTEGER,
    CHECK (used_at IS NULL OR voided_at IS NULL)
);
CREATE INDEX glass_codes_person ON glass_codes (person, made_at);
CREATE INDEX glass_codes_left ON glass_codes (person) WHERE used_at IS NULL AND voided_at IS NULL;

-- What a code was changed for: at most an hour, in microseconds; one for each code.
CREATE TABLE glass_passes (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    person TEXT NOT NULL,
    code BLOB NOT NULL UNIQUE REFERENCES glass_codes (hash),
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK (expires_at > made_at AND expires_at - made_at <= 3600000000)
);

INSERT INTO moves (machine, from_state, to_state) VALUES ('review', 'open', 'accepted'), ('review', 'open', 'concern');

CREATE TRIGGER requests_glass_begin BEFORE INSERT ON requests
WHEN NEW.break_glass = 1 AND NEW.state = 'pending'
BEGIN SELECT RAISE(ABORT, 'stint: break-glass waits for nobody'); END;

CREATE TRIGGER requests_glass_fixed BEFORE UPDATE ON requests
WHEN NEW.break_glass <> OLD.break_glass
BEGIN SELECT RAISE(ABORT, 'stint: what was asked does not change'); END;

CREATE TRIGGER grants_glass_begin BEFORE INSERT ON grants
WHEN NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND break_glass = NEW.break_glass)
    OR (NEW.break_glass = 1 AND (NEW.record <> 'strict' OR NOT EXISTS (SELECT 1 FROM reviews WHERE request_id = NEW.request_id)))
BEGIN SELECT RAISE(ABORT, 'stint: break-glass is recorded strictly, and nothing opens by it without a review'); END;

CREATE TRIGGER grants_glass_fixed BEFORE UPDATE ON grants
WHEN NEW.break_glass <> OLD.break_glass OR (OLD.break_glass = 1 AND NEW.record <> 'strict')
BEGIN SELECT RAISE(ABORT, 'stint: whether the glass was broken does not change'); END;

CREATE TRIGGER reviews_begin BEFORE INSERT ON reviews
WHEN NEW.state <> 'open' OR NEW.overdue_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'approved'
    AND break_glass = 1 AND subject = NEW.person AND resource = NEW.resource AND role = NEW.role)
BEGIN SELECT RAISE(ABORT, 'stint: a review begins as open, for a break-glass of the same person and role'); END;

CREATE TRIGGER reviews_move BEFORE UPDATE ON reviews
WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'review' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'stint: a review does not move that way'); END;

CREATE TRIGGER reviews_fixed BEFORE UPDATE ON reviews
WHEN NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.request_id <> OLD.request_id OR NEW.person <> OLD.person
    OR NEW.resource <> OLD.resource OR NEW.role <> OLD.role OR NEW.opened_at <> OLD.opened_at OR NEW.due_at <> OLD.due_at
    OR NEW.sources <> OLD.sources OR NEW.reviewers <> OLD.reviewers OR NEW.told <> OLD.told
    OR (OLD.overdue_at IS NOT NULL AND NEW.overdue_at IS NOT OLD.overdue_at)
BEGIN SELECT RAISE(ABORT, 'stint: whom a review names and when it is due does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER reviews_done BEFORE UPDATE ON reviews
WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'stint: a closed review does not change'); END;

CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews
BEGIN SELECT RAISE(ABORT, 'stint: a review is never deleted'); END;

CREATE TRIGGER review_people_begin BEFORE INSERT ON review_people
WHEN NEW.seen_at IS NOT NULL OR EXISTS (SELECT 1 FROM reviews WHERE id = NEW.review_id AND person = NEW.person)
BEGIN SELECT RAISE(ABORT, 'stint: nobody reviews themselves'); END;

CREATE TRIGGER review_people_fixed BEFORE UPDATE ON review_people
WHEN OLD.seen_at IS NOT NULL OR NEW.seen_at IS NULL OR NEW.review_id <> OLD.review_id OR NEW.person <> OLD.person OR NEW.reviews <> OLD.reviews OR NEW.told <> OLD.told
BEGIN SELECT RAISE(ABORT, 'stint: whom a review concerns does not change; what was seen was seen once'); END;

CREATE TRIGGER review_people_stay BEFORE DELETE ON review_people
BEGIN SELECT RAISE(ABORT, 'stint: whom a review concerns does not change'); END;

CREATE TRIGGER glass_codes_begin BEFORE INSERT ON glass_codes
WHEN NEW.used_at IS NOT NULL OR NEW.voided_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a code begins unused'); END;

CREATE TRIGGER glass_codes_once BEFORE UPDATE ON glass_codes
WHEN OLD.used_at IS NOT NULL OR OLD.voided_at IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.person <> OLD.person OR NEW.hash <> OLD.hash OR NEW.made_at <> OLD.made_at
BEGIN SELECT RAISE(ABORT, 'stint: a code is used or voided once'); END;

CREATE TRIGGER glass_codes_stay BEFORE DELETE ON glass_codes
BEGIN SELECT RAISE(ABORT, 'stint: a code is never deleted'); END;

CREATE TRIGGER glass_passes_begin BEFORE INSERT ON glass_passes
WHEN NOT EXISTS (SELECT 1 FROM glass_codes WHERE hash = NEW.code AND person = NEW.person AND used_at = NEW.made_at)
BEGIN SELECT RAISE(ABORT, 'stint: a code lets its own person in, once'); END;

CREATE TRIGGER glass_passes_fixed BEFORE UPDATE ON glass_passes
BEGIN SELECT RAISE(ABORT, 'stint: what a code let in does not change'); END;

CREATE TRIGGER glass_passes_stay BEFORE DELETE ON glass_passes
BEGIN SELECT RAISE(ABORT, 'stint: what a code let in is never deleted'); END;
