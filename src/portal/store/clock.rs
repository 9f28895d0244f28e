//! What the portal knows of time: the latest instant that was trusted, and a jump that waits for an operator.

use super::{Connection, Result};
use crate::clock::Timestamp;

/// The one row's name.
const NAME: &str = "portal";

/// For how many days a machine's start is remembered after it was last seen.
const REMEMBERED_DAYS: i64 = 400;

/// A jump of a clock that nobody has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// What the clock should have said.
    pub(crate) expected: Timestamp,
    /// What it said.
    pub(crate) found: Timestamp,
}

/// The latest trusted instant and the jump that stands; `None` before the first look.
pub(crate) async fn mark(connection: &mut Connection) -> Result<Option<(Timestamp, Option<Alarm>)>> {
    let row: Option<(i64, Option<i64>, Option<i64>)> =
        sqlx::query_as("SELECT latest, expected, found FROM clock_mark WHERE name = $1")
            .bind(NAME)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(latest, expected, found)| {
        let alarm = expected.zip(found).map(|(expected, found)| Alarm {
            expected: Timestamp::from_seconds(expected),
            found: Timestamp::from_seconds(found),
        });
        (Timestamp::from_seconds(latest), alarm)
    }))
}

/// Moves the mark to `latest`; a jump that stands goes on standing.
pub(crate) async fn set_mark(connection: &mut Connection, latest: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO clock_mark (name, latest) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET latest = excluded.latest",
    )
    .bind(NAME)
    .bind(latest.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a jump down.
pub(crate) async fn raise(connection: &mut Connection, alarm: Alarm) -> Result<()> {
    sqlx::query("UPDATE clock_mark SET alarm_at = $1, expected = $2, found = $1 WHERE name = $3")
        .bind(alarm.found.seconds())
        .bind(alarm.expected.seconds())
        .bind(NAME)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes `now` for right: no jump stands, and every machine's clock is measured anew. Deletions that wait for their next attempt
/// by the old clock are tried again.
pub(crate) async fn confirm(connection: &mut Connection, now: Timestamp) -> Result<()> {
    set_mark(connection, now).await?;
    sqlx::query("UPDATE clock_mark SET alarm_at = NULL, expected = NULL, found = NULL WHERE name = $1")
        .bind(NAME)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM clock_starts").execute(&mut *connection).await?;
    sqlx::query(
        "UPDATE snapshots SET retry_at = 0
         WHERE phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed') AND retry_at > 0",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the wall clock was ahead of the time the machine runs, for that start of it.
pub(crate) async fn ahead(connection: &mut Connection, start: &str) -> Result<Option<i64>> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT ahead FROM clock_starts WHERE start = $1")
        .bind(start)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(ahead,)| ahead))
}

/// Remembers a start, and that it was seen; forgets those that were not seen for long.
pub(crate) async fn remember(connection: &mut Connection, start: &str, ahead: i64, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO clock_starts (start, ahead, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (start) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(start)
    .bind(ahead)
    .bind(now.seconds())
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM clock_starts WHERE seen_at < $1")
        .bind(now.plus_days(-REMEMBERED_DAYS).seconds())
        .execute(connection)
        .await?;
    Ok(())
}
