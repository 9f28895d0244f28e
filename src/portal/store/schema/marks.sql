-- How far an unfinished upload has come: the state of its digest, and in a bucket the multipart upload, its parts, and the
-- object that holds what is behind the last part.
CREATE TABLE marks (
    tenant TEXT NOT NULL,
    upload TEXT NOT NULL,
    digest BLOB,
    multipart TEXT,
    tail TEXT,
    PRIMARY KEY (tenant, upload),
    FOREIGN KEY (tenant, upload) REFERENCES uploads (tenant, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE parts (
    tenant TEXT NOT NULL,
    upload TEXT NOT NULL,
    number INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (tenant, upload, number),
    FOREIGN KEY (tenant, upload) REFERENCES uploads (tenant, id) ON DELETE CASCADE
) STRICT;
