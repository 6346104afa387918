-- What providers say of people whom the directory does not know, by their names in small letters: for a while after a sign-in.

CREATE TABLE provider_attributes (
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL CHECK (length(value) BETWEEN 1 AND 200),
    until INTEGER NOT NULL,
    PRIMARY KEY (name, provider, attribute)
);
CREATE INDEX provider_attributes_end ON provider_attributes (until);

CREATE TRIGGER provider_attributes_fixed BEFORE UPDATE ON provider_attributes
WHEN NEW.name <> OLD.name OR NEW.provider <> OLD.provider OR NEW.attribute <> OLD.attribute OR NEW.value <> OLD.value
BEGIN SELECT RAISE(ABORT, 'stint: what a provider said does not change'); END;

-- When what a transmitter told last of an account happened, so that what comes late is not the last word. Names in small letters.
CREATE TABLE signal_accounts (
    sender TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (sender, name)
);

CREATE TRIGGER signal_accounts_forward BEFORE UPDATE ON signal_accounts
WHEN NEW.sender <> OLD.sender OR NEW.name <> OLD.name OR NEW.at < OLD.at
BEGIN SELECT RAISE(ABORT, 'stint: what happened last to an account does not move back'); END;

-- Tries in vain to sign in, by a mark of the name or the browser that says nothing of it: every node counts the same.
CREATE TABLE sign_in_tries (
    mark BLOB PRIMARY KEY NOT NULL CHECK (length(mark) = 32),
    count INTEGER NOT NULL CHECK (count >= 1),
    at INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until >= at)
);
CREATE INDEX sign_in_tries_at ON sign_in_tries (at);

-- Who would have lost something by a pull that was refused, and whether an admin confirmed them, and nobody else.
ALTER TABLE directory_pull ADD COLUMN leaving_mark TEXT;
ALTER TABLE directory_pull ADD COLUMN leaving_names TEXT NOT NULL DEFAULT '';
ALTER TABLE directory_pull ADD COLUMN confirmed TEXT CHECK (confirmed IS NULL OR (leaving_mark IS NOT NULL AND confirmed = leaving_mark));
