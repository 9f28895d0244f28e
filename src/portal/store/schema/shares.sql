-- The portal's parts of file keys, alone in their file so that ordinary backups can leave them out.
CREATE TABLE shares (
    tenant TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    id TEXT NOT NULL,
    secret BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    PRIMARY KEY (tenant, snapshot)
) STRICT;
