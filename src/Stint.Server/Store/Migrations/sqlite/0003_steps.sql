-- What people need of approvals: steps with an order and a clock, answers in another's place, and counter-offers.

-- How far each step of a pending request has come, and what time alone does to it next.
CREATE TABLE request_steps (
    request_id TEXT NOT NULL REFERENCES requests (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    opened_at INTEGER,
    remind_at INTEGER,
    reminded INTEGER NOT NULL DEFAULT 0 CHECK (reminded >= 0),
    escalate_at INTEGER,
    escalated_at INTEGER,
    handover_at INTEGER,
    due_at INTEGER,
    PRIMARY KEY (request_id, step),
    CHECK (escalated_at IS NULL OR escalate_at IS NULL),
    CHECK (due_at IS NULL OR opened_at IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX request_steps_due ON request_steps (due_at) WHERE due_at IS NOT NULL;

-- Who may answer a step besides those whom the asking named there.
CREATE TABLE step_additions (
    request_id TEXT NOT NULL REFERENCES requests (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    person TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('on_call', 'escalated')),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, step, person)
) WITHOUT ROWID;

-- Who answers for whom while they are away. At most 90 days, in microseconds.
CREATE TABLE delegations (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    delegate TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK (delegate <> person),
    CHECK (until_at > from_at AND until_at - from_at <= 7776000000000)
);
CREATE INDEX delegations_delegate ON delegations (delegate, until_at) WHERE ended_at IS NULL;
CREATE INDEX delegations_person ON delegations (person, until_at);

-- What an approver offered in place of what was asked.
CREATE TABLE offers (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL REFERENCES requests (id),
    person TEXT NOT NULL,
    for_person TEXT,
    delegation_id TEXT REFERENCES delegations (id),
    at INTEGER NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    lasts INTEGER NOT NULL CHECK (lasts > 0),
    start_at INTEGER,
    comment TEXT NOT NULL,
    saw_digest TEXT NOT NULL,
    via TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'replaced', 'accepted')),
    made_request TEXT UNIQUE REFERENCES requests (id),
    CHECK ((state = 'accepted') = (made_request IS NOT NULL))
);
CREATE UNIQUE INDEX offers_open ON offers (request_id, person) WHERE state = 'open';
CREATE INDEX offers_request ON offers (request_id, seq);

ALTER TABLE approvals ADD COLUMN for_person TEXT;
ALTER TABLE approvals ADD COLUMN delegation_id TEXT REFERENCES delegations (id);
ALTER TABLE approvals ADD COLUMN offer_id TEXT REFERENCES offers (id);

-- A person answers once (the first table says so), and a place is filled once, whoever sits in it.
CREATE UNIQUE INDEX approvals_seat ON approvals (request_id, COALESCE(for_person, person));

DROP TRIGGER approvals_own;
CREATE TRIGGER approvals_own BEFORE INSERT ON approvals
WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND subject IN (NEW.person, COALESCE(NEW.for_person, NEW.person)))
BEGIN SELECT RAISE(ABORT, 'stint: nobody answers their own request, nor anybody in their place'); END;

DROP TRIGGER approvals_named;
CREATE TRIGGER approvals_named BEFORE INSERT ON approvals
WHEN NOT EXISTS (SELECT 1 FROM request_approvers WHERE request_id = NEW.request_id AND person = COALESCE(NEW.for_person, NEW.person))
BEGIN SELECT RAISE(ABORT, 'stint: only somebody whom a step names answers'); END;

CREATE TRIGGER approvals_delegated BEFORE INSERT ON approvals
WHEN (NEW.for_person IS NULL) <> (NEW.delegation_id IS NULL) OR (NEW.for_person IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM delegations WHERE id = NEW.delegation_id AND person = NEW.for_person AND delegate = NEW.person
    AND ended_at IS NULL AND from_at <= NEW.at AND NEW.at < until_at))
BEGIN SELECT RAISE(ABORT, 'stint: somebody answers for another by a delegation that holds'); END;

CREATE TRIGGER delegations_fixed BEFORE UPDATE ON delegations
WHEN OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.person <> OLD.person
    OR NEW.delegate <> OLD.delegate OR NEW.from_at <> OLD.from_at OR NEW.until_at <> OLD.until_at OR NEW.made_at <> OLD.made_at
BEGIN SELECT RAISE(ABORT, 'stint: a delegation is ended once, and changes in nothing else'); END;

CREATE TRIGGER delegations_stay BEFORE DELETE ON delegations
BEGIN SELECT RAISE(ABORT, 'stint: a delegation is never deleted'); END;

CREATE TRIGGER offers_begin BEFORE INSERT ON offers
WHEN NEW.state <> 'open' OR NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'pending'
    AND resource = NEW.resource AND subject NOT IN (NEW.person, COALESCE(NEW.for_person, NEW.person)))
BEGIN SELECT RAISE(ABORT, 'stint: a counter-offer begins as open, by somebody else than who asked, at a pending request for the same resource'); END;

CREATE TRIGGER offers_fixed BEFORE UPDATE ON offers
WHEN OLD.state <> 'open' OR NEW.state = 'open' OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.request_id <> OLD.request_id
    OR NEW.person <> OLD.person OR NEW.for_person IS NOT OLD.for_person OR NEW.at <> OLD.at OR NEW.resource <> OLD.resource
    OR NEW.role <> OLD.role OR NEW.lasts <> OLD.lasts OR NEW.start_at IS NOT OLD.start_at OR NEW.saw_digest <> OLD.saw_digest
BEGIN SELECT RAISE(ABORT, 'stint: a counter-offer is taken or replaced once, and changes in nothing else'); END;

CREATE TRIGGER offers_stay BEFORE DELETE ON offers
BEGIN SELECT RAISE(ABORT, 'stint: a counter-offer is never deleted'); END;

CREATE TRIGGER request_steps_once BEFORE UPDATE ON request_steps
WHEN (OLD.opened_at IS NOT NULL AND NEW.opened_at IS NOT OLD.opened_at) OR (OLD.escalated_at IS NOT NULL AND NEW.escalated_at IS NOT OLD.escalated_at)
    OR NEW.reminded NOT IN (OLD.reminded, OLD.reminded + 1)
BEGIN SELECT RAISE(ABORT, 'stint: a step is asked once and escalates once'); END;

CREATE TRIGGER step_additions_fixed BEFORE UPDATE ON step_additions
BEGIN SELECT RAISE(ABORT, 'stint: who may answer a step is added and never changed'); END;

CREATE TRIGGER step_additions_stay BEFORE DELETE ON step_additions
BEGIN SELECT RAISE(ABORT, 'stint: who may answer a step is added and never taken out'); END;
