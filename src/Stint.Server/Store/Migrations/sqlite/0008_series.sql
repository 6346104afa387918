-- What somebody held and holds no longer, for roles that are kept apart for a time.

CREATE INDEX grants_held ON grants (subject, resource, closed_at) WHERE state = 'closed' AND begun_at IS NOT NULL;
