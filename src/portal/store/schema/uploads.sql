-- Received bytes are durable bytes: the number is written after the file is synchronised.
CREATE TABLE uploads (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL,
    ending INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, snapshot),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX uploads_expiring ON uploads (expires_at);
