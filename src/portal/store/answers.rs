//! Answers to writes that came with an `Idempotency-Key`, kept so that the same write is not done twice.

use super::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};

/// Whose write it is, where it went, and the key it came with.
pub(crate) struct Name<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) principal: &'a str,
    pub(crate) path: &'a str,
    pub(crate) key: &'a str,
    /// The ticket that path or body name; it is no part of the name.
    pub(crate) ticket: Option<&'a TicketId>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media: Option<String>,
    /// `None` when it was told once and kept nowhere.
    pub(crate) body: Option<Vec<u8>>,
}

/// What is known of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: it is begun now.
    New,
    /// It is under way.
    Begun,
    /// Another request came with the same key.
    Other,
    /// It was done.
    Done(Answer),
}

/// Begins a write, unless it is known. One that began before `abandoned` and never ended counts as new.
pub(crate) async fn begin(
    connection: &mut Connection,
    name: &Name<'_>,
    request: &[u8],
    now: Timestamp,
    abandoned: Timestamp,
) -> Result<Known> {
    let begun = sqlx::query(
        "INSERT INTO answers (tenant, principal, path, key, request, begun_at, ticket) VALUES ($1, $2, $3, $4, $5, $6, $8)
         ON CONFLICT (tenant, principal, path, key) DO UPDATE SET begun_at = excluded.begun_at
         WHERE answers.status IS NULL AND answers.begun_at <= $7 AND answers.request = excluded.request",
    )
    .bind(name.tenant.as_str())
    .bind(name.principal)
    .bind(name.path)
    .bind(name.key)
    .bind(request)
    .bind(now.seconds())
    .bind(abandoned.seconds())
    .bind(name.ticket.map(TicketId::as_str))
    .execute(&mut *connection)
    .await?;
    if begun.rows_affected() == 1 {
        return Ok(Known::New);
    }
    type Columns = (Vec<u8>, Option<i64>, Option<String>, Option<Vec<u8>>);
    let (known, status, media, body): Columns = sqlx::query_as(
        "SELECT request, status, media, body FROM answers
         WHERE tenant = $1 AND principal = $2 AND path = $3 AND key = $4",
    )
    .bind(name.tenant.as_str())
    .bind(name.principal)
    .bind(name.path)
    .bind(name.key)
    .fetch_one(connection)
    .await?;
    Ok(match status.and_then(|status| u16::try_from(status).ok()) {
        _ if known != request => Known::Other,
        None => Known::Begun,
        Some(status) => Known::Done(Answer { status, media, body }),
    })
}

/// Keeps the answer of a write that was begun.
pub(crate) async fn keep(connection: &mut Connection, name: &Name<'_>, answer: &Answer) -> Result<()> {
    sqlx::query(
        "UPDATE answers SET status = $1, media = $2, body = $3
         WHERE tenant = $4 AND principal = $5 AND path = $6 AND key = $7",
    )
    .bind(i64::from(answer.status))
    .bind(answer.media.as_deref())
    .bind(answer.body.as_deref())
    .bind(name.tenant.as_str())
    .bind(name.principal)
    .bind(name.path)
    .bind(name.key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a write that may be tried again.
pub(crate) async fn forget(connection: &mut Connection, name: &Name<'_>) -> Result<()> {
    sqlx::query("DELETE FROM answers WHERE tenant = $1 AND principal = $2 AND path = $3 AND key = $4")
        .bind(name.tenant.as_str())
        .bind(name.principal)
        .bind(name.path)
        .bind(name.key)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets every write that names a ticket.
pub(crate) async fn forget_ticket(connection: &mut Connection, tenant: &TenantId, ticket: &TicketId) -> Result<()> {
    sqlx::query("DELETE FROM answers WHERE tenant = $1 AND ticket = $2")
        .bind(tenant.as_str())
        .bind(ticket.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the answers to writes that began before an instant.
pub(crate) async fn expire(connection: &mut Connection, before: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM answers WHERE begun_at < $1").bind(before.seconds()).execute(connection).await?;
    Ok(())
}
