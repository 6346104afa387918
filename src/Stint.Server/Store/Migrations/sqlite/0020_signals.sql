-- Security event tokens that were taken, by the hash of their names. Kept for longer than one is taken, so that none has an effect twice.
CREATE TABLE signals_taken (
    sender TEXT NOT NULL,
    mark BLOB NOT NULL CHECK (length(mark) = 32),
    at INTEGER NOT NULL,
    PRIMARY KEY (sender, mark)
);
CREATE INDEX signals_taken_at ON signals_taken (at);
