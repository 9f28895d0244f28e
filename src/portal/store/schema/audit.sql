-- Written in the transaction of the act it tells of. The place is the record's index in the transparency log; it comes within a
-- second. Name, address and reason are commitments.
CREATE TABLE audit (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    purpose TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT,
    address TEXT,
    tool TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    ticket TEXT,
    outcome TEXT NOT NULL,
    reason TEXT,
    request TEXT,
    receipt TEXT,
    PRIMARY KEY (tenant, number)
) STRICT;
CREATE UNIQUE INDEX audit_by_place ON audit (place);
CREATE INDEX audit_waiting ON audit (tenant, number) WHERE place IS NULL;
CREATE INDEX audit_of_ticket ON audit (tenant, ticket, number);

-- What opens the commitments of a record. Erased, it leaves the record as it is.
CREATE TABLE openings (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    field TEXT NOT NULL,
    at INTEGER NOT NULL,
    salt TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant, number, field)
) STRICT;
CREATE INDEX openings_by_value ON openings (tenant, field, value);
CREATE INDEX openings_by_age ON openings (tenant, at);

-- The log of all tenants: 256 hashes to a tile, and the last signed checkpoint. Both can be made anew from the records.
CREATE TABLE tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

CREATE TABLE checkpoints (
    log TEXT NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
