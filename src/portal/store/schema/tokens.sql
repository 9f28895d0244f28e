CREATE TABLE tokens (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    ticket TEXT,
    max_bytes INTEGER,
    once INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE
) STRICT;
CREATE INDEX tokens_of_ticket ON tokens (tenant, ticket);
