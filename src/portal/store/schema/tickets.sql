-- The id is the ticket's name, until nothing is left of the ticket: then it is hidden, a keyed hash. The alias is what the audit
-- log calls it, which is never changed.
CREATE TABLE tickets (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    alias TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    merged_into TEXT,
    active_at INTEGER NOT NULL DEFAULT 0,
    asked_at INTEGER,
    hidden INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX tickets_opened ON tickets (tenant, opened_at, id);
CREATE INDEX tickets_merged ON tickets (tenant, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX tickets_idle ON tickets (tenant, active_at) WHERE closed_at IS NULL AND merged_into IS NULL;

-- What a ticket's source told, each event once, in its newest version. The number is the order of arrival.
CREATE TABLE ticket_events (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    ticket TEXT NOT NULL,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    version INTEGER NOT NULL,
    told TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (tenant, ticket, source, event),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE
) STRICT;
