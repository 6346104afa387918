-- What providers told: logouts, for as long as the same token could be shown again, and in which of their groups people are.

CREATE TABLE provider_logouts (
    mark BYTEA PRIMARY KEY CHECK (length(mark) = 32),
    kept_until BIGINT NOT NULL
);
CREATE INDEX provider_logouts_end ON provider_logouts (kept_until);

CREATE TRIGGER provider_logouts_fixed BEFORE UPDATE ON provider_logouts FOR EACH ROW
EXECUTE FUNCTION refuse('a logout that was heard does not change');

-- Of whom the directory does not know, by their names in small letters: PROVIDER/GROUP, for a while after a sign-in.
CREATE TABLE provider_groups (
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    group_key TEXT NOT NULL CHECK (substr(group_key, 1, length(provider) + 1) = provider || '/'),
    until BIGINT NOT NULL,
    PRIMARY KEY (name, provider, group_key)
);
CREATE INDEX provider_groups_end ON provider_groups (until);

CREATE TRIGGER provider_groups_fixed BEFORE UPDATE ON provider_groups FOR EACH ROW
WHEN (NEW.name <> OLD.name OR NEW.provider <> OLD.provider OR NEW.group_key <> OLD.group_key)
EXECUTE FUNCTION refuse('who a provider spoke of does not change');
