-- Times and durations are whole microseconds; flags are 0 and 1; states are words.
-- The triggers are the last of three guards: the pure table, the guarded update, and these.

CREATE TABLE moves (
    machine TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    PRIMARY KEY (machine, from_state, to_state)
) WITHOUT ROWID;

INSERT INTO moves (machine, from_state, to_state) VALUES
    ('request', 'pending', 'approved'), ('request', 'pending', 'denied'), ('request', 'pending', 'cancelled'), ('request', 'pending', 'lapsed'),
    ('grant', 'ready', 'opening'), ('grant', 'ready', 'closed'), ('grant', 'opening', 'open'), ('grant', 'opening', 'closing'),
    ('grant', 'open', 'closing'), ('grant', 'closing', 'closed'),
    ('assignment', 'adding', 'standing'), ('assignment', 'adding', 'removing'), ('assignment', 'standing', 'adding'),
    ('assignment', 'standing', 'removing'), ('assignment', 'removing', 'removed'),
    ('session', 'live', 'ended');

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE nodes (
    name TEXT PRIMARY KEY,
    roles TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
);

CREATE TABLE catalogs (
    seq INTEGER PRIMARY KEY,
    version TEXT NOT NULL UNIQUE,
    files TEXT NOT NULL,
    applied_at INTEGER NOT NULL
);

CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'cancelled', 'lapsed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    asked_at INTEGER NOT NULL,
    lasts INTEGER NOT NULL CHECK (lasts > 0),
    opening TEXT NOT NULL CHECK (opening IN ('by_holder', 'on_approval', 'scheduled')),
    start_at INTEGER,
    reason TEXT NOT NULL,
    ticket TEXT,
    extends TEXT,
    catalog_version TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (length(verdict) > 0),
    lapses_at INTEGER NOT NULL,
    begin_within INTEGER NOT NULL,
    decided_at INTEGER,
    why TEXT,
    digest TEXT NOT NULL,
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK (opening <> 'scheduled' OR start_at IS NOT NULL)
);
CREATE INDEX requests_lapse ON requests (lapses_at) WHERE state = 'pending';
CREATE INDEX requests_subject ON requests (subject, seq);

CREATE TABLE request_approvers (
    request_id TEXT NOT NULL REFERENCES requests (id),
    person TEXT NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    PRIMARY KEY (request_id, person)
) WITHOUT ROWID;
CREATE INDEX request_approvers_open ON request_approvers (person, request_id) WHERE open = 1;
CREATE INDEX request_approvers_person ON request_approvers (person, request_id);

CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    person TEXT NOT NULL,
    yes INTEGER NOT NULL CHECK (yes IN (0, 1)),
    at INTEGER NOT NULL,
    comment TEXT NOT NULL,
    shortened INTEGER CHECK (shortened > 0),
    saw_digest TEXT NOT NULL,
    via TEXT NOT NULL,
    UNIQUE (request_id, person),
    CHECK (yes = 1 OR length(comment) > 0)
);

