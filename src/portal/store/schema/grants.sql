-- The vendor's part of a file key, passed on to one more person: sealed to their key, so nobody here can read it. A revoked grant
-- has no part any more. All of them go with the share.
CREATE TABLE grants (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    user_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    part BLOB,
    granted_by TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    revoked_by TEXT,
    revoked_at INTEGER,
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;
CREATE UNIQUE INDEX grants_in_force ON grants (tenant, snapshot, user_id, fingerprint) WHERE revoked_at IS NULL;
CREATE INDEX grants_of_user ON grants (tenant, user_id) WHERE revoked_at IS NULL;

-- How many there ever were of a snapshot: its deletion receipt says so when they are gone.
CREATE TABLE grants_made (
    tenant TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (tenant, snapshot),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
