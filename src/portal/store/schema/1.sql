-- Instants are seconds since 1970. Every table of a tenant begins with the tenant, and so does every key.

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    policy TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tickets (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;

-- What the ticket's source told, each event once. The number is the order of arrival.
CREATE TABLE ticket_events (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    ticket TEXT NOT NULL,
    event TEXT NOT NULL,
    closed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (tenant, ticket, event),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id)
) STRICT;

CREATE TABLE tokens (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    ticket TEXT,
    max_bytes INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id)
) STRICT;

CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    ticket TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    phase TEXT NOT NULL,
    share TEXT,
    token TEXT,
    reads INTEGER NOT NULL DEFAULT 0,
    announced_at INTEGER NOT NULL,
    uploaded_at INTEGER,
    closed_at INTEGER,
    due_at INTEGER,
    begins_at INTEGER,
    deleted_at INTEGER,
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id)
) STRICT;
CREATE INDEX snapshots_of_ticket ON snapshots (tenant, ticket);
CREATE INDEX snapshots_waiting ON snapshots (begins_at) WHERE phase = 'stored';
CREATE INDEX snapshots_leaving ON snapshots (phase, retry_at)
    WHERE phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed');

-- Received bytes are durable bytes: the number is written after the file is synchronised.
CREATE TABLE uploads (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, snapshot),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX uploads_expiring ON uploads (expires_at);

CREATE TABLE steps (
    tenant TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    number INTEGER NOT NULL,
    phase TEXT NOT NULL,
    store TEXT NOT NULL,
    method TEXT NOT NULL,
    verified_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, snapshot, phase),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;

CREATE TABLE receipts (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, snapshot, kind),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
CREATE INDEX receipts_by_snapshot ON receipts (snapshot, kind);

-- Written in the transaction of the act it tells of.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    request TEXT
) STRICT;