CREATE TABLE assignments (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('adding', 'standing', 'removing', 'removed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    catalog_version TEXT NOT NULL,
    account TEXT NOT NULL,
    until_at INTEGER,
    due_at INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    trouble TEXT,
    stuck_since INTEGER,
    fence INTEGER NOT NULL CHECK (fence >= 0),
    secret TEXT,
    lease_node TEXT,
    lease_until INTEGER,
    CHECK (state <> 'removed' OR (due_at IS NULL AND secret IS NULL AND stuck_since IS NULL)),
    CHECK ((lease_node IS NULL) = (lease_until IS NULL))
);
CREATE UNIQUE INDEX assignments_live ON assignments (subject, resource, role) WHERE state <> 'removed';
CREATE UNIQUE INDEX assignments_account ON assignments (resource, account);
CREATE INDEX assignments_due ON assignments (resource, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX assignments_next ON assignments (due_at) WHERE due_at IS NOT NULL AND lease_until IS NULL;
CREATE INDEX assignments_lease ON assignments (resource, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX assignments_stuck ON assignments (stuck_since) WHERE stuck_since IS NOT NULL;

CREATE TABLE grants (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL UNIQUE REFERENCES requests (id),
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'opening', 'open', 'closing', 'closed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    ready_at INTEGER NOT NULL,
    lasts INTEGER NOT NULL CHECK (lasts > 0),
    start_at INTEGER,
    lapses_at INTEGER NOT NULL,
    extends TEXT REFERENCES grants (id),
    assignment_id TEXT REFERENCES assignments (id),
    begun_at INTEGER,
    not_before INTEGER,
    not_after INTEGER,
    end_reason TEXT CHECK (end_reason IN ('expired', 'returned', 'revoked', 'offboarded', 'lapsed', 'failed', 'target_gone')),
    end_note TEXT,
    ended_at INTEGER,
    closed_at INTEGER,
    record TEXT NOT NULL CHECK (record IN ('default', 'strict')),
    CHECK (state <> 'open' OR (not_before IS NOT NULL AND not_after IS NOT NULL AND assignment_id IS NOT NULL)),
    CHECK (not_after > not_before),
    CHECK ((state IN ('closing', 'closed')) = (end_reason IS NOT NULL)),
    CHECK ((state IN ('closing', 'closed')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX grants_due ON grants (not_after) WHERE state = 'open';
CREATE INDEX grants_start ON grants (start_at) WHERE state = 'ready' AND start_at IS NOT NULL;
CREATE INDEX grants_lapse ON grants (lapses_at) WHERE state = 'ready';
CREATE INDEX grants_moving ON grants (state) WHERE state IN ('opening', 'closing');
CREATE INDEX grants_live ON grants (subject, resource, role) WHERE state <> 'closed';
CREATE INDEX grants_assignment ON grants (assignment_id) WHERE assignment_id IS NOT NULL AND state <> 'closed';
CREATE INDEX grants_subject ON grants (subject, seq);

CREATE TABLE logins (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    grant_id TEXT NOT NULL REFERENCES grants (id),
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    iterations INTEGER NOT NULL CHECK (iterations > 0),
    salt BLOB NOT NULL,
    stored_key BLOB NOT NULL CHECK (length(stored_key) = 32),
    server_key BLOB NOT NULL CHECK (length(server_key) = 32),
    made_at INTEGER NOT NULL,
    ended_at INTEGER
);
CREATE INDEX logins_grant ON logins (grant_id);

CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('live', 'ended')),
    version INTEGER NOT NULL CHECK (version >= 1),
    grant_id TEXT NOT NULL REFERENCES grants (id),
    request_id TEXT NOT NULL REFERENCES requests (id),
    assignment_id TEXT NOT NULL REFERENCES assignments (id),
    subject TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    database_name TEXT,
    application TEXT NOT NULL,
    client TEXT NOT NULL,
    tls INTEGER NOT NULL CHECK (tls IN (0, 1)),
    node TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT CHECK (end_reason IN ('client_left', 'target_left', 'expired', 'returned', 'revoked', 'killed', 'idle',
        'recording_failed', 'draining', 'protocol_error', 'node_lost', 'target_refused', 'unchecked')),
    end_note TEXT,
    bytes_from_client INTEGER NOT NULL DEFAULT 0,
    bytes_to_client INTEGER NOT NULL DEFAULT 0,
    recording_file TEXT,
    recording_records INTEGER,
    recording_bytes INTEGER,
    recording_hash BLOB,
    recording_statements INTEGER,
    kill_by TEXT,
    kill_note TEXT,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((state = 'ended') = (end_reason IS NOT NULL)),
    CHECK ((recording_file IS NULL) = (recording_hash IS NULL))
);
CREATE INDEX sessions_live ON sessions (assignment_id) WHERE state = 'live';
CREATE INDEX sessions_node ON sessions (node) WHERE state = 'live';
CREATE INDEX sessions_killed ON sessions (node) WHERE state = 'live' AND kill_by IS NOT NULL;
CREATE INDEX sessions_grant ON sessions (grant_id);
CREATE INDEX sessions_subject ON sessions (subject, seq);
CREATE INDEX sessions_resource ON sessions (resource, seq);

CREATE TABLE answers (
    subject TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    asked BLOB NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (subject, idem_key)
) WITHOUT ROWID;
CREATE INDEX answers_age ON answers (at);

CREATE TABLE facts (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    request_id TEXT,
    grant_id TEXT,
    session_id TEXT
);
CREATE INDEX facts_request ON facts (request_id, seq) WHERE request_id IS NOT NULL;
CREATE INDEX facts_session ON facts (session_id, seq) WHERE session_id IS NOT NULL;

CREATE TABLE log_head (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    frontier BLOB NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32)
);

CREATE TABLE log_tiles (
    level INTEGER NOT NULL,
    tile INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, tile)
) WITHOUT ROWID;

CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    note TEXT NOT NULL
);
