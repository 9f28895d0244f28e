-- What people sign in with besides password and code: the public half of a key that stays in their device.
CREATE TABLE passkeys (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    credential BLOB NOT NULL,
    key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    transports TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, credential),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
) STRICT;
CREATE INDEX passkeys_of_user ON passkeys (tenant, user_id);

-- Challenges that were answered: none is answered twice. Forgotten when they would be too old anyway.
CREATE TABLE answered_challenges (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX answered_challenges_by_age ON answered_challenges (tenant, until);
