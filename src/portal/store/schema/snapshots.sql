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
    readable_until INTEGER,
    withdrawn_at INTEGER,
    review_at INTEGER,
    lifted_at INTEGER,
    extended INTEGER NOT NULL DEFAULT 0,
    blocked_at INTEGER,
    deleted_at INTEGER,
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE
) STRICT;
CREATE INDEX snapshots_of_ticket ON snapshots (tenant, ticket, number);
CREATE INDEX snapshots_of_tenant ON snapshots (tenant, number);
CREATE INDEX snapshots_arriving ON snapshots (tenant, id, size) WHERE phase = 'uploading';
CREATE INDEX snapshots_of_token ON snapshots (tenant, token, size) WHERE token IS NOT NULL AND phase <> 'deleted';
CREATE INDEX snapshots_waiting ON snapshots (begins_at) WHERE phase = 'stored';
CREATE INDEX snapshots_leaving ON snapshots (phase, retry_at)
    WHERE phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed');
