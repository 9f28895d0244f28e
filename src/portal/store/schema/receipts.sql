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
    record INTEGER NOT NULL,
    proved INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, snapshot, kind),
    UNIQUE (tenant, record),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
CREATE INDEX receipts_by_snapshot ON receipts (snapshot, kind);
