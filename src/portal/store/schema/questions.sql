-- What technicians ask the sender about stand-ins, and what the sender answers. Both may hold personal data: they go with the
-- snapshot.
CREATE TABLE questions (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    stand_in TEXT NOT NULL,
    why TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    answer TEXT,
    answered_by TEXT,
    answered_at INTEGER,
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, snapshot) REFERENCES snapshots (tenant, id)
) STRICT;
CREATE INDEX questions_of_snapshot ON questions (tenant, snapshot, number);
