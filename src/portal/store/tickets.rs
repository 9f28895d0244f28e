//! Tickets and what their source told of them.

use super::{Connection, Result, instant, parsed};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::track::Event;

/// A ticket.
pub(crate) struct Ticket {
    pub(crate) id: TicketId,
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
}

/// Opens a ticket; false when it is there already.
pub(crate) async fn add(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    now: Timestamp,
) -> Result<bool> {
    let added = sqlx::query("INSERT INTO tickets (tenant, id, opened_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(added.rows_affected() == 1)
}

/// The ticket of that name, if there is one.
pub(crate) async fn find(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<Option<Ticket>> {
    let row: Option<(i64, Option<i64>)> =
        sqlx::query_as("SELECT opened_at, closed_at FROM tickets WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(ticket.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(opened_at, closed_at)| Ticket {
        id: ticket.clone(),
        opened_at: Timestamp::from_seconds(opened_at),
        closed_at: instant(closed_at),
    }))
}

/// The tenant's tickets, the newest first: all, the open (`Some(false)`) or the closed (`Some(true)`); all, or those that a
/// user is `on`.
pub(crate) async fn list(
    connection: &mut Connection,
    tenant: &TenantId,
    closed: Option<bool>,
    on: Option<&str>,
    limit: i64,
) -> Result<Vec<Ticket>> {
    let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
        "SELECT id, opened_at, closed_at FROM tickets WHERE tenant = $1 AND (CAST($2 AS BIGINT) IS NULL OR CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END = $2)
         AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM assignments a
              WHERE a.tenant = tickets.tenant AND a.ticket = tickets.id AND a.user_id = $3))
         ORDER BY opened_at DESC, id LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(closed.map(i64::from))
    .bind(on)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, opened_at, closed_at)| {
            let opened_at = Timestamp::from_seconds(opened_at);
            Ok(Ticket { id: parsed(&id)?, opened_at, closed_at: instant(closed_at) })
        })
        .collect()
}

/// Adds an event of the ticket's source; false when an event of that name was told before.
pub(crate) async fn add_event(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    name: &str,
    closed: bool,
    at: Timestamp,
) -> Result<bool> {
    let added = sqlx::query(
        "INSERT INTO ticket_events (tenant, ticket, event, closed, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(name)
    .bind(i64::from(closed))
    .bind(at.seconds())
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Every event of a ticket in the order of arrival.
pub(crate) async fn events(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
) -> Result<Vec<(Event, Timestamp)>> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT closed, at FROM ticket_events WHERE tenant = $1 AND ticket = $2 ORDER BY number")
            .bind(tenant.as_str())
            .bind(ticket.as_str())
            .fetch_all(connection)
            .await?;
    let event = |closed| if closed { Event::TicketClosed } else { Event::TicketReopened };
    Ok(rows.into_iter().map(|(closed, at)| (event(closed != 0), Timestamp::from_seconds(at))).collect())
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
