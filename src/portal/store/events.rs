//! What the sources of tickets told, each event once by its source and name.

use super::{Connection, Result, unreadable};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::track::History;
use crate::track::history::Told;

/// What is told of a ticket.
pub(crate) struct Event<'a> {
    /// Who tells it.
    pub(crate) source: &'a str,
    /// The source's own name of it.
    pub(crate) name: &'a str,
    /// Which telling of it this is: a higher one replaces a lower one.
    pub(crate) version: i64,
    pub(crate) told: Told,
    pub(crate) at: Timestamp,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was not known, or only in an older version.
    New,
    /// It was known.
    Repeated,
    /// It was known in a newer version.
    Outdated,
}

/// Takes an event of a ticket's source.
pub(crate) async fn tell(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    event: &Event<'_>,
) -> Result<Taken> {
    let known: Option<(i64,)> = sqlx::query_as(
        "SELECT version FROM ticket_events WHERE tenant = $1 AND ticket = $2 AND source = $3 AND event = $4",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(event.source)
    .bind(event.name)
    .fetch_optional(&mut *connection)
    .await?;
    match known {
        Some((version,)) if version == event.version => return Ok(Taken::Repeated),
        Some((version,)) if version > event.version => return Ok(Taken::Outdated),
        _ => {}
    }
    sqlx::query(
        "INSERT INTO ticket_events (tenant, ticket, source, event, version, told, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, ticket, source, event) DO UPDATE SET version = excluded.version, told = excluded.told,
         at = excluded.at",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(event.source)
    .bind(event.name)
    .bind(event.version)
    .bind(event.told.word())
    .bind(event.at.seconds())
    .execute(connection)
    .await?;
    Ok(Taken::New)
}

/// How many events of a ticket are kept.
pub(crate) async fn count(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<i64> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT CAST(count(*) AS BIGINT) FROM ticket_events WHERE tenant = $1 AND ticket = $2")
            .bind(tenant.as_str())
            .bind(ticket.as_str())
            .fetch_one(connection)
            .await?;
    Ok(count)
}

/// What was told of a ticket.
pub(crate) async fn history(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<History> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT told, at FROM ticket_events WHERE tenant = $1 AND ticket = $2 ORDER BY at, number")
            .bind(tenant.as_str())
            .bind(ticket.as_str())
            .fetch_all(connection)
            .await?;
    let mut history = History::new();
    for (told, at) in rows {
        let told = Told::from_word(&told).ok_or_else(|| unreadable("what was told of a ticket"))?;
        history.add(told, Timestamp::from_seconds(at));
    }
    Ok(history)
}

/// Whether a source told that event of a ticket.
pub(crate) async fn knows(
    connection: &mut Connection,
    tenant: &TenantId,
    ticket: &TicketId,
    source: &str,
    event: &str,
) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT version FROM ticket_events WHERE tenant = $1 AND ticket = $2 AND source = $3 AND event = $4",
    )
    .bind(tenant.as_str())
    .bind(ticket.as_str())
    .bind(source)
    .bind(event)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}
