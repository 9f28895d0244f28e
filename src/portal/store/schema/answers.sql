-- Answers to writes that came with an Idempotency-Key, for a day. Without a status the write is under way; without a body the
-- answer held a secret. The ticket is the one that path or body name; when its name goes, so does the answer.
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
    ticket TEXT,
    PRIMARY KEY (tenant, principal, path, key)
) STRICT;
CREATE INDEX answers_by_age ON answers (begun_at);
CREATE INDEX answers_of_ticket ON answers (tenant, ticket) WHERE ticket IS NOT NULL;
