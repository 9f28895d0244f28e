-- The ticket systems that are asked: one process at a time asks each, for as long as its lease lasts.
CREATE TABLE ticket_systems (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    lease TEXT,
    leased_until INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    scan_at INTEGER NOT NULL DEFAULT 0,
    list_at INTEGER NOT NULL DEFAULT 0,
    listed_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    fault TEXT,
    answered_at INTEGER,
    PRIMARY KEY (tenant, name)
) STRICT;

-- When each ticket with something left of it is asked for next, and what its system told last: open or closed, since when. A
-- ticket that its system never knew cannot vanish.
CREATE TABLE ticket_polls (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    ticket TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    asked_at INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    seen_at INTEGER,
    told TEXT,
    told_at INTEGER,
    fault TEXT,
    PRIMARY KEY (tenant, source, ticket),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE
) STRICT;

CREATE INDEX ticket_polls_due ON ticket_polls (tenant, source, due_at);
CREATE INDEX ticket_polls_ticket ON ticket_polls (tenant, ticket);
