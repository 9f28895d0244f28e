-- What a tenant's administration says about itself, for the record of processing activities.
CREATE TABLE record_facts (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    facts TEXT NOT NULL,
    set_at INTEGER NOT NULL
) STRICT;

-- The record of processing activities as it was, each time it had become another.
CREATE TABLE record_versions (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    since INTEGER NOT NULL,
    digest TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT;
