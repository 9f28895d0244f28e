-- What decides about a deadline and does not follow from what stands elsewhere: how the time of a snapshot ended under a hold (its
-- reason then stays as it is), before which instant a closing that was told late does not end it, and until when a merged ticket
-- was open.
ALTER TABLE snapshots ADD COLUMN ended_at INTEGER;
ALTER TABLE snapshots ADD COLUMN not_before INTEGER;
ALTER TABLE tickets ADD COLUMN open_until INTEGER;
CREATE INDEX snapshots_held ON snapshots (readable_until)
    WHERE phase = 'stored' AND review_at IS NOT NULL AND ended_at IS NULL;
