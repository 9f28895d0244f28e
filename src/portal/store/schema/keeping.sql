-- The orders that stop a deletion: asked for by one, put in force by another, lifted by two again.
CREATE TABLE holds (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    basis TEXT NOT NULL,
    reason TEXT NOT NULL,
    review_at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    confirmed_by TEXT,
    confirmed_at INTEGER,
    lift_asked_by TEXT,
    lift_asked_at INTEGER,
    lift_reason TEXT,
    lifted_by TEXT,
    lifted_at INTEGER,
    reminded_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
CREATE INDEX holds_of_snapshot ON holds (tenant, snapshot);
CREATE INDEX holds_to_review ON holds (review_at) WHERE confirmed_at IS NOT NULL AND lifted_at IS NULL AND reminded_at IS NULL;

CREATE TABLE extensions (
    tenant TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    days INTEGER NOT NULL,
    PRIMARY KEY (tenant, snapshot, number),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;

-- The policies a tenant had, has and is asked to approve. The one in force stands with the tenant.
CREATE TABLE policies (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    id TEXT NOT NULL,
    policy TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    PRIMARY KEY (tenant, version)
) STRICT;
