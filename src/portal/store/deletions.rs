//! What deletions leave behind: those that do not go on, and tickets that have nothing left but a name.

use super::{Connection, Result, parsed, requests, unsigned};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};

/// What should be going or gone at an instant, and is not.
pub(crate) struct Outstanding {
    pub(crate) due: u64,
    /// The deadline that passed first.
    pub(crate) oldest: Option<Timestamp>,
}

/// The snapshots whose deletion should have begun by now, and those whose deletion has begun.
pub(crate) async fn outstanding(connection: &mut Connection, now: Timestamp) -> Result<Outstanding> {
    let mut all = Outstanding { due: 0, oldest: None };
    for which in [
        "phase = 'stored' AND begins_at <= $1",
        "$1 >= 0 AND phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed')",
    ] {
        let (due, oldest): (i64, Option<i64>) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT CAST(count(*) AS BIGINT), CAST(min(due_at) AS BIGINT) FROM snapshots WHERE {which}"
        )))
        .bind(now.seconds())
        .fetch_one(&mut *connection)
        .await?;
        all.due += unsigned(due);
        all.oldest = all.oldest.into_iter().chain(oldest.map(Timestamp::from_seconds)).min();
    }
    Ok(all)
}

/// How many deletions have failed at least so many times in a row.
pub(crate) async fn stuck(connection: &mut Connection, attempts: u32) -> Result<u64> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT CAST(count(*) AS BIGINT) FROM snapshots WHERE attempts >= $1
         AND phase IN ('due', 'share-destroyed', 'bytes-gone', 'verified-absent', 'row-scrubbed')",
    )
    .bind(i64::from(attempts))
    .fetch_one(connection)
    .await?;
    Ok(unsigned(count))
}

/// Puts `hidden` in the place of a ticket's name, if the ticket is closed and the bytes of all its snapshots are gone; true
/// when it did. The names of its events go as well.
pub(crate) async fn hide_ticket(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    hidden: &TicketId,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE tickets SET id = $3, hidden = 1
         WHERE tenant = $1 AND id = $2 AND hidden = 0 AND closed_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM tickets AS other WHERE other.tenant = $1 AND other.id = $3)
         AND NOT EXISTS (SELECT 1 FROM snapshots WHERE snapshots.tenant = $1 AND snapshots.ticket = $2
             AND phase NOT IN ('verified-absent', 'row-scrubbed', 'deleted'))",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(hidden.as_str())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE tickets SET merged_into = $3 WHERE tenant = $1 AND merged_into = $2")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .bind(hidden.as_str())
        .execute(&mut *connection)
        .await?;
    requests::remove_of_ticket(connection, tenant, hidden).await?;
    sqlx::query("UPDATE ticket_events SET event = 'past-' || CAST(number AS TEXT) WHERE tenant = $1 AND ticket = $2")
        .bind(tenant.as_str())
        .bind(hidden.as_str())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Gives a hidden ticket its name back; false when there is none.
pub(crate) async fn name_again(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    hidden: &TicketId,
) -> Result<bool> {
    let done = sqlx::query("UPDATE tickets SET id = $2, hidden = 0 WHERE tenant = $1 AND id = $3 AND hidden = 1")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .bind(hidden.as_str())
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE tickets SET merged_into = $2 WHERE tenant = $1 AND merged_into = $3")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .bind(hidden.as_str())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Whether there is a hidden ticket of that name.
pub(crate) async fn is_hidden(connection: &mut Connection, tenant: &TenantId, hidden: &TicketId) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT hidden FROM tickets WHERE tenant = $1 AND id = $2 AND hidden = 1")
        .bind(tenant.as_str())
        .bind(hidden.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// The tickets that were closed before `closed_before`, still have their name, and have no snapshot that is not gone.
pub(crate) async fn over(
    connection: &mut Connection,
    tenant: &TenantId,
    closed_before: Timestamp,
    limit: i64,
) -> Result<Vec<TicketId>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM tickets WHERE tenant = $1 AND hidden = 0 AND closed_at < $2
         AND NOT EXISTS (SELECT 1 FROM snapshots WHERE snapshots.tenant = tickets.tenant
             AND snapshots.ticket = tickets.id AND phase NOT IN ('row-scrubbed', 'deleted')) LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(closed_before.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_that_names_a_ticket_follows_when_its_name_is_hidden() {
        let mut referring = 0;
        for entry in std::fs::read_dir("src/portal/store/schema").unwrap() {
            let path = entry.unwrap().path();
            for line in
                std::fs::read_to_string(&path).unwrap().lines().filter(|line| line.contains("REFERENCES tickets"))
            {
                assert!(line.contains("ON UPDATE CASCADE"), "{}: {line}", path.display());
                referring += 1;
            }
        }
        assert!(referring >= 3);
    }
}
