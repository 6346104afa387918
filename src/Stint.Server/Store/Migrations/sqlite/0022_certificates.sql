-- Certificates that holders were given, by number: what a target takes without asking Stint. Revoked is each whose grant is no longer open.
CREATE TABLE certificates (
    seq INTEGER PRIMARY KEY,
    serial INTEGER NOT NULL UNIQUE CHECK (serial > 0),
    grant_id TEXT NOT NULL REFERENCES grants (id),
    authority TEXT NOT NULL CHECK (length(authority) = 64),
    authority_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL CHECK (not_after > not_before AND not_after > made_at AND not_after - made_at <= 3600000000)
);
CREATE INDEX certificates_grant ON certificates (grant_id, made_at);
CREATE INDEX certificates_authority ON certificates (authority, not_after);

CREATE TRIGGER certificates_begin BEFORE INSERT ON certificates
WHEN NOT EXISTS (SELECT 1 FROM grants WHERE id = NEW.grant_id AND not_after >= NEW.not_after)
BEGIN SELECT RAISE(ABORT, 'stint: no certificate outlives its grant'); END;

CREATE TRIGGER certificates_fixed BEFORE UPDATE ON certificates
BEGIN SELECT RAISE(ABORT, 'stint: a certificate does not change'); END;

CREATE TRIGGER certificates_stay BEFORE DELETE ON certificates
BEGIN SELECT RAISE(ABORT, 'stint: a certificate is never forgotten'); END;
