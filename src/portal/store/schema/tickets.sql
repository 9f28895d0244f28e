CREATE TABLE tickets (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;

-- What the ticket's source told, each event once. The number is the order of arrival.
CREATE TABLE ticket_events (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    ticket TEXT NOT NULL,
    event TEXT NOT NULL,
    closed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (tenant, ticket, event),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id)
) STRICT;
