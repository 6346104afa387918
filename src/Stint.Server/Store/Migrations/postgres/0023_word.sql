-- What providers say of people whom the directory does not know, by their names in small letters: for a while after a sign-in.

CREATE TABLE provider_attributes (
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL CHECK (length(value) BETWEEN 1 AND 200),
    until BIGINT NOT NULL,
    PRIMARY KEY (name, provider, attribute)
);
CREATE INDEX provider_attributes_end ON provider_attributes (until);

CREATE TRIGGER provider_attributes_fixed BEFORE UPDATE ON provider_attributes FOR EACH ROW
WHEN (NEW.name <> OLD.name OR NEW.provider <> OLD.provider OR NEW.attribute <> OLD.attribute OR NEW.value <> OLD.value)
EXECUTE FUNCTION refuse('what a provider said does not change');
