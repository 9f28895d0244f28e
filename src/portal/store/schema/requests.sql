-- What technicians asked for. A row goes when its request has expired. The code is nowhere, only its keyed hash.
CREATE TABLE requests (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    ticket TEXT NOT NULL,
    note TEXT NOT NULL,
    max_bytes INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    claim BLOB,
    token TEXT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE
) STRICT;
CREATE INDEX requests_of_ticket ON requests (tenant, ticket, created_at);
CREATE INDEX requests_expiring ON requests (expires_at);
