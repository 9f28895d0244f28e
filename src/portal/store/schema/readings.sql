-- Readings that go on: the deletion of a snapshot waits for them. One that nobody renews is over when its time is.
CREATE TABLE readings (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
CREATE INDEX readings_of_snapshot ON readings (tenant, snapshot);
