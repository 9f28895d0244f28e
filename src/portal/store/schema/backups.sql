-- Where backups of this portal lie, so that deletion reaches them.
CREATE TABLE backups (
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (place, kind)
) STRICT;

-- The receipt of a deletion that a restored database does not remember. It is given again when everything is gone again.
CREATE TABLE earlier_receipts (
    tenant TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    id TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (tenant, snapshot)
) STRICT;
