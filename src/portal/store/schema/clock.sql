-- What the portal knows of time. One row: the latest instant that was trusted, and the jump that waits for an operator.
CREATE TABLE clock_mark (
    name TEXT NOT NULL PRIMARY KEY,
    latest INTEGER NOT NULL,
    alarm_at INTEGER,
    expected INTEGER,
    found INTEGER
) STRICT;

-- For each start of a machine: what its wall clock is ahead of the time it runs. It stays the same for as long as nobody sets
-- the clock.
CREATE TABLE clock_starts (
    start TEXT NOT NULL PRIMARY KEY,
    ahead INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
