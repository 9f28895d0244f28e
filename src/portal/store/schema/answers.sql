-- Answers to writes that came with an Idempotency-Key, for a day. Without a status the write is under way; without a body the
-- answer held a secret.
CREATE TABLE answers (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    principal TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    begun_at INTEGER NOT NULL,
    status INTEGER,
    media TEXT,
    body BLOB,
    PRIMARY KEY (tenant, principal, path, key)
) STRICT;
CREATE INDEX answers_by_age ON answers (begun_at);
