-- What persons concerned ask for. The number counts the tenant's requests and is never used twice. What names or describes
-- a person is sealed.
CREATE TABLE subject_requests (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    lodged_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    longer TEXT,
    decided_at INTEGER,
    ended_at INTEGER,
    ground TEXT,
    lifted_at INTEGER,
    reminded INTEGER NOT NULL DEFAULT 0,
    reference BLOB,
    statement BLOB,
    PRIMARY KEY (tenant, number),
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX subject_requests_open ON subject_requests (due_at) WHERE ended_at IS NULL;
CREATE INDEX subject_requests_ended ON subject_requests (tenant, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE subject_numbers (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    last INTEGER NOT NULL
) STRICT;

-- The snapshots that a request concerns. One that never arrives is forgotten by the table of snapshots, not by this one.
CREATE TABLE subject_snapshots (
    tenant TEXT NOT NULL,
    request INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    blocked_at INTEGER,
    stand_ins BLOB,
    PRIMARY KEY (tenant, request, snapshot),
    FOREIGN KEY (tenant, request) REFERENCES subject_requests (tenant, number)
) STRICT;
CREATE INDEX subject_snapshots_of ON subject_snapshots (tenant, snapshot);
CREATE INDEX snapshots_blocked ON snapshots (tenant, id) WHERE blocked_at IS NOT NULL;
