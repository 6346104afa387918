-- The company's directory, as its own program tells of it (SCIM), and who was sent away here.

CREATE TABLE directory_users (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_name TEXT NOT NULL CHECK (length(user_name) > 0),
    user_key TEXT NOT NULL UNIQUE,
    external_id TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    display_key TEXT,
    given_key TEXT,
    family_key TEXT,
    mail_keys TEXT,
    title_key TEXT,
    department_key TEXT,
    employee_key TEXT,
    type_key TEXT,
    manager_id TEXT,
    name TEXT NOT NULL,
    mail TEXT,
    attributes TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (changed_at >= created_at)
);
CREATE INDEX directory_users_external ON directory_users (external_id);
CREATE INDEX directory_users_inactive ON directory_users (active) WHERE active = 0;
CREATE INDEX directory_users_display ON directory_users (display_key, active);
CREATE INDEX directory_users_given ON directory_users (given_key, active);
CREATE INDEX directory_users_family ON directory_users (family_key, active);
CREATE INDEX directory_users_mail ON directory_users (mail_keys);
CREATE INDEX directory_users_title ON directory_users (title_key);
CREATE INDEX directory_users_department ON directory_users (department_key);
CREATE INDEX directory_users_employee ON directory_users (employee_key);
CREATE INDEX directory_users_type ON directory_users (type_key);
CREATE INDEX directory_users_manager ON directory_users (manager_id);
CREATE INDEX directory_users_created ON directory_users (created_at, seq);
CREATE INDEX directory_users_changed ON directory_users (changed_at);

-- Apart, so that whoever looks through the columns does not turn these pages.
CREATE TABLE directory_bodies (
    user_id TEXT PRIMARY KEY REFERENCES directory_users (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);

-- Each address of each user, in small letters.
CREATE TABLE directory_mails (
    mail_key TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES directory_users (id) ON DELETE CASCADE,
    PRIMARY KEY (mail_key, user_id)
) WITHOUT ROWID;
CREATE INDEX directory_mails_user ON directory_mails (user_id);

CREATE TABLE directory_groups (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL CHECK (length(display_name) > 0),
    display_key TEXT NOT NULL UNIQUE,
    external_id TEXT,
    version INTEGER NOT NULL CHECK (version >= 1),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (changed_at >= created_at)
);
CREATE INDEX directory_groups_external ON directory_groups (external_id);
CREATE INDEX directory_groups_changed ON directory_groups (changed_at);

CREATE TABLE directory_members (
    group_id TEXT NOT NULL REFERENCES directory_groups (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group')),
    PRIMARY KEY (group_id, member_id),
    CHECK (member_id <> group_id)
) WITHOUT ROWID;
CREATE INDEX directory_members_member ON directory_members (member_id);

-- Who was in the directory and is there no more, by their names in small letters: the catalog may still name them.
CREATE TABLE directory_left (
    name TEXT PRIMARY KEY,
    left_at INTEGER NOT NULL
);

-- Who was sent away here, whatever the catalog and the directory say, until an admin takes it back.
CREATE TABLE offboarded (
    name TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    at INTEGER NOT NULL,
    by_person TEXT NOT NULL
);

-- What changed, in order, for nodes that follow; what takes something away is marked until its consequences are done.
CREATE TABLE directory_log (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'member', 'left', 'offboarded')),
    id TEXT NOT NULL,
    member TEXT,
    takes INTEGER NOT NULL CHECK (takes IN (0, 1)),
    done INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    CHECK ((kind = 'member') = (member IS NOT NULL))
);
CREATE INDEX directory_log_open ON directory_log (number) WHERE takes = 1 AND done = 0;

CREATE TRIGGER directory_users_fixed BEFORE UPDATE ON directory_users
WHEN NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.created_at <> OLD.created_at OR NEW.version <> OLD.version + 1
BEGIN SELECT RAISE(ABORT, 'stint: who a directory entry is does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER directory_groups_fixed BEFORE UPDATE ON directory_groups
WHEN NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.created_at <> OLD.created_at OR NEW.version <> OLD.version + 1
BEGIN SELECT RAISE(ABORT, 'stint: which group a directory entry is does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER directory_log_fixed BEFORE UPDATE ON directory_log
WHEN NEW.number <> OLD.number OR NEW.kind <> OLD.kind OR NEW.id <> OLD.id OR NEW.member IS NOT OLD.member OR NEW.takes <> OLD.takes OR NEW.done < OLD.done
BEGIN SELECT RAISE(ABORT, 'stint: what changed in the directory does not change'); END;

CREATE TRIGGER directory_log_open_stays BEFORE DELETE ON directory_log
WHEN OLD.takes = 1 AND OLD.done = 0
BEGIN SELECT RAISE(ABORT, 'stint: what took something away is kept until its consequences are done'); END;
