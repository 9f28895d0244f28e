//! Tickets and what their source told of them.

use sqlx::AssertSqlSafe;

use super::{Connection, Result, instant, parsed};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::random_id;

/// A ticket.
pub(crate) struct Ticket {
    pub(crate) id: TicketId,
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    /// The ticket it was merged into: that one's history counts for both.
    pub(crate) merged_into: Option<TicketId>,
    /// When it was last asked whether it is still open.
    pub(crate) asked_at: Option<Timestamp>,
    /// When something was last done about it.
    pub(crate) active_at: Timestamp,
    /// Until when a merged ticket was open: no closing of the other counts from before.
    pub(crate) open_until: Option<Timestamp>,
}

type Columns = (String, i64, Option<i64>, Option<String>, Option<i64>, i64, Option<i64>);

const COLUMNS: &str = "SELECT id, opened_at, closed_at, merged_into, asked_at, active_at, open_until FROM tickets";

fn read((id, opened_at, closed_at, merged_into, asked_at, active_at, open_until): Columns) -> Result<Ticket> {
    Ok(Ticket {
        id: parsed(&id)?,
        opened_at: Timestamp::from_seconds(opened_at),
        closed_at: instant(closed_at),
        merged_into: merged_into.map(|ticket| parsed(&ticket)).transpose()?,
        asked_at: instant(asked_at),
        active_at: Timestamp::from_seconds(active_at),
        open_until: instant(open_until),
    })
}

impl Ticket {
    /// The ticket whose history counts: the one it was merged into, or itself.
    pub(crate) fn root(&self) -> &TicketId {
        self.merged_into.as_ref().unwrap_or(&self.id)
    }
}

/// Opens a ticket; false when it is there already.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    now: Timestamp,
) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO tickets (tenant, id, alias, opened_at, active_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(random_id())
    .bind(now.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// The ticket of that name, if there is one.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<Option<Ticket>> {
    let row: Option<Columns> = sqlx::query_as(AssertSqlSafe(format!("{COLUMNS} WHERE tenant = $1 AND id = $2")))
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// Where a ticket stands in the list of tickets: when it was opened, and its name.
pub(crate) type Place = (i64, String);

/// The tenant's tickets, the newest first: all, the open (`Some(false)`) or the closed (`Some(true)`); all, or those that a
/// user is `on`; from the first or from behind a place on.
pub(crate) async fn list(
    connection: &mut Connection,
    tenant: &TenantId,
    (closed, on): (Option<bool>, Option<&str>),
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Ticket>> {
    let (opened_at, id) = after.map_or((i64::MAX, ""), |(opened_at, id)| (*opened_at, id.as_str()));
    let rows: Vec<Columns> = sqlx::query_as(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1
         AND (CAST($2 AS BIGINT) IS NULL OR CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END = $2)
         AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM assignments a
              WHERE a.tenant = tickets.tenant AND a.ticket = tickets.id AND a.user_id = $3))
         AND (opened_at, id) < ($4, $5) ORDER BY opened_at DESC, id DESC LIMIT $6"
    )))
    .bind(tenant.as_str())
    .bind(closed.map(i64::from))
    .bind(on)
    .bind(opened_at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Writes down when the ticket was closed, or that it is open.
pub(crate) async fn set_closed_at(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    closed_at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query("UPDATE tickets SET closed_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(closed_at.map(Timestamp::seconds))
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// A ticket and those that were merged into it.
pub(crate) async fn group(connection: &mut Connection, tenant: &TenantId, root: &TicketId) -> Result<Vec<Ticket>> {
    let rows: Vec<Columns> = sqlx::query_as(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND (id = $2 OR merged_into = $2) ORDER BY id"
    )))
    .bind(tenant.as_str())
    .bind(root.as_str())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Merges a ticket, and those that were merged into it before, into another at `now`. Each was open until it was closed, or
/// until now.
pub(crate) async fn merge(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    into: &TicketId,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE tickets SET merged_into = $1, open_until = coalesce(closed_at, $4)
         WHERE tenant = $2 AND (id = $3 OR merged_into = $3)",
    )
    .bind(into.as_str())
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(now.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that something was done about a ticket at `at`, and so about the one it was merged into.
pub(crate) async fn touch(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE tickets SET active_at = $1 WHERE tenant = $2 AND active_at < $1
         AND id = (SELECT coalesce(merged_into, id) FROM tickets WHERE tenant = $2 AND id = $3)",
    )
    .bind(at.seconds())
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that it was asked whether a ticket is still open.
pub(crate) async fn set_asked(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    at: Timestamp,
) -> Result<()> {
    sqlx::query("UPDATE tickets SET asked_at = $1 WHERE tenant = $2 AND id = $3")
        .bind(at.seconds())
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The open tickets with stored snapshots, their own or of tickets merged into them, of which nothing was heard since
/// `active` and that were not asked for after `asked`: the longest silent first.
pub(crate) async fn silent(
    connection: &mut Connection,
    tenant: &TenantId,
    active: Timestamp,
    asked: Timestamp,
    limit: i64,
) -> Result<Vec<Ticket>> {
    let rows: Vec<Columns> = sqlx::query_as(AssertSqlSafe(format!(
        "{COLUMNS} WHERE tenant = $1 AND closed_at IS NULL AND merged_into IS NULL AND active_at <= $2
         AND (asked_at IS NULL OR asked_at <= active_at OR asked_at <= $3)
         AND EXISTS (SELECT 1 FROM snapshots WHERE snapshots.tenant = tickets.tenant AND phase = 'stored'
             AND snapshots.ticket IN (SELECT kept.id FROM tickets AS kept
                 WHERE kept.tenant = tickets.tenant AND (kept.id = tickets.id OR kept.merged_into = tickets.id)))
         ORDER BY active_at LIMIT $4"
    )))
    .bind(tenant.as_str())
    .bind(active.seconds())
    .bind(asked.seconds())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}
