-- What users of the directory have that no column holds, value by value: filters and sorting look here instead of into each body.
-- Values in small letters unless capitals count; of an attribute with parts a row of its own, whose key is empty when nothing is in it.

CREATE TABLE directory_values (
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    user_seq INTEGER NOT NULL REFERENCES directory_users (seq) ON DELETE CASCADE,
    item INTEGER NOT NULL CHECK (item >= 0),
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1)),
    PRIMARY KEY (path, key, user_seq, item)
) WITHOUT ROWID;
CREATE INDEX directory_values_user ON directory_values (user_seq);

-- Bodies that came before this table have no values yet: they are read once, part by part.
ALTER TABLE directory_bodies ADD COLUMN valued INTEGER NOT NULL DEFAULT 0 CHECK (valued IN (0, 1));
CREATE INDEX directory_bodies_unvalued ON directory_bodies (user_id) WHERE valued = 0;

-- How whoever said yes to a change of the catalog proved themselves anew; nothing where nothing demanded it.
ALTER TABLE catalog_answers ADD COLUMN proof TEXT CHECK (proof IS NULL OR (yes = 1 AND length(proof) > 0));
