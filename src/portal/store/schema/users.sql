-- People, what they sign in with, and which tickets they are on.

CREATE TABLE users (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    factor BLOB NOT NULL,
    factor_step INTEGER NOT NULL,
    wrong_codes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE recovery_codes (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, user_id, hash),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;

-- From where a user signed in before.
CREATE TABLE devices (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id, hash),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;

CREATE TABLE sessions (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    factor_at INTEGER NOT NULL,
    wrong_codes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;
CREATE INDEX sessions_of_user ON sessions (tenant, user_id);
CREATE INDEX sessions_expiring ON sessions (expires_at);

-- An invitation makes a user, or gives one that is there a new password and factor. What was chosen waits here until the
-- first code confirms it.
CREATE TABLE invitations (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    user_id TEXT,
    expires_at INTEGER NOT NULL,
    name TEXT,
    password TEXT,
    factor BLOB,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX invitations_expiring ON invitations (expires_at);

CREATE TABLE assignments (
    tenant TEXT NOT NULL,
    ticket TEXT NOT NULL,
    user_id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, ticket, user_id),
    FOREIGN KEY (tenant, ticket) REFERENCES tickets (tenant, id) ON UPDATE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;
CREATE INDEX assignments_of_user ON assignments (tenant, user_id, since);
